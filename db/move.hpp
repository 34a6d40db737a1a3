// HOW a whole database is copied into another one while it is written to, and how the two are
// compared: a walk over every table, a range of keys at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "db/migration.hpp"
#include "db/mirror.hpp"
#include "db/pg/error.hpp"
#include "db/pg/session.hpp"

namespace penstock::db {

struct MoveOptions {
    MoveOptions(pg::Address its_source, pg::Address its_target)
        : source(std::move(its_source)), target(std::move(its_target)) {}

    pg::ConnectionOptions source;
    pg::ConnectionOptions target;
    Migrations migrations;
    std::size_t rows_per_s = 0;  ///< 0: as fast as it goes
    bool restart = false;        ///< backfill: from the beginning, not where it was left
    milliseconds step_max{60'000};
    int attempts_max = 10;  ///< at one range
    milliseconds pause{200};
    /// Parity: for how long a row may differ because the shadow is behind.
    milliseconds settle{10'000};
    /// Parity: how long a row that will not hold still may be locked in the primary.
    milliseconds hold{2'000};
    std::size_t differences_max = 20;  ///< that are named; the comparison ends there
    /// After each table, for whoever watches.
    std::function<void(std::string const& line)> tell = nullptr;
};

/// The copy of a row differs, or is not there, or should not be.
struct Difference {
    std::string where;  ///< table, or list, or what else was compared
    std::string which;  ///< its key
    std::string what;
};

struct BackfillReport {
    std::uint64_t rows = 0;    ///< looked at
    std::uint64_t copied = 0;  ///< because they differed, with their neighbours
};

struct TableReport {
    std::string table;
    std::uint64_t rows = 0;
    std::vector<Difference> differences = {};
};

/// May this database become, or stay, the copy of that one? It may when it is empty, when it is
/// that one's copy already, or when the two have changed places. Says so in the target, so that no
/// other database is ever copied over it. Fails with schema_mismatch and a sentence.
asio::awaitable<pg::Answer<pg::Done>> claim_shadow(pg::Address source, pg::Address target,
                                                   Migrations migrations, SteadyTime deadline);

/// Makes the target's rows those of the source, where they are not; goes on where an earlier one
/// was interrupted. Writers may go on, if they write to both. The target must be claimed.
asio::awaitable<pg::Answer<BackfillReport>> backfill(MoveOptions options);

/// Every row of every table, by digests. Rows that writers change meanwhile are waited for.
asio::awaitable<pg::Answer<std::vector<TableReport>>> compare_tables(MoveOptions options);

/// Idempotency keys of the source, some of each table that has any.
asio::awaitable<pg::Answer<std::vector<std::string>>> sample_keys(pg::Address source,
                                                                  std::size_t of_each,
                                                                  SteadyTime deadline);

}  // namespace penstock::db
