// The start second of a sale: a crowd that comes at once, and what everybody was told how fast.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/histogram.hpp"
#include "bench/options.hpp"
#include "bench/sale/books.hpp"
#include "bench/stats.hpp"
#include "reactor/result.hpp"

namespace penstock::bench::sale {

/// A hundredth of a second, counted from the first early visitor.
struct Moment {
    std::uint32_t arrived = 0;  ///< due, whether or not a connection was free
    std::uint32_t accepted = 0;
    std::uint32_t refused = 0;
    std::uint32_t bots = 0;  ///< refused, too, but nobody's arrival
};

struct SpikeResult {
    static constexpr milliseconds moment{10};

    Options options;
    std::string server;  ///< what GET /version said, as it came
    std::string started_at;
    std::uint64_t wishes = 0;    ///< orders that people wanted, each under one key
    std::uint64_t arrivals = 0;  ///< requests of people that were due
    Histogram accepted;          ///< from the moment a request was due; replays are not among them
    Histogram refused;           ///< of people, after the start
    Histogram early;             ///< of people, before it
    Histogram bots;              ///< from the moment a request was sent
    Histogram late;              ///< how late people's requests went out: the generator's share
    StatusCounts answers;        ///< of everybody, by what they said
    StatusCounts unclear;        ///< no answer, or one that hides the effect
    StatusCounts wrong;          ///< what this load never deserves
    std::uint64_t resolved = 0;  ///< undecided ones that were sent again until they were not
    /// After the start: the last of the first answers to people's orders, and the last order that
    /// was accepted.
    std::chrono::nanoseconds decided{0};
    std::chrono::nanoseconds last_accepted{0};
    std::uint64_t undecided = 0;  ///< by then: no answer, turned away
    std::vector<Moment> moments;
    std::vector<std::string> faults;  ///< answers that contradict what was said before
    SaleJudgement judgement;
    double generator_cpu = 0;  ///< of one core, while the crowd was there

    bool sound() const { return faults.empty() && wrong.empty() && judgement.sound(); }
};

/// Makes the product, gathers the crowd, lets it come, asks again about what is unclear, and
/// compares the sale with what everybody was told. Throws Unusable, BadOptions.
SpikeResult play_spike(Options const& options);

std::string table(SpikeResult const& result);
std::string to_json(SpikeResult const& result);
std::string to_html(SpikeResult const& result);

}  // namespace penstock::bench::sale
