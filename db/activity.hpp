// What has happened, newest first: read from the rows that record it, in one order of ids.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/model.hpp"

namespace penstock::db {

/// What happened, by the number that the statements use: rows that were made have one each,
/// operations on credits 50 + their kind, transfers 100 + their kind, events 200 + their type. What
/// funds a stream is its start, and what is withdrawn from it a withdrawal: the stream is their
/// subject, not the transfer.
using ActivityType = std::int16_t;

struct ActivityName {
    ActivityType type;
    std::string_view name;
};

/// Every type of the feed.
std::span<ActivityName const> activity_names();
std::string_view activity_name(ActivityType type);

inline constexpr ActivityType account_created = 1;
inline constexpr ActivityType hold_created = 2;
inline constexpr ActivityType purchase_completed = 3;
inline constexpr ActivityType product_created = 4;
inline constexpr ActivityType order_completed = 5;
inline constexpr ActivityType stream_created = 6;
constexpr ActivityType activity_of(domain::CreditKind kind) {
    return static_cast<ActivityType>(50 + static_cast<std::int16_t>(kind));
}
constexpr ActivityType activity_of(domain::TransferKind kind) {
    return static_cast<ActivityType>(100 + static_cast<std::int16_t>(kind));
}
constexpr ActivityType activity_of(domain::EventType type) {
    return static_cast<ActivityType>(200 + static_cast<std::int16_t>(type));
}

struct Activity {
    domain::EventId id;  ///< of the row that records it; its instant is when it happened
    ActivityType type = 0;
    std::optional<std::string> ledger;        ///< the ledger's name
    std::string subject;                      ///< the resource's id; an account's address
    std::optional<std::string> account;       ///< payer, buyer, sender, or the account itself
    std::optional<std::string> counterparty;  ///< payee, author, seller or recipient
    std::optional<domain::Amount> amount;
    std::optional<domain::TransferId> transfer;
    std::optional<domain::ProductId> product;  ///< itself, or the order's
    std::optional<std::string> user;           ///< the order's, paid for or not
    std::optional<std::int64_t> quantity;      ///< ordered, or added to the stock
    /// The operation's on credits. Of one that serves several addresses neither these nor an
    /// amount are said, only the sender: its history has them.
    std::optional<std::string> reference;

    domain::Instant at() const { return domain::instant_of(id.value); }
    bool operator==(Activity const&) const = default;
};

/// Newest first, by id. All filters together.
struct ActivityPage {
    std::optional<domain::LedgerId> ledger;
    std::optional<std::string> account;  ///< any party to it
    std::optional<std::string> subject;
    std::optional<ActivityType> type;
    std::optional<domain::EventId> before;
    std::size_t limit = 50;
};

}  // namespace penstock::db
