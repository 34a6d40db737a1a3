// WHEN work that nobody asked for is done: now and then, at once again while there is more of it,
// later when it failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "reactor/backoff.hpp"
#include "reactor/counters.hpp"
#include "reactor/result.hpp"

namespace penstock::server {

struct PeriodicOptions {
    milliseconds interval{60'000};  ///< between runs that found nothing to do, on average
    milliseconds run_max{30'000};   ///< deadline of one run
    /// Pauses after failures; one success forgets them.
    reactor::BackoffLimits backoff{milliseconds{1'000}, milliseconds{60'000}, milliseconds{0}};
    bool at_once = false;  ///< the first run; otherwise after a part of the interval
};

struct PeriodicMetrics {
    reactor::Count runs;
    reactor::Count items;
    reactor::Count failures;
    reactor::Histogram duration;  ///< of a run, Histogram::duration_unit
};

/// One kind of background work on one event loop, one run at a time.
class Periodic {
public:
    /// One run: how many items it did, in a bounded portion; 0: nothing is left for now.
    using Work = std::function<asio::awaitable<Result<std::size_t>>(SteadyTime deadline)>;
    using Random = std::function<std::uint32_t()>;
    using OnFailure = std::function<void(error_code)>;

    Periodic(PeriodicOptions options, Work work, Random random, OnFailure on_failure = nullptr);
    Periodic(Periodic&&) = delete;

    /// Its one background life, on the event loop that spawns it; ends on cancellation.
    asio::awaitable<void> run();

    PeriodicMetrics const& metrics() const { return metrics_; }

private:
    milliseconds pause_after(Result<std::size_t> const& done);

    PeriodicOptions options_;
    Work work_;
    Random random_;
    OnFailure on_failure_;
    reactor::Backoff backoff_;
    PeriodicMetrics metrics_;
};

/// Uniform between half and one and a half of `interval`: servers that started together do not
/// stay in step.
milliseconds jittered(milliseconds interval, std::uint32_t random);

}  // namespace penstock::server
