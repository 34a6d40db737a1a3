// An ordinary connection for scripts: many statements in one text, one at a time, no pipeline.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <string>
#include <vector>

#include "db/pg/connection.hpp"
#include "db/pg/error.hpp"
#include "db/pg/row.hpp"
#include "reactor/borrowed_fd.hpp"

namespace penstock::db::pg {

/// Non-blocking all the same. For migrations, maintenance and tests; the answer's columns are in
/// text format, so Row::text is the one reader that fits. Any failure at a deadline leaves it
/// unusable: destroy it.
class PlainConnection {
public:
    PlainConnection(asio::any_io_executor executor, ConnectionHandle dialled);
    PlainConnection(PlainConnection&&) = delete;

    /// Runs a script of any number of statements; answers the last one's rows.
    asio::awaitable<Answer<Rows>> script(std::string text, SteadyTime deadline);

    /// Runs one statement with text parameters, $1, $2, …
    asio::awaitable<Answer<Rows>> query(std::string text, std::vector<std::string> params,
                                        SteadyTime deadline);

    /// Waits until the server has notified a channel that this connection listens on; answers how
    /// often. Between statements only. Ends by cancellation, or with connection_lost.
    asio::awaitable<Answer<std::size_t>> notified();

    /// True inside an explicit transaction that has not failed.
    bool in_transaction() const;

private:
    asio::awaitable<Answer<Rows>> answer(SteadyTime deadline);
    asio::awaitable<Result<Done>> collect();
    asio::awaitable<Result<Done>> until_not_busy();
    std::size_t take_notifications();
    Failure lost() const;

    ConnectionHandle connection_;  // before socket_: the descriptor is forgotten first
    reactor::BorrowedFd socket_;
    Rows rows_;
    std::optional<Failure> failure_;
};

}  // namespace penstock::db::pg
