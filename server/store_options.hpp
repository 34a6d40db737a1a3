// How the program's options become those of the database.
#pragma once

#include <utility>

#include "db/postgres_store.hpp"
#include "server/options.hpp"
#include "server/schema.hpp"

namespace penstock::server {

inline db::PostgresOptions postgres_options(Options const& options, db::pg::Address address) {
    db::PostgresOptions postgres(std::move(address));
    postgres.read_connections = options.read_connections;
    return postgres;
}

inline db::PostgresOptions postgres_options(Options const& options) {
    return postgres_options(options, database_address(options.database_url));
}

}  // namespace penstock::server
