// What can be asked of a store about credits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db/lot_repair.hpp"
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

/// What an address has, in the order of granting, and by which policy it would pay at that moment;
/// emission where it has nothing.
struct ValidLots {
    std::vector<ReferencedLot> lots;
    domain::Drain drain = domain::Drain::emission;

    bool operator==(ValidLots const&) const = default;
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
    /// No index knows how much an address has: a list passes over who has less, and over so many
    /// addresses at most.
    std::size_t scan_max = 1'000;

    bool passes_over_rows() const { return min_balance > 0; }
};

struct CreditBalanceList {
    std::vector<CreditBalance> items;
    /// The list ended at this address, shown or not, because of scan_max: it may go on behind it.
    std::optional<std::string> scanned_to = {};

    bool operator==(CreditBalanceList const&) const = default;
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
    /// No index knows both an address and a kind: such a list passes over what is of another kind,
    /// and over so many rows at most.
    std::size_t scan_max = 1'000;

    bool passes_over_rows() const { return address && kind && !reference; }
};

struct CreditHistoryList {
    std::vector<domain::CreditEntry> items;
    /// The list ended at this row, shown or not, because of scan_max: it may go on behind it.
    std::optional<domain::LotPlace> scanned_to = {};

    bool operator==(CreditHistoryList const&) const = default;
};

/// A ledger of credits whose lots are not written as far as its history goes.
struct LedgerBehind {
    domain::LedgerId ledger;
    std::string name;
    std::string organization;  ///< its name

    bool operator==(LedgerBehind const&) const = default;
};

/// One per Store. Reads see every commit that was confirmed before them.
class CreditStore {
public:
    virtual ~CreditStore() = default;

    template <class T>
    using Listed = asio::awaitable<Result<std::vector<T>>>;

    using Lots = asio::awaitable<Result<ValidLots>>;
    using Balances = asio::awaitable<Result<CreditBalanceList>>;
    using History = asio::awaitable<Result<CreditHistoryList>>;

    /// The lots of an address that are valid at `at`.
    virtual Lots list_valid_lots(domain::AccountName, domain::Instant at, SteadyTime) = 0;
    virtual Balances list_balances(domain::LedgerId, CreditBalancePage, SteadyTime) = 0;
    /// How many addresses list_balances() has in all: every address of the ledger is looked at.
    virtual asio::awaitable<Result<std::int64_t>> count_balances(domain::LedgerId,
                                                                 domain::Instant at,
                                                                 domain::Amount min_balance,
                                                                 SteadyTime) = 0;
    virtual History list_history(domain::LedgerId, CreditHistoryPage, SteadyTime) = 0;
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

    using Repaired = asio::awaitable<Result<LotRepair>>;
    /// Replays the whole history and compares; changes nothing. Needs memory for the lots that may
    /// still be drained, and for what it finds.
    virtual Repaired compare_lots(domain::LedgerId, SteadyTime) = 0;
    /// The same, then writes the lots that are wrong as they should be: all, or those of one
    /// address. Writers of the ledger wait for that, but not for the replay of what was there
    /// when it began. retry_transaction: they did not let it in; nothing was changed.
    virtual Repaired repair_lots(domain::LedgerId, std::optional<std::string> address,
                                 SteadyTime) = 0;
    /// By ascending id. Costs one look at each ledger, however long its history is.
    virtual Listed<LedgerBehind> list_ledgers_behind(std::optional<domain::LedgerId> after,
                                                     std::size_t limit, SteadyTime) = 0;
};

}  // namespace penstock::db
