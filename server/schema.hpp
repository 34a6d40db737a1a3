// The database before the program serves: its schema, and what to call it in a log.
#pragma once

#include <string>

#include "db/migration.hpp"

namespace penstock::server {

/// Brings the schema up to date, on an event loop of its own. Throws std::runtime_error with a
/// sentence, UnusableOptions for a URL that is none.
db::MigrationReport migrate_database(std::string const& url);
db::MigrationReport migrate_database(db::pg::Address const& address,
                                     milliseconds limit = std::chrono::minutes{10});

/// The same, without changing anything.
db::MigrationReport check_database(std::string const& url);
db::MigrationReport check_database(db::pg::Address const& address);

/// "host:port/database".
std::string describe_database(std::string const& url);

/// Throws UnusableOptions, which names the option.
db::pg::Address database_address(std::string const& url, char const* option = "--database-url");

}  // namespace penstock::server
