// How many may be inside at once.
#include "reactor/turnstile.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include "domain/assert.hpp"
#include "reactor/cancellation.hpp"

namespace penstock::reactor {

void Turnstile::open_to(std::size_t capacity) {
    capacity_ = capacity;
    admit();
}

bool Turnstile::enter_at_once() {
    // Whoever is in line was here first, also while a place is free for the next of them.
    bool const fits = line_.empty() && inside_ < capacity_;
    if (fits) ++inside_;
    return fits;
}

asio::awaitable<error_code> Turnstile::enter(SteadyTime deadline) {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(cancellation)) co_return asio::error::operation_aborted;
    if (enter_at_once()) co_return error_code();
    if (line_.size() >= waiting_max_) co_return Errc::overloaded;
    Waiter waiter{asio::steady_timer(executor_)};
    auto const place = line_.insert(line_.end(), &waiter);
    waiter.timer.expires_at(deadline);
    auto [error] = co_await waiter.timer.async_wait(as_result);
    // Let in, whatever else happened in the same turn.
    if (waiter.is_in) co_return error_code();
    line_.erase(place);
    if (error) co_return error;
    co_return Errc::deadline_exceeded;
}

void Turnstile::leave() {
    PENSTOCK_ASSERT(inside_ > 0);
    --inside_;
    admit();
}

void Turnstile::admit() {
    while (!line_.empty() && inside_ < capacity_) {
        ++inside_;
        auto& waiter = *line_.front();
        line_.pop_front();
        waiter.is_in = true;
        waiter.timer.cancel();
    }
}

}  // namespace penstock::reactor
