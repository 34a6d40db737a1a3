// The seam between the rules and where rows live. MemoryStore and PostgresStore implement it, and
// one conformance suite runs on both.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/activity.hpp"
#include "db/check.hpp"
#include "db/job_queue.hpp"
#include "domain/working_set.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {
struct SessionMetrics;
}

namespace penstock::db {

class CreditStore;
class StreamStore;
class ExportStore;
class HotStore;

/// One writer: load, then commit or abandon; never two batches at once. Owned by a lane.
class Writer {
public:
    virtual ~Writer() = default;

    /// The writer's one background life (its connection); ends on cancellation.
    virtual asio::awaitable<void> run() = 0;

    /// Opens a transaction, locks the roots that `keys` names (each table in a fixed order, rows
    /// ascending) and reads them. Errors are db::Errc or reactor::Errc; nothing is left open.
    virtual asio::awaitable<Result<domain::Loaded>> load(domain::KeySet keys,
                                                         SteadyTime deadline) = 0;

    /// Writes everything and commits. No error: it is durable. Errc::commit_unknown only when the
    /// truth could not be had before the deadline; every other error: nothing was applied.
    virtual asio::awaitable<error_code> commit(domain::Changes changes, SteadyTime deadline) = 0;

    /// Ends the loaded transaction without an effect.
    virtual asio::awaitable<void> abandon() = 0;

    /// What its connection counts; null where there is none.
    virtual pg::SessionMetrics const* connection_metrics() const { return nullptr; }
};

struct AccountPage {
    std::string prefix;                ///< empty: system accounts (@…) are left out
    std::optional<std::string> after;  ///< address of the last item seen
    std::size_t limit = 50;
};

/// Where in the history of an account something was booked: its instant comes first, because that
/// is what the history is kept by, and within an account time never goes back.
struct Booking {
    domain::Instant at;
    std::int64_t version = 0;

    auto operator<=>(Booking const&) const = default;
};

/// Where a transfer stands in the history of one of its two accounts.
inline Booking booking_of(domain::Transfer const& transfer, std::string_view address) {
    return {transfer.created_at(), transfer.leg_of(address).version};
}

struct EntryPage {
    std::optional<Booking> before;
    std::size_t limit = 50;
};

/// Newest first. With `account` and without `reference`, the order is that account's history; else
/// it is the ids.
struct TransferPage {
    std::optional<std::string> account;
    std::optional<domain::TransferKind> kind;
    std::optional<std::string> reference;
    std::optional<domain::Instant> from;          ///< from ≤ created_at
    std::optional<domain::Instant> to;            ///< created_at < to
    std::optional<domain::TransferId> before_id;  ///< in the order of ids
    std::optional<Booking> before;                ///< in the order of an account's history
    std::size_t limit = 50;
    /// No index knows both an account and a kind, or what else a reference stands for: such a list
    /// passes over what it does not show, and over so many rows at most.
    std::size_t scan_max = 1'000;

    bool is_by_booking() const { return account && !reference; }
    bool passes_over_rows() const {
        return (account && (kind || reference)) || (reference && kind);
    }
};

struct TransferList {
    std::vector<domain::Transfer> items;
    /// The list ended at this row, shown or not, because of scan_max: it may go on behind it.
    std::optional<domain::Transfer> scanned_to;

    bool operator==(TransferList const&) const = default;
};

/// Newest first, by id.
struct PurchasePage {
    std::optional<std::string> buyer;
    std::optional<std::string> author;
    std::optional<domain::PurchaseId> before;
    std::size_t limit = 50;
};

/// Newest first, by id. `account`: either side.
struct HoldPage {
    std::optional<std::string> account;
    std::optional<domain::HoldStatus> status;
    std::optional<domain::HoldId> before;
    std::size_t limit = 50;
};

/// Newest first, by id.
struct OrderPage {
    std::optional<std::string> user;
    std::optional<domain::OrderId> before;
    std::size_t limit = 50;
};

/// What a gate needs to know of an order.
struct Sold {
    domain::OrderId id;
    std::optional<domain::IdempotencyKey> key = {};  ///< nullopt: it was used again since
    std::string user;
    std::int64_t quantity = 0;
    domain::OrderStatus status = domain::OrderStatus::completed;

    bool operator==(Sold const&) const = default;
};

/// An account as it was at a past moment; all 0 before it existed.
struct PastStanding {
    domain::Amount balance = 0;
    std::int64_t version = 0;
};

/// What a server whose clock is slow used a key for may look younger than it is: a ledger's rows
/// stay this much longer than any key that was used on it.
inline constexpr std::chrono::hours purge_slack{1};

/// The instant before which a ledger must have been deleted for its rows to go.
inline domain::Instant ledgers_before(domain::Instant before) {
    return {before.ms - milliseconds(purge_slack).count()};
}

/// Reads and writers on one event loop. Reads see every commit that was confirmed before them.
class Store {
public:
    virtual ~Store() = default;

    /// Background life (read connections); ends on cancellation.
    virtual asio::awaitable<void> run() = 0;
    virtual std::unique_ptr<Writer> make_writer() = 0;
    /// Can it answer now?
    virtual asio::awaitable<error_code> ping(SteadyTime deadline) = 0;

    template <class T>
    using Found = asio::awaitable<Result<std::optional<T>>>;
    template <class T>
    using Listed = asio::awaitable<Result<std::vector<T>>>;

    /// Those of the keys that exist, revoked ones included, in any order.
    virtual Listed<domain::ApiKey> find_api_keys(std::vector<domain::SecretDigest> digests,
                                                 SteadyTime) = 0;
    virtual Found<domain::Organization> find_organization(domain::OrganizationId, SteadyTime) = 0;
    virtual Listed<domain::Organization> list_organizations(
        std::optional<domain::OrganizationId> after, std::size_t limit, SteadyTime) = 0;
    virtual Listed<domain::ApiKey> list_api_keys(domain::OrganizationId,
                                                 std::optional<domain::ApiKeyId> after,
                                                 std::size_t limit, SteadyTime) = 0;

    virtual Found<domain::Ledger> find_ledger(domain::LedgerName, SteadyTime) = 0;
    virtual Listed<domain::Ledger> list_ledgers(domain::OrganizationId,
                                                std::optional<std::string> after, std::size_t limit,
                                                SteadyTime) = 0;
    virtual Found<domain::Account> find_account(domain::AccountName, SteadyTime) = 0;
    virtual Found<PastStanding> find_account_at(domain::AccountName, domain::Instant,
                                                SteadyTime) = 0;
    virtual Listed<domain::Account> list_accounts(domain::LedgerId, AccountPage, SteadyTime) = 0;
    /// The transfers booked on an account, newest first; nothing for an unknown account.
    virtual Listed<domain::Transfer> list_entries(domain::AccountName, EntryPage, SteadyTime) = 0;
    virtual Found<domain::Transfer> find_transfer(domain::LedgerId, domain::TransferId,
                                                  SteadyTime) = 0;
    virtual asio::awaitable<Result<TransferList>> list_transfers(domain::LedgerId, TransferPage,
                                                                 SteadyTime) = 0;
    virtual Listed<domain::Total> list_totals(domain::LedgerId, SteadyTime) = 0;

    virtual Found<domain::Purchase> find_purchase(domain::LedgerId, domain::PurchaseId,
                                                  SteadyTime) = 0;
    virtual Listed<domain::Purchase> list_purchases(domain::LedgerId, PurchasePage, SteadyTime) = 0;
    virtual Found<domain::Hold> find_hold(domain::LedgerId, domain::HoldId, SteadyTime) = 0;
    virtual Listed<domain::Hold> list_holds(domain::LedgerId, HoldPage, SteadyTime) = 0;
    /// Pending holds of every ledger with expires_at ≤ now, the longest overdue first.
    virtual Listed<domain::Hold> list_due_holds(domain::Instant now, std::size_t limit,
                                                SteadyTime) = 0;

    virtual Found<domain::Product> find_product(domain::OrganizationId, domain::ProductId,
                                                SteadyTime) = 0;
    /// Of whatever organization, in any order; those that are not there are left out.
    virtual Listed<domain::Product> find_products(std::vector<domain::ProductId>, SteadyTime) = 0;
    /// Newest first.
    virtual Listed<domain::Product> list_products(domain::OrganizationId,
                                                  std::optional<domain::ProductId> before,
                                                  std::size_t limit, SteadyTime) = 0;
    /// Products that had not ended before `ended_after`, of one organization or of all; oldest
    /// first.
    virtual Listed<domain::Product> list_open_sales(domain::Instant ended_after,
                                                    std::optional<domain::ProductId> after,
                                                    std::size_t limit,
                                                    std::optional<domain::OrganizationId>,
                                                    SteadyTime) = 0;
    virtual Found<domain::Order> find_order(domain::ProductId, domain::OrderId, SteadyTime) = 0;
    virtual Listed<domain::Order> list_orders(domain::ProductId, OrderPage, SteadyTime) = 0;
    /// Every order of a product, oldest first.
    virtual Listed<Sold> list_sold(domain::ProductId, std::optional<domain::OrderId> after,
                                   std::size_t limit, SteadyTime) = 0;
    /// Those of the product that carry one of the keys, in any order.
    virtual Listed<Sold> find_orders_by_keys(domain::ProductId, std::vector<domain::IdempotencyKey>,
                                             SteadyTime) = 0;

    /// What happened in an organization: its ledgers and its sales.
    virtual Listed<Activity> list_activity(domain::OrganizationId, ActivityPage, SteadyTime) = 0;

    /// Removes what nobody can ask for any more: answers from before `before` (their keys are
    /// free), then the rows of ledgers that were deleted purge_slack earlier still. At most `limit`
    /// rows, and how many it was (a ledger counts as one, with its few totals); 0: nothing is left.
    /// Writers never wait for it, and several servers may do it at once; within a store one call
    /// at a time.
    virtual asio::awaitable<Result<std::size_t>> purge(domain::Instant before, std::size_t limit,
                                                       SteadyTime) = 0;

    /// Every invariant of a money ledger, and of the products that are paid into it, by full scan.
    virtual Listed<Check> verify(domain::LedgerId, SteadyTime) = 0;
    /// Every invariant of every organization's products, by full scan.
    virtual Listed<Check> verify_sales(SteadyTime) = 0;

    /// Lots, and the history that they follow from.
    virtual CreditStore& credits() = 0;
    /// Payment streams.
    virtual StreamStore& streams() = 0;
    /// How far hot ledgers have been brought home.
    virtual HotStore& hot() = 0;
    /// Files that jobs write.
    virtual ExportStore& exports() = 0;
    /// What commits asked for.
    virtual JobQueue& jobs() = 0;
};

}  // namespace penstock::db
