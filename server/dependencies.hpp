// What one event loop stands on: its clients of PostgreSQL and Redis, made out of the options.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "cache/redis_client.hpp"
#include "db/postgres_store.hpp"
#include "db/shadow_store.hpp"
#include "server/id_source.hpp"
#include "server/options.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {

/// `role` follows the name by which PostgreSQL shows the connections. Null without a database.
std::unique_ptr<db::PostgresStore> make_postgres(asio::any_io_executor executor,
                                                 Options const& options, Log& log,
                                                 std::string const& role,
                                                 std::size_t read_connections);

/// Null without a shadow.
std::unique_ptr<db::ShadowStore> make_shadow(asio::any_io_executor executor, Options const& options,
                                             db::PostgresStore* primary, db::ShadowFleet& fleet,
                                             Log& log);

/// `patience`: of whoever waits longest for Redis. Null without Redis; throws UnusableOptions.
std::unique_ptr<cache::RedisClient> make_redis(asio::any_io_executor executor,
                                               Options const& options, IdSource& ids,
                                               milliseconds patience);

/// A connection of their own: a bulk of thousands is one command, and others wait milliseconds.
/// Null also without a database: what the embedded store forgets with the process, Redis would
/// keep.
std::unique_ptr<cache::RedisClient> make_hot_redis(asio::any_io_executor executor,
                                                   Options const& options, IdSource& ids);

}  // namespace penstock::server
