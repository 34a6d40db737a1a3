// Wakes everybody who waits: Pulse for many waiters.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "db/pg/error.hpp"
#include "reactor/promise.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

/// notify_all() without a waiter is forgotten: test the state, then wait.
class Broadcast {
public:
    explicit Broadcast(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    Broadcast(Broadcast&&) = delete;

    /// False at the deadline or on cancellation.
    asio::awaitable<bool> wait(SteadyTime deadline) {
        forget_the_gone();
        auto const waiter = std::make_shared<reactor::Promise<Done>>(executor_);
        waiters_.push_back(waiter);
        auto const woken = co_await waiter->wait(deadline);
        co_return woken.has_value();
    }

    void notify_all() {
        for (auto const& entry : std::exchange(waiters_, {}))
            if (auto const waiter = entry.lock()) waiter->set(Done());
    }

private:
    void forget_the_gone() {
        std::erase_if(waiters_, [](auto const& entry) { return entry.expired(); });
    }

    asio::any_io_executor executor_;
    std::vector<std::weak_ptr<reactor::Promise<Done>>> waiters_;
};

}  // namespace penstock::db::pg
