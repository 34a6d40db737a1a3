// Batches into PostgreSQL: load is one round trip, commit is another.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "db/pg/session.hpp"
#include "db/pg/transaction_status.hpp"
#include "db/postgres_store.hpp"
#include "db/store.hpp"
#include "reactor/counters.hpp"

namespace penstock::db {

/// One connection; a transaction is open on it between load() and commit() or abandon().
class PostgresWriter final : public Writer {
public:
    /// `lock_waits` outlives it.
    PostgresWriter(asio::any_io_executor executor, PostgresOptions const& options,
                   reactor::Histogram& lock_waits);

    /// Adds what is the caller's own to every transaction that changes something.
    using BeforeCommit = std::function<void(pg::Segment& segment)>;
    void before_commit(BeforeCommit add) { before_commit_ = std::move(add); }

    asio::awaitable<void> run() override;
    asio::awaitable<Result<domain::Loaded>> load(domain::KeySet keys, SteadyTime deadline) override;
    asio::awaitable<error_code> commit(domain::Changes changes, SteadyTime deadline) override;
    asio::awaitable<void> abandon() override;

    pg::SessionMetrics const* connection_metrics() const override { return &session_.metrics(); }

private:
    asio::awaitable<error_code> load_repeated(domain::Loaded& loaded, SteadyTime deadline);
    asio::awaitable<error_code> resolve(domain::Changes const& changes, SteadyTime deadline);
    asio::awaitable<error_code> look_for(domain::Changes const& changes, SteadyTime deadline);
    error_code noted(pg::Failure const& failure) const;

    PostgresOptions options_;
    pg::Session session_;
    std::optional<pg::Lease> open_;  ///< the connection that has the transaction
    pg::TransactionId transaction_;  ///< the open one
    reactor::Histogram& lock_waits_;
    BeforeCommit before_commit_;  ///< null: nothing
};

}  // namespace penstock::db
