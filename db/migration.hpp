// Brings the schema to the version that this program needs, or says why it cannot.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/pg/address.hpp"
#include "db/pg/error.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

/// One file of db/migrations: `m0001_init` and its text. Generated: db/migrations.hpp.
struct Migration {
    std::string_view name;
    std::string_view text;
};

struct MigrationReport {
    int version_before = 0;  ///< 0: an empty database
    int version_after = 0;
    std::vector<std::string> applied;
    std::string identity;  ///< of this database: a dropped and created one has another
};

/// Numbers in order from 1, without a gap.
using Migrations = std::span<Migration const* const>;

/// Applies what is missing, each migration in a transaction of its own, under a session advisory
/// lock: servers that start together wait for the first one. Fails with schema_mismatch when the
/// database has a migration that this program does not know, or one whose text has changed;
/// refused_by_database when a migration's SQL fails (nothing of it stays); unavailable when the
/// server cannot be reached before the deadline.
asio::awaitable<pg::Answer<MigrationReport>> migrate(pg::Address address, Migrations migrations,
                                                     SteadyTime deadline);

/// Changes nothing; fails like migrate(), and with schema_mismatch when migrations are missing.
asio::awaitable<pg::Answer<MigrationReport>> check_schema(pg::Address address,
                                                          Migrations migrations,
                                                          SteadyTime deadline);

/// SHA-256 in hexadecimal, as schema_migrations.checksum holds it.
std::string checksum_of(Migration const& migration);

}  // namespace penstock::db
