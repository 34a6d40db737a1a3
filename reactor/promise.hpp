// A value that one coroutine waits for and another delivers, with the deadline built in.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// One timer is both the deadline and the wake-up, so a wait costs no parallel group and honours
/// cancellation at once. set() after the waiter has gone is allowed and forgotten: that is how an
/// abandoned request's reply is swallowed. Same event loop on both sides.
template <class T>
class Promise {
public:
    explicit Promise(asio::any_io_executor executor) : timer_(std::move(executor)) {}
    Promise(Promise&&) = delete;

    void set(Result<T> value) {
        if (value_) return;
        value_.emplace(std::move(value));
        timer_.cancel();
    }

    bool is_set() const { return value_.has_value(); }

    /// The delivered value; else deadline_exceeded, or operation_aborted when cancelled.
    asio::awaitable<Result<T>> wait(SteadyTime deadline) {
        if (!value_) {
            timer_.expires_at(deadline);
            auto [error] = co_await timer_.async_wait(as_result);
            if (!value_) {
                if (error) co_return error;
                co_return Errc::deadline_exceeded;
            }
        }
        co_return std::move(*value_);
    }

private:
    asio::steady_timer timer_;
    std::optional<Result<T>> value_;
};

}  // namespace penstock::reactor
