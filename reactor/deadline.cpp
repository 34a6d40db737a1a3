#include "reactor/deadline.hpp"

#include "reactor/cancellation.hpp"

namespace penstock::reactor {

asio::awaitable<bool> sleep_until(SteadyTime when) {
    // What was waited for before may have ended by itself in the turn that cancelled it.
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(cancellation)) co_return false;
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_at(when);
    auto const [error] = co_await timer.async_wait(as_result);
    co_return !error && !is_cancelled(cancellation);
}

}  // namespace penstock::reactor
