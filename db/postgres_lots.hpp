// Do the lots in PostgreSQL follow from their history, and how do they when they do not?
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>

#include "db/credit_store.hpp"
#include "db/postgres_store.hpp"

namespace penstock::db {

/// Opens a connection for each call: it is wanted seldom, and for long.
class PostgresLots {
public:
    PostgresLots(asio::any_io_executor executor, PostgresOptions const& options);

    /// See CreditStore. One snapshot.
    CreditStore::Repaired compare(domain::LedgerId ledger, SteadyTime deadline) const;
    /// The history is read in a snapshot, past the writers. Then, with the ledger's row locked,
    /// what they have added meanwhile is read, and what is wrong is written, in one transaction.
    CreditStore::Repaired repair(domain::LedgerId ledger, std::optional<domain::AccountId> only,
                                 SteadyTime deadline) const;

private:
    class Work;
    CreditStore::Repaired run(Work& work, bool mends) const;

    asio::any_io_executor executor_;
    pg::ConnectionOptions connection_;
};

}  // namespace penstock::db
