// How what nobody can ask for any more leaves PostgreSQL, a few rows at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "db/postgres_store.hpp"

namespace penstock::db {

/// Opens a connection for each call: it is wanted now and then, for a moment.
class PostgresPurge {
public:
    PostgresPurge(asio::any_io_executor executor, PostgresOptions const& options);

    /// See Store::purge. One transaction of at most `limit` rows for answers, and one for a page
    /// of one deleted ledger.
    asio::awaitable<Result<std::size_t>> run(domain::Instant before, std::size_t limit,
                                             SteadyTime deadline);

private:
    static constexpr char const* beginning_of_time = "-infinity";
    static constexpr char const* before_all_kinds = "-1";
    static constexpr char const* before_all_ids = "00000000-0000-0000-0000-000000000000";

    /// How far a ledger's rows are gone: the next page begins there, not among the dead entries
    /// that the pages before it have left in the index.
    struct Progress {
        std::string ledger;
        std::size_t table = 0;  ///< which of those whose rows hang on accounts; one after the other
        // Of the last row that went, in the order in which that table is walked.
        std::string kind = before_all_kinds;
        std::string id = before_all_ids;
        bool rows_are_gone = false;  ///< of all these tables
        std::string address;
    };
    using Removed = asio::awaitable<Result<std::size_t>>;

    /// Statements on the purge's connection, until `deadline`.
    class Work;

    Removed purge(Work& work, domain::Instant before, std::size_t limit);
    Removed purge_ledger(Work& work, domain::Instant before, std::size_t limit);
    Removed purge_answers(Work& work, domain::Instant before, std::size_t limit);
    void note(pg::Failure const& failure) const;
    static Removed purge_rows(Work& work, Progress& progress, std::size_t limit);
    static Removed look_for_rows(Work& work, Progress& progress);
    static Removed purge_accounts(Work& work, Progress& progress, std::size_t limit);
    static Removed purge_the_rest(Work& work, Progress const& progress);

    asio::any_io_executor executor_;
    pg::ConnectionOptions connection_;
    std::function<void(pg::Failure const&)> on_failure_;
    /// How far answers are gone, as PostgreSQL writes an instant: as Progress, for answers.
    std::string answers_from_ = beginning_of_time;
    Progress progress_;
};

}  // namespace penstock::db
