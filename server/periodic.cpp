#include "server/periodic.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"

namespace penstock::server {

milliseconds jittered(milliseconds interval, std::uint32_t random) {
    auto const span = static_cast<std::uint64_t>(interval.count()) + 1;
    return interval / 2 + milliseconds{static_cast<std::int64_t>((random * span) >> 32)};
}

Periodic::Periodic(PeriodicOptions options, Work work, Random random, OnFailure on_failure)
    : options_(options),
      work_(std::move(work)),
      random_(std::move(random)),
      on_failure_(std::move(on_failure)),
      backoff_(options.backoff) {}

asio::awaitable<void> Periodic::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    // Whoever has just started mostly has better things to do.
    auto pause = options_.at_once ? milliseconds{0} : jittered(options_.interval, random_()) / 2;
    for (;;) {
        bool const awake = co_await reactor::sleep_until(steady_now() + pause);
        if (!awake) co_return;
        auto const start = steady_now();
        auto const done = co_await work_(start + options_.run_max);
        if (reactor::is_cancelled(cancellation)) co_return;
        metrics_.runs.add();
        metrics_.duration.record(steady_now() - start);
        pause = pause_after(done);
    }
}

milliseconds Periodic::pause_after(Result<std::size_t> const& done) {
    if (!done) {
        metrics_.failures.add();
        if (on_failure_) on_failure_(done.error());
        return backoff_.next(random_());
    }
    backoff_.succeeded(milliseconds{0});
    metrics_.items.add(*done);
    return *done > 0 ? milliseconds{0} : jittered(options_.interval, random_());
}

}  // namespace penstock::server
