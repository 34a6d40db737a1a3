// Who spawns, joins: the only place where a coroutine is started without being awaited.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <list>

#include "reactor/pulse.hpp"
#include "reactor/result.hpp"

namespace penstock::reactor {

/// A nursery on one event loop. A task that ends by an exception other than cancellation ends the
/// program: tasks handle what the world does and let only our own mistakes escape.
class TaskGroup {
public:
    explicit TaskGroup(asio::any_io_executor executor) : executor_(executor), emptied_(executor) {}
    TaskGroup(TaskGroup&&) = delete;
    ~TaskGroup();  ///< asserts that nobody is left

    void spawn(asio::awaitable<void> task);

    /// Asks every task to end. Tasks spawned later are not affected.
    void cancel();

    /// Returns when no task is left, or at the deadline: false then. Needs no cancellation.
    asio::awaitable<bool> join(SteadyTime deadline = never);

    std::size_t size() const { return tasks_.size(); }

private:
    asio::any_io_executor executor_;
    Pulse emptied_;
    std::list<asio::cancellation_signal> tasks_;
};

}  // namespace penstock::reactor
