#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace penstock::bench {

void Histogram::merge(Histogram const& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
    if (count_ == 0) return 0;
    return static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    double const wanted = std::ceil(percent / 100.0 * static_cast<double>(count_));
    auto const rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank) return std::min(upper_edge(i), max_);
    }
    return max_;
}

}  // namespace penstock::bench
