#include "server/hot/steps.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "reactor/task_group.hpp"

namespace penstock::server {

asio::awaitable<void> Steps::run(Step step) {
    co_await asio::this_coro::throw_if_cancelled(false);
    reactor::TaskGroup steps(executor_);
    steps.spawn(go(std::move(step)));
    co_await steps.join();
    is_stopping_ = true;
    stop_.notify();
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await steps.join();
}

asio::awaitable<void> Steps::go(Step step) {
    for (;;) {
        auto const next = co_await step();
        if (!next) co_return;
        if (!is_stopping_ && steady_now() < *next) co_await stop_.wait(*next);
        if (is_stopping_) co_return;
    }
}

}  // namespace penstock::server
