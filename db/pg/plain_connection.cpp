#include "db/pg/plain_connection.hpp"

#include <libpq-fe.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>
#include <utility>

#include "db/pg/result_failure.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db::pg {

PlainConnection::PlainConnection(asio::any_io_executor executor, ConnectionHandle dialled)
    : connection_(std::move(dialled)), socket_(std::move(executor)) {
    PENSTOCK_ASSERT(connection_ != nullptr);
    PENSTOCK_ASSERT(PQsetnonblocking(connection_.get(), 1) == 0);
    socket_.track(PQsocket(connection_.get()));
}

asio::awaitable<Answer<Rows>> PlainConnection::script(std::string text, SteadyTime deadline) {
    if (PQsendQuery(connection_.get(), text.c_str()) != 1) co_return lost();
    co_return co_await answer(deadline);
}

asio::awaitable<Answer<Rows>> PlainConnection::query(std::string text,
                                                     std::vector<std::string> params,
                                                     SteadyTime deadline) {
    std::vector<char const*> values;
    for (auto const& param : params) values.push_back(param.c_str());
    int const sent =
        PQsendQueryParams(connection_.get(), text.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, 0);
    if (sent != 1) co_return lost();
    co_return co_await answer(deadline);
}

asio::awaitable<Answer<std::size_t>> PlainConnection::notified() {
    for (;;) {
        // What came with the answer to a statement is here already.
        auto const taken = take_notifications();
        if (taken > 0) co_return taken;
        auto const error = co_await socket_.readable();
        if (error) co_return failure_of(error);
        if (PQconsumeInput(connection_.get()) == 1) continue;
        socket_.track(PQsocket(connection_.get()));
        co_return lost();
    }
}

std::size_t PlainConnection::take_notifications() {
    std::size_t taken = 0;
    while (auto* const notification = PQnotifies(connection_.get())) {
        PQfreemem(notification);
        ++taken;
    }
    return taken;
}

bool PlainConnection::in_transaction() const {
    return PQtransactionStatus(connection_.get()) == PQTRANS_INTRANS;
}

asio::awaitable<Answer<Rows>> PlainConnection::answer(SteadyTime deadline) {
    auto const ended = co_await reactor::with_deadline(collect(), deadline);
    if (!ended) {
        auto const& error = ended.error();
        if (error != Errc::connection_lost) co_return failure_of(error);
    }
    auto failure = std::exchange(failure_, std::nullopt);
    if (failure) co_return std::move(*failure);
    if (!ended) co_return lost();
    co_return std::exchange(rows_, Rows());
}

/// Reads results to the end: rows_ is the last good one, failure_ the first bad one.
asio::awaitable<Result<Done>> PlainConnection::collect() {
    for (;;) {
        auto const idle = co_await until_not_busy();
        if (!idle) co_return idle.error();
        PGresult* const result = PQgetResult(connection_.get());
        if (result == nullptr) co_return Done();
        Rows rows(result);
        auto const status = PQresultStatus(result);
        bool const good =
            status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
        if (good) {
            rows_ = std::move(rows);
            continue;
        }
        if (!failure_) failure_ = failure_of(result);
        // A COPY would be answered with itself for ever.
        bool const dead = PQstatus(connection_.get()) == CONNECTION_BAD;
        if (dead || status != PGRES_FATAL_ERROR) co_return Errc::connection_lost;
    }
}

asio::awaitable<Result<Done>> PlainConnection::until_not_busy() {
    using namespace asio::experimental::awaitable_operators;
    for (;;) {
        int const left = PQflush(connection_.get());
        if (left < 0) co_return Errc::connection_lost;
        if (left == 0 && PQisBusy(connection_.get()) == 0) co_return Done();
        error_code error;
        if (left == 0) {
            error = co_await socket_.readable();
        } else {
            // The server may be unable to read because we do not.
            auto const first = co_await (socket_.readable() || socket_.writable());
            if (first.index() == 0) error = std::get<0>(first);
            if (first.index() == 1) error = std::get<1>(first);
            if (!error && first.index() == 1) continue;
        }
        if (error) co_return error;
        if (PQconsumeInput(connection_.get()) == 1) continue;
        socket_.track(PQsocket(connection_.get()));
        // The server's last words may be among what has been read.
        if (PQisBusy(connection_.get()) == 0) co_return Done();
        co_return Errc::connection_lost;
    }
}

Failure PlainConnection::lost() const {
    return failure_of(Errc::connection_lost, last_words(connection_.get()));
}

}  // namespace penstock::db::pg
