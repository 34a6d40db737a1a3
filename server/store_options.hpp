// How the program's options become those of the database.
#pragma once

#include "db/postgres_store.hpp"
#include "server/options.hpp"
#include "server/schema.hpp"

namespace penstock::server {

inline db::PostgresOptions postgres_options(Options const& options) {
    db::PostgresOptions postgres(database_address(options.database_url));
    postgres.read_connections = options.read_connections;
    return postgres;
}

}  // namespace penstock::server
