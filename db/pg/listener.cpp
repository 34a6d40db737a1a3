#include "db/pg/listener.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "db/pg/plain_connection.hpp"
#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db::pg {

Listener::Listener(asio::any_io_executor executor, ConnectionOptions options,
                   reactor::BackoffLimits backoff, std::string channel, std::function<void()> heard)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      backoff_(backoff),
      channel_(std::move(channel)),
      heard_(std::move(heard)),
      random_(std::random_device{}()) {
    options_.application_name += "-listen";
}

asio::awaitable<void> Listener::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    for (;;) {
        auto dialled = co_await dial(options_, steady_now() + options_.connect_max);
        if (reactor::is_cancelled(cancellation)) co_return;
        if (dialled) co_await live(std::move(*dialled));
        if (reactor::is_cancelled(cancellation)) co_return;
        auto const rest = backoff_.next(static_cast<std::uint32_t>(random_()));
        bool const rested = co_await reactor::sleep_until(steady_now() + rest);
        if (!rested) co_return;
    }
}

/// Until the connection is lost or this is cancelled.
asio::awaitable<void> Listener::live(ConnectionHandle dialled) {
    auto const since = steady_now();
    PlainConnection connection(executor_, std::move(dialled));
    auto const listening =
        co_await connection.script("LISTEN " + channel_, since + options_.connect_max);
    bool up = listening.has_value();
    while (up) {
        heard_();
        // A peer that vanished without a word is noticed by TCP keepalive.
        auto const notified = co_await connection.notified();
        up = notified.has_value();
    }
    backoff_.succeeded(std::chrono::duration_cast<milliseconds>(steady_now() - since));
}

}  // namespace penstock::db::pg
