// Bounds an operation that has no deadline of its own.
#pragma once

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "reactor/cancellation.hpp"
#include "reactor/result.hpp"

// g++ 12 takes the frame allocator of a coroutine with a try block for a mismatched pair.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::reactor {

/// Suspends until `when`. False: cancelled, now or before: at once then.
asio::awaitable<bool> sleep_until(SteadyTime when);

/// How an operation ended: with a result, or by throwing.
template <class T>
struct Ended {
    std::optional<Result<T>> result;
    std::exception_ptr thrown;
};

/// Never throws, so that whoever waits for this and for something else gets one answer.
/// `ended` outlives it.
template <class T>
asio::awaitable<void> note_end(asio::awaitable<Result<T>> operation, Ended<T>& ended) {
    try {
        auto result = co_await std::move(operation);
        ended.result.emplace(std::move(result));
    } catch (...) {
        ended.thrown = std::current_exception();
    }
}

/// Runs `operation` until `deadline`, then cancels it: deadline_exceeded. What it throws before
/// then is thrown on. `||` returns only when both sides have ended, so the operation must honour
/// cancellation or the deadline is late; and it takes a side that throws for one that has not
/// ended, which is why neither does. For hot paths use Promise::wait instead.
template <class T>
asio::awaitable<Result<T>> with_deadline(asio::awaitable<Result<T>> operation,
                                         SteadyTime deadline) {
    using namespace asio::experimental::awaitable_operators;
    Ended<T> ended;
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    auto const first = co_await (note_end(std::move(operation), ended) || sleep_until(deadline));
    if (first.index() == 1) {
        bool const expired = std::get<1>(first);
        if (expired) co_return Errc::deadline_exceeded;
        co_return error_code(asio::error::operation_aborted);
    }
    // Cancelled from outside both sides end, in either order: the one answer to that is an error.
    bool const cancelled = is_cancelled(cancellation);
    if (ended.thrown && cancelled) co_return error_code(asio::error::operation_aborted);
    if (ended.thrown) std::rethrow_exception(ended.thrown);
    co_return std::move(*ended.result);
}

}  // namespace penstock::reactor

#pragma GCC diagnostic pop
