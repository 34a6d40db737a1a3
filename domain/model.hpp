// The rows that the rules speak of, as plain values.
#pragma once

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/amount.hpp"
#include "domain/ids.hpp"
#include "domain/instant.hpp"

namespace penstock::domain {

struct Organization {
    OrganizationId id;
    std::string name;
    Instant created_at;

    bool operator==(Organization const&) const = default;
};

/// The organization that the migration makes: its admins run the installation.
inline constexpr OrganizationId default_organization{};

/// Scopes are a set: bits, in the order of what they allow.
enum class Scope : std::uint8_t { read = 1, write = 2, admin = 4 };
using Scopes = std::uint8_t;

struct ApiKey {
    ApiKeyId id;
    OrganizationId organization;
    std::string name;
    Scopes scopes = 0;
    SecretDigest digest{};
    Instant created_at;
    std::optional<Instant> revoked_at = {};

    bool operator==(ApiKey const&) const = default;
};

BOOST_DEFINE_FIXED_ENUM_CLASS(LedgerKind, std::int16_t, money, credits)
BOOST_DEFINE_FIXED_ENUM_CLASS(Posting, std::int16_t, durable, hot)
BOOST_DEFINE_FIXED_ENUM_CLASS(Drain, std::int16_t, emission, expiration)
BOOST_DEFINE_FIXED_ENUM_CLASS(AccountPolicy, std::int16_t, explicit_, implicit)

struct Ledger {
    LedgerId id;
    OrganizationId organization;
    std::string name;
    std::string asset_code;
    std::int16_t asset_scale = 0;
    LedgerKind kind = LedgerKind::money;
    Posting posting = Posting::durable;
    std::int16_t royalty_percent = 70;
    Drain drain = Drain::emission;
    AccountPolicy accounts = AccountPolicy::explicit_;
    std::vector<std::string> issuers;
    Instant created_at;

    bool operator==(Ledger const&) const = default;
};

/// The system's own addresses; clients cannot create them.
inline constexpr char const* world_address = "@world";
inline constexpr char const* platform_address = "@platform";

/// What transfers and holds change about an account.
struct Standing {
    Amount balance = 0;         ///< booked
    Amount held = 0;            ///< reserved by open holds; available = balance − held
    std::int16_t fraction = 0;  ///< centi-cents of royalties not yet paid, 0…99
    std::int64_t version = 0;   ///< counts the transfers booked on the account
    Instant updated_at;

    bool operator==(Standing const&) const = default;
};

struct Account {
    AccountId id;
    LedgerId ledger;
    std::string address;
    Amount overdraft_limit = 0;
    std::string metadata = "{}";  ///< a JSON object, compact. Not loaded for decisions.
    Instant created_at;
    Standing standing;

    bool operator==(Account const&) const = default;
};

/// The number is what the store keeps: append, never renumber.
enum class TransferKind : std::int16_t {
    deposit = 1,
    withdrawal = 2,
    transfer = 3,
    revert = 4,
    royalty_author = 5,
    royalty_platform = 6,
    refund = 7,
    capture = 8,
    stream_funding = 9,      ///< a stream's total, from its sender to its own account
    stream_withdrawal = 10,  ///< what its recipient withdrew
    stream_refund = 11,      ///< what had not vested, back to its sender
    stream_payout = 12,      ///< what had vested when it was cancelled, to its recipient
};
BOOST_DESCRIBE_ENUM(TransferKind, deposit, withdrawal, transfer, revert, royalty_author,
                    royalty_platform, refund, capture, stream_funding, stream_withdrawal,
                    stream_refund, stream_payout)

/// One side of a transfer: the account, and how it stood after it.
struct Leg {
    AccountId account;
    std::string address;
    Amount balance_after = 0;
    std::int64_t version = 0;

    bool operator==(Leg const&) const = default;
};

/// How a command with an idempotency key was recorded.
struct KeyUse {
    IdempotencyKey key;
    Fingerprint fingerprint{};

    bool operator==(KeyUse const&) const = default;
};

/// One movement of money; immutable. Both accounts' standing after it is in the row, so a
/// statement has a running balance and a past balance is one lookup.
struct Transfer {
    TransferId id;  ///< UUIDv7 of created_at: order of ids is order of time
    LedgerId ledger;
    TransferKind kind = TransferKind::transfer;
    Leg from;
    Leg to;
    Amount amount = 0;
    std::optional<std::string> reference = {};
    std::string metadata = "{}";
    std::optional<TransferId> reverts = {};
    /// The purchase, hold or stream that this transfer is a part of.
    std::optional<Uuid> cause = {};
    /// In the row itself where one command makes exactly this row (no table of its own).
    std::optional<KeyUse> key_use = {};

    Instant created_at() const { return instant_of(id.value); }
    /// The side of one of its two accounts.
    Leg const& leg_of(std::string_view address) const {
        return from.address == address ? from : to;
    }
    bool operator==(Transfer const&) const = default;
};

/// An account as a party to something: its id for the store, its address for people.
struct Party {
    AccountId account;
    std::string address;

    bool operator==(Party const&) const = default;
};

/// Buyer pays author and platform: two transfers (a share of 0 has none). Immutable but for its
/// refund, which happens at most once and as a whole.
struct Purchase {
    PurchaseId id;  ///< UUIDv7 of created_at
    LedgerId ledger;
    Party buyer;
    Party author;
    Amount price = 0;
    std::int16_t royalty_percent = 0;  ///< the ledger's at the moment of the purchase
    Amount author_amount = 0;
    Amount platform_amount = 0;
    std::optional<std::string> reference = {};
    std::string metadata = "{}";
    std::optional<KeyUse> key_use = {};
    std::optional<Instant> refunded_at = {};
    Amount author_refund = 0;  ///< what the author paid back; the platform paid the rest

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Purchase const&) const = default;
};

/// The number is what the store keeps: append, never renumber.
BOOST_DEFINE_FIXED_ENUM_CLASS(HoldStatus, std::int16_t, pending, captured, voided, expired)

/// A reservation on `from`: counted in its `held` while pending, then ended exactly once.
struct Hold {
    HoldId id;  ///< UUIDv7 of created_at
    LedgerId ledger;
    Party from;
    Party to;
    Amount amount = 0;
    std::optional<Instant> expires_at = {};  ///< nullopt: never
    HoldStatus status = HoldStatus::pending;
    std::optional<Instant> ended_at = {};
    Amount captured_amount = 0;
    std::optional<TransferId> transfer = {};  ///< of the capture

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Hold const&) const = default;
};

/// Where the payments for a product go. The ledger's name never changes.
struct SalePayment {
    LedgerId ledger;
    std::string ledger_name;
    Party seller;

    bool operator==(SalePayment const&) const = default;
};

/// What is sold from starts_at on, until ends_at, as long as the stock lasts. Of all this only
/// stock, sold and version ever change.
struct Product {
    ProductId id;  ///< UUIDv7 of created_at
    OrganizationId organization;
    std::string name;
    Amount price = 0;
    std::int64_t stock = 0;
    std::int64_t sold = 0;  ///< Σ quantity of its completed orders, never more than stock
    Instant starts_at;
    std::optional<Instant> ends_at = {};  ///< no longer on sale from then on; nullopt: never
    std::int64_t per_user_limit = 1;
    std::optional<SalePayment> payment = {};  ///< nullopt: an order moves no money
    std::string metadata = "{}";
    std::int64_t version = 0;  ///< counts the changes of stock and sold

    std::int64_t remaining() const { return stock - sold; }
    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Product const&) const = default;
};

/// What the clock and the stock make of a product; stored nowhere.
BOOST_DEFINE_FIXED_ENUM_CLASS(SaleStatus, std::int16_t, upcoming, active, sold_out, ended)

/// The number is what the store keeps: append, never renumber.
BOOST_DEFINE_FIXED_ENUM_CLASS(OrderStatus, std::int16_t, completed, cancelled)

/// Immutable but for its cancellation, which happens at most once and as a whole.
struct Order {
    OrderId id;  ///< UUIDv7 of created_at
    ProductId product;
    std::string user;  ///< where there is a payment: the buyer's address
    std::int64_t quantity = 1;
    Amount unit_price = 0;
    Amount total = 0;
    OrderStatus status = OrderStatus::completed;
    std::string metadata = "{}";
    std::optional<PurchaseId> purchase = {};  ///< nullopt: nothing was to be paid
    std::optional<KeyUse> key_use = {};
    std::optional<Instant> cancelled_at = {};

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Order const&) const = default;
};

/// The number is what the store keeps: append, never renumber.
enum class EventType : std::int16_t {
    hold_captured = 1,
    hold_voided = 2,
    hold_expired = 3,
    purchase_refunded = 4,
    order_cancelled = 5,
    product_restocked = 6,
    credits_expired = 7,
    stream_paused = 8,
    stream_resumed = 9,
    stream_stopped = 10,
    stream_settled = 11,
    stream_cancelled = 12,
    stream_deleted = 13,
};
BOOST_DESCRIBE_ENUM(EventType, hold_captured, hold_voided, hold_expired, purchase_refunded,
                    order_cancelled, product_restocked, credits_expired, stream_paused,
                    stream_resumed, stream_stopped, stream_settled, stream_cancelled,
                    stream_deleted)

/// A change that no row of its own records, for the activity feed. What a row already says
/// (a transfer, a purchase, a hold, an account, a product, an order or a stream made, a stream
/// funded or withdrawn from) is read from that row instead.
struct Event {
    EventId id;  ///< UUIDv7 of its instant
    OrganizationId organization;
    std::optional<LedgerId> ledger = {};  ///< nullopt: it lies with its product
    EventType type{};
    Uuid subject;                                ///< the id of the resource that changed
    std::optional<AccountId> account = {};       ///< a party to it
    std::optional<AccountId> counterparty = {};  ///< the other one
    std::optional<Amount> amount = {};
    std::optional<TransferId> transfer = {};
    std::optional<ProductId> product = {};      ///< that was restocked, or its order cancelled
    std::optional<std::int64_t> quantity = {};  ///< units of the product

    Instant at() const { return instant_of(id.value); }
    bool operator==(Event const&) const = default;
};

/// A 2xx that no immutable row of its own can render again. A bulk keeps codes and ids: item i is
/// the next of `transfers` where items[i] < 0, else the Rejection with that number.
struct Answer {
    KeyUse key_use;
    LedgerId ledger;  ///< of `transfers`
    std::int16_t status = 0;
    std::string body = {};
    std::string request_id = {};
    std::vector<std::int16_t> items = {};
    std::vector<TransferId> transfers = {};
    Instant created_at;

    bool operator==(Answer const&) const = default;
};

/// What is summed up per ledger: each kind of transfer by its own number, purchases (gross), and of
/// credits each entry of a kind and each lot that expired.
enum class TotalKind : std::int16_t {
    deposit = 1,
    withdrawal = 2,
    transfer = 3,
    revert = 4,
    royalty_author = 5,
    royalty_platform = 6,
    refund = 7,
    capture = 8,
    stream_funding = 9,
    stream_withdrawal = 10,
    stream_refund = 11,
    stream_payout = 12,
    purchase = 100,
    credits_granted = 101,
    credits_spent = 102,
    credits_transferred = 103,
    credits_expired = 104,
};
BOOST_DESCRIBE_ENUM(TotalKind, deposit, withdrawal, transfer, revert, royalty_author,
                    royalty_platform, refund, capture, stream_funding, stream_withdrawal,
                    stream_refund, stream_payout, purchase, credits_granted, credits_spent,
                    credits_transferred, credits_expired)

constexpr TotalKind total_kind_of(TransferKind kind) { return static_cast<TotalKind>(kind); }

/// Running totals of one ledger and kind. amount may exceed int64.
struct Total {
    LedgerId ledger;
    TotalKind kind = TotalKind::transfer;
    std::int64_t count = 0;
    Sum amount = 0;

    bool operator==(Total const&) const = default;
};

/// `failed` are the dead letters: every attempt is used up.
BOOST_DEFINE_FIXED_ENUM_CLASS(JobStatus, std::int16_t, queued, processing, completed, failed)

inline constexpr std::int32_t job_attempts_max = 8;

/// Work that a commit asked for, to be done after it: by any server, and by another one when that
/// one dies. It may be begun more than once, so whoever does it is idempotent.
struct Job {
    JobId id;  ///< UUIDv7 of created_at
    OrganizationId organization;
    std::optional<LedgerId> ledger = {};
    std::string kind;            ///< names the handler
    std::string payload = "{}";  ///< what the handler needs to know: a JSON object, compact
    JobStatus status = JobStatus::queued;
    std::int32_t attempts = 0;  ///< begun so far
    std::int32_t attempts_max = job_attempts_max;
    /// Queued: not begun before. Processing: when the lease ends and others may begin it.
    Instant due_at;
    std::optional<LeaseId> lease = {};           ///< the last claim's
    std::optional<std::string> result = {};      ///< JSON
    std::optional<std::string> last_error = {};  ///< for operators
    std::optional<Instant> finished_at = {};

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(Job const&) const = default;
};

}  // namespace penstock::domain
