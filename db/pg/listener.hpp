// Hears what other sessions announce: LISTEN on a connection of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <random>
#include <string>

#include "db/pg/connection.hpp"
#include "db/pg/options.hpp"
#include "reactor/backoff.hpp"

namespace penstock::db::pg {

/// A pipelined connection hears a notification only between its own answers, so an idle one of
/// its own listens instead. Announcements are lost while it is down: `heard` is called each time
/// it is up again, too.
class Listener {
public:
    /// `channel` is an identifier that needs no quotes.
    Listener(asio::any_io_executor executor, ConnectionOptions options,
             reactor::BackoffLimits backoff, std::string channel, std::function<void()> heard);
    Listener(Listener&&) = delete;

    /// Its one background life; ends on cancellation.
    asio::awaitable<void> run();

private:
    asio::awaitable<void> live(ConnectionHandle dialled);

    asio::any_io_executor executor_;
    ConnectionOptions options_;
    reactor::Backoff backoff_;
    std::string channel_;
    std::function<void()> heard_;
    std::mt19937 random_;
};

}  // namespace penstock::db::pg
