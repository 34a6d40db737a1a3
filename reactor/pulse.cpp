#include "reactor/pulse.hpp"

#include <boost/asio/this_coro.hpp>

#include "reactor/cancellation.hpp"

namespace penstock::reactor {

asio::awaitable<bool> Pulse::wait(SteadyTime deadline) {
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(cancellation)) co_return false;
    if (!notified_) {
        timer_.expires_at(deadline);
        co_await timer_.async_wait(as_result);
        if (is_cancelled(cancellation)) co_return false;
    }
    notified_ = false;
    co_return true;
}

}  // namespace penstock::reactor
