#include "bench/stats.hpp"

namespace penstock::bench {

double Stats::seconds() const {
    double sum = 0;
    for (auto const& slice : slices) sum += slice.seconds;
    return sum;
}

std::uint64_t Stats::accepted() const {
    std::uint64_t sum = 0;
    for (auto const& slice : slices) sum += slice.accepted;
    return sum;
}

std::uint64_t Stats::units() const {
    std::uint64_t sum = 0;
    for (auto const& slice : slices) sum += slice.units;
    return sum;
}

Histogram Stats::latency() const {
    Histogram all;
    for (auto const& slice : slices) all.merge(slice.latency);
    return all;
}

}  // namespace penstock::bench
