// The database before the program serves: its schema, and what to call it in a log.
#pragma once

#include <string>

#include "db/migration.hpp"

namespace penstock::server {

/// Brings the schema up to date, on an event loop of its own. Throws std::runtime_error with a
/// sentence, UnusableOptions for a URL that is none.
db::MigrationReport migrate_database(std::string const& url);

/// The same, without changing anything.
db::MigrationReport check_database(std::string const& url);

/// "host:port/database".
std::string describe_database(std::string const& url);

/// Throws UnusableOptions.
db::pg::Address database_address(std::string const& url);

}  // namespace penstock::server
