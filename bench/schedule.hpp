// Open loop: when is each request due. Pure.
#pragma once

#include <cstdint>

#include "reactor/result.hpp"

namespace penstock::bench {

/// Arrivals at a fixed rate, whatever the server does. A request that no connection was free for
/// keeps its arrival time, so its wait counts as latency.
class Schedule {
public:
    Schedule(SteadyTime start, SteadyTime end, double rate)
        : start_(start), end_(end), rate_(rate) {}

    /// The next arrival, or `end` when there is none before it. Consumes it.
    SteadyTime take() {
        auto const due = arrival(taken_);
        if (due >= end_) return end_;
        ++taken_;
        return due;
    }

    std::uint64_t taken() const { return taken_; }

    /// Arrivals before `end` that nobody took.
    std::uint64_t left() const {
        std::uint64_t const all = arrivals_before(end_);
        return all > taken_ ? all - taken_ : 0;
    }

private:
    SteadyTime arrival(std::uint64_t index) const {
        std::chrono::duration<double> const offset(static_cast<double>(index) / rate_);
        return start_ + std::chrono::duration_cast<SteadyTime::duration>(offset);
    }

    std::uint64_t arrivals_before(SteadyTime time) const {
        std::chrono::duration<double> const span = time - start_;
        auto count = static_cast<std::uint64_t>(span.count() * rate_);
        if (arrival(count) < time) ++count;
        return count;
    }

    SteadyTime start_;
    SteadyTime end_;
    double rate_;
    std::uint64_t taken_ = 0;
};

}  // namespace penstock::bench
