#include "server/dependencies.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "db/migrations.hpp"
#include "server/store_options.hpp"

namespace penstock::server {
namespace {

/// A database that was restarted is found within this: its crash recovery takes seconds already.
constexpr milliseconds reconnect_within{1'000};

db::ShadowOptions shadow_options(Options const& options, Log& log) {
    db::ShadowOptions shadow(database_address(options.database_url),
                             database_address(options.shadow_store, "--shadow-store"));
    shadow.migrations = db::migrations::all;
    shadow.queue_rows = options.shadow_queue_rows;
    shadow.backoff.most = reconnect_within;
    shadow.on_failure = [&log, limit = LogLimit{}](error_code error,
                                                   std::string const& why) mutable {
        log.limited(limit, LogLevel::warning, "shadow_failed",
                    {{"error", error.message()}, {"message", why}});
    };
    shadow.on_gap = [&log, limit = LogLimit{}](std::uint64_t batches) mutable {
        log.limited(limit, LogLevel::error, "shadow_left_behind", {{"batches", batches}});
    };
    shadow.on_connection = [&log, limit = LogLimit{}](db::pg::SessionEvent const& event) mutable {
        if (event.up)
            log.info("shadow_connected");
        else
            log.limited(limit, LogLevel::warning, "shadow_connection_lost",
                        {{"reason", event.reason ? event.reason->message : std::string()},
                         {"retry_in_ms", event.retry_in.count()}});
    };
    return shadow;
}

}  // namespace

std::unique_ptr<db::PostgresStore> make_postgres(asio::any_io_executor executor,
                                                 Options const& options, Log& log,
                                                 std::string const& role,
                                                 std::size_t read_connections) {
    if (options.database_url.empty()) return nullptr;
    auto postgres = postgres_options(options);
    postgres.read_connections = read_connections;
    postgres.connection.application_name += role;
    postgres.backoff.most = reconnect_within;
    postgres.on_connection = [&log, limit = LogLimit{}](db::pg::SessionEvent const& event) mutable {
        if (event.up) {
            log.info("database_connected");
        } else {
            log.limited(limit, LogLevel::warning, "database_connection_lost",
                        {{"reason", event.reason ? event.reason->message : std::string()},
                         {"retry_in_ms", event.retry_in.count()}});
        }
    };
    postgres.on_failure = [&log, limit = LogLimit{}](db::pg::Failure const& failure) mutable {
        log.limited(limit, LogLevel::warning, "database_said_no",
                    {{"error", failure.code.message()},
                     {"sqlstate", failure.sqlstate},
                     {"constraint", failure.constraint},
                     {"statement", failure.statement},
                     {"message", failure.message}});
    };
    return std::make_unique<db::PostgresStore>(executor, std::move(postgres));
}

std::unique_ptr<db::ShadowStore> make_shadow(asio::any_io_executor executor, Options const& options,
                                             db::PostgresStore* primary, db::ShadowFleet& fleet,
                                             Log& log) {
    if (primary == nullptr || options.shadow_store.empty()) return nullptr;
    auto target =
        postgres_options(options, database_address(options.shadow_store, "--shadow-store"));
    target.backoff.most = reconnect_within;
    // Whose connections are named as a server's, that is the database it has as its primary.
    target.connection.application_name = "penstock-mirror";
    auto shadow = std::make_unique<db::PostgresStore>(executor, std::move(target));
    return std::make_unique<db::ShadowStore>(executor, *primary, std::move(shadow),
                                             shadow_options(options, log), options.read_from,
                                             fleet);
}

std::unique_ptr<cache::RedisClient> make_redis(asio::any_io_executor executor,
                                               Options const& options, IdSource& ids,
                                               milliseconds patience) {
    if (options.redis_url.empty()) return nullptr;
    auto address = cache::parse_redis_url(options.redis_url);
    if (!address)
        throw UnusableOptions("--redis-url must be redis://host:port/database or unix:///path");
    cache::RedisClientOptions client;
    client.address = *address;
    // Whoever may wait longest for Redis must not be told sooner that it is gone.
    client.patience = std::max(client.patience, patience);
    client.connection.response_max = std::max(client.connection.response_max, 2 * patience);
    auto random = [&ids] { return static_cast<std::uint32_t>(ids.nonce()); };
    return std::make_unique<cache::RedisClient>(executor, client, random);
}

std::unique_ptr<cache::RedisClient> make_hot_redis(asio::any_io_executor executor,
                                                   Options const& options, IdSource& ids) {
    if (options.database_url.empty()) return nullptr;
    return make_redis(executor, options, ids, options.hot_wait);
}

}  // namespace penstock::server
