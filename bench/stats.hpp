// What a run counted. Plain values: the reports read them, the load writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/histogram.hpp"

namespace penstock::bench {

struct RouteStats {
    std::string label;
    Histogram latency;  ///< of accepted answers, from the intended send time
    std::uint64_t accepted = 0;
    std::uint64_t units = 0;
};

struct SliceStats {
    double seconds = 0;
    std::uint64_t accepted = 0;
    std::uint64_t units = 0;
    Histogram latency;
};

/// "503 overloaded" → how often.
using StatusCounts = std::map<std::string, std::uint64_t>;

struct Stats {
    std::vector<RouteStats> routes;
    std::vector<SliceStats> slices;
    std::vector<std::uint32_t> accepted_per_second;  ///< of the arm's own measured time
    StatusCounts refused;                            ///< turned away, nothing applied
    StatusCounts unclear;                            ///< no answer, or one that hides the effect
    StatusCounts wrong;                              ///< answers that this load never deserves
    std::uint64_t resent = 0;
    std::uint64_t resolved = 0;       ///< unclear ones whose fate is known now
    std::uint64_t unresolved = 0;     ///< and those whose fate is not
    std::uint64_t scheduled = 0;      ///< open loop: arrivals that were due
    std::uint64_t not_sent = 0;       ///< open loop: due, but no connection came free in time
    std::vector<std::string> faults;  ///< answers that contradict their request, the first few
    std::uint64_t fault_count = 0;

    double seconds() const;
    std::uint64_t accepted() const;
    std::uint64_t units() const;
    Histogram latency() const;  ///< of all slices
};

}  // namespace penstock::bench
