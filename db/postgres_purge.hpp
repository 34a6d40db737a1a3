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
    /// How far a ledger's rows are gone: the next page begins there, not among the dead entries
    /// that the pages before it have left in the index.
    struct Progress {
        std::string ledger;
        std::string kind = "-1";
        std::string transfer = domain::Uuid().to_string();
        bool transfers_are_gone = false;
        std::string address;
    };
    using Removed = asio::awaitable<Result<std::size_t>>;

    static constexpr char const* beginning_of_time = "-infinity";

    /// Statements on the purge's connection, until `deadline`.
    class Work;

    Removed purge(Work& work, domain::Instant before, std::size_t limit);
    Removed purge_ledger(Work& work, domain::Instant before, std::size_t limit);
    Removed purge_answers(Work& work, domain::Instant before, std::size_t limit);
    void note(pg::Failure const& failure) const;
    static Removed purge_transfers(Work& work, Progress& progress, std::size_t limit);
    static Removed purge_children(Work& work, Progress const& progress, std::size_t limit);
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
