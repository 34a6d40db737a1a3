// What components count: plain numbers that one event loop writes and any thread may read.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace penstock::reactor {

/// A relaxed counter: written by its own event loop, read by whoever renders metrics.
class Count {
public:
    void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
    void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A histogram with power-of-two buckets: bucket i counts values ≤ 2^i × unit. Seconds histograms
/// use a unit of 16 µs (16 µs … 8.4 s), size histograms a unit of 1 (1 … 524288).
class Histogram {
public:
    static constexpr std::size_t buckets = 20;

    void record(std::uint64_t units) {
        std::size_t bucket = 0;
        while (bucket < buckets && units > (std::uint64_t{1} << bucket)) ++bucket;
        counts_[bucket].add();
        sum_.add(units);
    }
    void record(std::chrono::nanoseconds elapsed) {
        record(static_cast<std::uint64_t>(elapsed.count() + duration_unit.count() - 1) /
               static_cast<std::uint64_t>(duration_unit.count()));
    }

    static constexpr std::chrono::nanoseconds duration_unit{16'000};

    /// Not cumulative; the last one counts what exceeds every bucket.
    std::uint64_t count(std::size_t bucket) const { return counts_[bucket].get(); }
    std::uint64_t sum() const { return sum_.get(); }

private:
    std::array<Count, buckets + 1> counts_;
    Count sum_;
};

}  // namespace penstock::reactor
