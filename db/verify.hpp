// The invariants of a money ledger, checked on all of its rows.
#pragma once

#include <vector>

#include "db/store.hpp"

namespace penstock::db {

/// Five checks, in a fixed order. `transfers` in the order of booking.
std::vector<Check> verify_ledger(std::vector<domain::Account const*> const& accounts,
                                 std::vector<domain::Transfer const*> const& transfers,
                                 std::vector<domain::Total> const& totals);

}  // namespace penstock::db
