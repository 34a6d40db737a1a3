#include "reactor/deadline.hpp"

namespace penstock::reactor {

asio::awaitable<bool> sleep_until(SteadyTime when) {
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_at(when);
    auto const [error] = co_await timer.async_wait(as_result);
    co_return !error;
}

}  // namespace penstock::reactor
