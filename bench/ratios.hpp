// How many times faster: ratios of neighbouring slices, so that a machine that drifts drifts for
// both. Pure.
#pragma once

#include <vector>

#include "bench/stats.hpp"

namespace penstock::bench {

struct Spread {
    double min = 0;
    double median = 0;
    double max = 0;
};

Spread spread_of(std::vector<double> values);  ///< zeros when empty

/// Target ÷ against, pair by pair; more is better for throughput, less for latency.
struct Ratios {
    std::size_t pairs = 0;
    Spread throughput;
    Spread p50;
    Spread p99;
    double throughput_of_all = 0;
};

/// Pairs of which one side got no answer are left out.
Ratios compare(Stats const& target, Stats const& against);

}  // namespace penstock::bench
