// How long did requests take: a log-linear histogram of nanoseconds.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace penstock::bench {

/// Buckets are exact below 256 and 1/128 of the value wide above (less than 0.8 % of error),
/// whatever the magnitude; recording is a shift and an increment. Values beyond value_max count
/// as value_max.
class Histogram {
public:
    static constexpr unsigned precision_bits = 7;
    static constexpr std::uint64_t value_max = (std::uint64_t{1} << 40) - 1;  // 18 minutes

    Histogram() : counts_(index_of(value_max) + 1) {}

    void record(std::uint64_t value) {
        if (value > value_max) value = value_max;
        ++counts_[index_of(value)];
        ++count_;
        sum_ += value;
        if (value > max_) max_ = value;
    }

    void merge(Histogram const& other);

    std::uint64_t count() const { return count_; }
    std::uint64_t max() const { return max_; }
    double mean() const;

    /// The smallest bucket edge that `percent` of the values do not exceed; 0 when empty. Never
    /// more than max().
    std::uint64_t percentile(double percent) const;

    static constexpr std::size_t index_of(std::uint64_t value) {
        auto const width = static_cast<unsigned>(std::bit_width(value));
        unsigned const shift = width <= precision_bits + 1 ? 0 : width - precision_bits - 1;
        return (std::size_t{shift} << precision_bits) + static_cast<std::size_t>(value >> shift);
    }

    /// The largest value that falls into a bucket.
    static constexpr std::uint64_t upper_edge(std::size_t index) {
        std::size_t const linear = std::size_t{2} << precision_bits;
        if (index < linear) return index;
        auto const shift = static_cast<unsigned>((index >> precision_bits) - 1);
        std::uint64_t const mantissa = index - (std::size_t{shift} << precision_bits);
        return ((mantissa + 1) << shift) - 1;
    }

private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace penstock::bench
