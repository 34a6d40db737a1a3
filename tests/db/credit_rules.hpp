// What every store must do with credits: one suite, run on each.
#pragma once

#include "db/credit_store.hpp"
#include "tests/db/conformance.hpp"
#include "tests/db/driver.hpp"

namespace penstock::tests {

std::span<ConformanceRule const> credit_rules();

/// A ledger of credits, "points", in an organization of its own; `mint` is an issuer.
asio::awaitable<domain::Ledger> open_credits(Driver& driver);
inline constexpr unsigned some_seed = 20'261'121;
/// What may happen on it in as many steps, with the expiry of lots now and then recorded.
asio::awaitable<void> make_history(db::Store& store, Driver& driver, domain::Ledger ledger,
                                   int steps, unsigned seed = some_seed);
/// Every lot that the ledger's operations made.
asio::awaitable<std::vector<domain::Lot>> all_lots(db::CreditStore& credits,
                                                   domain::LedgerId ledger);

}  // namespace penstock::tests
