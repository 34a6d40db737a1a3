#include "reactor/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "domain/assert.hpp"

namespace penstock::reactor {
namespace {

void rethrow_unless_cancelled(std::exception_ptr failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (boost::system::system_error const& error) {
        if (error.code() != asio::error::operation_aborted) throw;
    }
}

}  // namespace

TaskGroup::~TaskGroup() { PENSTOCK_ASSERT(tasks_.empty()); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    auto const position = tasks_.emplace(tasks_.end());
    auto ended = [this, position](std::exception_ptr failure) {
        tasks_.erase(position);
        if (tasks_.empty()) emptied_.notify();
        rethrow_unless_cancelled(failure);
    };
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(position->slot(), std::move(ended)));
}

void TaskGroup::cancel() {
    // A task may end inside emit() and erase its own signal: step before emitting.
    for (auto task = tasks_.begin(); task != tasks_.end();) {
        auto& signal = *task++;
        signal.emit(asio::cancellation_type::all);
    }
}

asio::awaitable<bool> TaskGroup::join(SteadyTime deadline) {
    while (!tasks_.empty()) {
        if (steady_now() >= deadline) co_return false;
        bool const awake = co_await emptied_.wait(deadline);
        if (!awake) co_return tasks_.empty();
    }
    co_return true;
}

}  // namespace penstock::reactor
