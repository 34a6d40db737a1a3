// Wakes one waiter: a condition variable for a single event loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "reactor/result.hpp"

namespace penstock::reactor {

/// Signal without a value. A notify() that nobody waits for is kept for the next wait(), so
/// "check the state, then wait" loses nothing. One waiter at a time.
class Pulse {
public:
    explicit Pulse(asio::any_io_executor executor) : timer_(std::move(executor)) {}
    Pulse(Pulse&&) = delete;

    void notify() {
        notified_ = true;
        timer_.cancel();
    }

    /// Ends at notify(), or at the deadline. False: the waiting coroutine was cancelled.
    asio::awaitable<bool> wait(SteadyTime deadline = never);

private:
    asio::steady_timer timer_;
    bool notified_ = false;
};

}  // namespace penstock::reactor
