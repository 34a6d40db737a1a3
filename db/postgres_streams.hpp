// Payment streams in PostgreSQL: what a batch loads and writes of them, and what can be asked.
#pragma once

#include "db/pg/pool.hpp"
#include "db/pg/segment.hpp"
#include "db/stream_store.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

/// Asks through the store's connections for reads.
class PostgresStreams final : public StreamStore {
public:
    explicit PostgresStreams(pg::Pool& pool) : pool_{pool} {}

    asio::awaitable<Result<std::optional<domain::Stream>>> find_stream(domain::LedgerId,
                                                                       domain::StreamId,
                                                                       SteadyTime) override;
    asio::awaitable<Result<StreamList>> list_streams(domain::LedgerId, StreamPage,
                                                     SteadyTime) override;

private:
    pg::Pool& pool_;
};

namespace streams {

/// A row of lock_streams.
void add_locked(pg::Row row, domain::Loaded& to);
void write(pg::Segment& segment, domain::Changes const& changes);

}  // namespace streams

}  // namespace penstock::db
