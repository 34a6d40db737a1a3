// The invariants of a money ledger and of sales, checked on all of their rows.
#pragma once

#include <set>
#include <vector>

#include "db/store.hpp"

namespace penstock::db {

/// All rows of one ledger. Transfers in the order of booking.
struct LedgerRows {
    std::vector<domain::Account const*> accounts;
    std::vector<domain::Transfer const*> transfers;
    std::vector<domain::Purchase const*> purchases;
    std::vector<domain::Hold const*> holds;
    std::vector<domain::Event const*> events;
    std::vector<domain::Stream const*> streams;
    std::vector<domain::Total> totals;
};

/// Products with all of their orders, and every purchase that those may name.
struct SaleRows {
    std::vector<domain::Product const*> products;
    std::vector<domain::Order const*> orders;
    std::vector<domain::Purchase const*> purchases;
    std::set<domain::LedgerId> ledgers;  ///< those not deleted: purchases of others may be gone
};

/// Every check, in a fixed order.
std::vector<Check> verify_ledger(LedgerRows const& rows);
/// Those of streams: a part of verify_ledger().
std::vector<Check> verify_streams(LedgerRows const& rows);
std::vector<Check> verify_sales(SaleRows const& rows);

}  // namespace penstock::db
