#include "reactor/until_cancelled.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "reactor/deadline.hpp"

namespace penstock::reactor {

asio::awaitable<void> until_cancelled(TaskGroup& lives) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        bool const undisturbed = co_await sleep_until(never);
        if (!undisturbed) break;
    }
    lives.cancel();
    // Joining is not to be cancelled: the tasks end at once, and use what this thread of
    // coroutines owns.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await lives.join();
}

}  // namespace penstock::reactor
