// Bounds an operation that has no deadline of its own.
#pragma once

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <variant>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// Runs `operation` until `deadline`, then cancels it: deadline_exceeded. `||` returns only when
/// both sides have ended, so the operation must honour cancellation or the deadline is late.
/// T must be default-constructible (Boost 1.81). For hot paths use Promise::wait instead.
template <class T>
asio::awaitable<Result<T>> with_deadline(asio::awaitable<Result<T>> operation,
                                         SteadyTime deadline) {
    using namespace asio::experimental::awaitable_operators;
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    timer.expires_at(deadline);
    auto ended = co_await (std::move(operation) || timer.async_wait(asio::use_awaitable));
    if (ended.index() == 1) co_return Errc::deadline_exceeded;
    co_return std::move(std::get<0>(ended));
}

/// Suspends until `when`. False: cancelled.
asio::awaitable<bool> sleep_until(SteadyTime when);

}  // namespace penstock::reactor
