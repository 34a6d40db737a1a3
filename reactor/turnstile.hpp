// HOW MANY may be inside at once: who comes when it is full waits in line, and the line is bounded.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <list>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// First come, first in. For one event loop.
class Turnstile {
public:
    /// Nobody gets in before open_to(); more than `waiting_max` in line are turned away.
    Turnstile(asio::any_io_executor executor, std::size_t waiting_max)
        : executor_(std::move(executor)), waiting_max_(waiting_max) {}
    Turnstile(Turnstile&&) = delete;

    /// Lets so many in from now on. Whoever is inside stays.
    void open_to(std::size_t capacity);

    /// True: the caller is inside and owes a leave(). Else it is not, and nobody waits.
    bool enter_at_once();

    /// Success: the caller is inside and owes a leave(). Else overloaded (the line is full),
    /// deadline_exceeded, or operation_aborted when cancelled: it is not inside.
    asio::awaitable<error_code> enter(SteadyTime deadline);
    void leave();

    std::size_t inside() const { return inside_; }
    std::size_t waiting() const { return line_.size(); }

private:
    struct Waiter {
        asio::steady_timer timer;
        bool is_in = false;
    };
    void admit();

    asio::any_io_executor executor_;
    std::size_t waiting_max_;
    std::size_t capacity_ = 0;
    std::size_t inside_ = 0;
    std::list<Waiter*> line_;  ///< the waiters live in their coroutines
};

}  // namespace penstock::reactor
