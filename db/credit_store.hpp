// What can be asked of a store about credits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/working_set.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

/// A lot with the reference that granted it.
struct ReferencedLot {
    domain::Lot lot;
    std::string reference;

    bool operator==(ReferencedLot const&) const = default;
};

struct CreditBalance {
    std::string address;
    domain::Amount balance = 0;

    bool operator==(CreditBalance const&) const = default;
};

/// In the byte order of addresses; with `min_balance` ≥ 1 those that have less are left out.
struct CreditBalancePage {
    domain::Instant at;
    domain::Amount min_balance = 0;
    std::optional<std::string> after;
    std::size_t limit = 50;
};

/// Newest first; `before` is where an entry stands, as it does for a lot.
struct CreditHistoryPage {
    std::optional<std::string> address;
    std::optional<domain::CreditKind> kind;
    std::optional<std::string> reference;
    std::optional<domain::Instant> from;  ///< from ≤ created_at
    std::optional<domain::Instant> to;    ///< created_at < to
    std::optional<domain::LotPlace> before;
    std::size_t limit = 50;
};

/// One per Store. Reads see every commit that was confirmed before them.
class CreditStore {
public:
    virtual ~CreditStore() = default;

    template <class T>
    using Listed = asio::awaitable<Result<std::vector<T>>>;

    /// The lots of an address that are valid at `at`, in the order of granting.
    virtual Listed<ReferencedLot> list_valid_lots(domain::AccountName, domain::Instant at,
                                                  SteadyTime) = 0;
    virtual Listed<CreditBalance> list_balances(domain::LedgerId, CreditBalancePage,
                                                SteadyTime) = 0;
    /// How many addresses list_balances() has in all.
    virtual asio::awaitable<Result<std::int64_t>> count_balances(domain::LedgerId,
                                                                 domain::Instant at,
                                                                 domain::Amount min_balance,
                                                                 SteadyTime) = 0;
    virtual Listed<domain::CreditEntry> list_history(domain::LedgerId, CreditHistoryPage,
                                                     SteadyTime) = 0;
    /// Open lots of every ledger with expires_at ≤ now, the longest overdue first.
    virtual Listed<domain::Lot> list_due_lots(domain::Instant now, std::size_t limit,
                                              SteadyTime) = 0;

    /// For replay: operations in the order of decision …
    virtual Listed<domain::CreditOperation> list_operations(
        domain::LedgerId, std::optional<domain::CreditOperationId> after, std::size_t limit,
        SteadyTime) = 0;
    /// … their entries by operation and index …
    virtual Listed<domain::CreditEntry> list_entries(domain::LedgerId,
                                                     std::vector<domain::CreditOperationId>,
                                                     SteadyTime) = 0;
    /// … and the lots that they made.
    virtual Listed<domain::Lot> list_lots(std::vector<domain::CreditOperationId>, SteadyTime) = 0;
};

}  // namespace penstock::db
