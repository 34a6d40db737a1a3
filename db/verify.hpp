// The invariants of a money ledger, checked on all of its rows.
#pragma once

#include <vector>

#include "db/store.hpp"

namespace penstock::db {

/// All rows of one ledger. Transfers in the order of booking.
struct LedgerRows {
    std::vector<domain::Account const*> accounts;
    std::vector<domain::Transfer const*> transfers;
    std::vector<domain::Purchase const*> purchases;
    std::vector<domain::Hold const*> holds;
    std::vector<domain::Total> totals;
};

/// Every check, in a fixed order.
std::vector<Check> verify_ledger(LedgerRows const& rows);

}  // namespace penstock::db
