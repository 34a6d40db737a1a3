#include "bench/ratios.hpp"

#include <algorithm>

namespace penstock::bench {
namespace {

double rate(std::uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double quotient(double a, double b) { return b > 0 ? a / b : 0; }

double quotient_at(double percent, SliceStats const& a, SliceStats const& b) {
    return quotient(static_cast<double>(a.latency.percentile(percent)),
                    static_cast<double>(b.latency.percentile(percent)));
}

}  // namespace

Spread spread_of(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    auto const middle = values.size() / 2;
    bool const odd = values.size() % 2 == 1;
    double const median = odd ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {values.front(), median, values.back()};
}

Ratios compare(Stats const& target, Stats const& against) {
    std::vector<double> throughput;
    std::vector<double> p50;
    std::vector<double> p99;
    auto const pairs = std::min(target.slices.size(), against.slices.size());
    for (std::size_t i = 0; i < pairs; ++i) {
        auto const& a = target.slices[i];
        auto const& b = against.slices[i];
        if (a.accepted == 0 || b.accepted == 0) continue;
        throughput.push_back(quotient(rate(a.units, a.seconds), rate(b.units, b.seconds)));
        p50.push_back(quotient_at(50, a, b));
        p99.push_back(quotient_at(99, a, b));
    }
    Ratios ratios;
    ratios.pairs = throughput.size();
    ratios.throughput = spread_of(std::move(throughput));
    ratios.p50 = spread_of(std::move(p50));
    ratios.p99 = spread_of(std::move(p99));
    ratios.throughput_of_all =
        quotient(rate(target.units(), target.seconds()), rate(against.units(), against.seconds()));
    return ratios;
}

}  // namespace penstock::bench
