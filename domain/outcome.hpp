// What a command came to: a receipt, or a refusal that changed nothing.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/export_rows.hpp"
#include "domain/hot_rows.hpp"
#include "domain/model.hpp"
#include "domain/rejection.hpp"
#include "domain/stream_rows.hpp"

namespace penstock::domain {

/// 204: nothing to show.
struct Done {
    /// Of what only the server itself asks for: how many it came to.
    std::size_t items = 0;

    bool operator==(Done const&) const = default;
};

using BulkItem = std::variant<Transfer, Refusal>;

/// `request_id` is the first request's, so that a replay renders the same bytes.
struct BulkReceipt {
    std::vector<BulkItem> items;
    std::string request_id;

    bool operator==(BulkReceipt const&) const = default;
};

/// A recorded body, to be sent again byte for byte.
struct Recorded {
    std::int16_t status = 0;
    std::string body;

    bool operator==(Recorded const&) const = default;
};

/// A captured hold, and the transfer that it became.
struct Captured {
    Hold hold;
    Transfer transfer;

    bool operator==(Captured const&) const = default;
};

/// A product, and the instant that its status is told of.
struct Offered {
    Product product;
    Instant at;

    bool operator==(Offered const&) const = default;
};

/// 202: work that will be done.
struct Accepted {
    JobId job;

    bool operator==(Accepted const&) const = default;
};

/// What was made or changed, as it was when the command was decided.
struct Receipt {
    std::variant<Done, Organization, ApiKey, Ledger, Account, Transfer, BulkReceipt, Recorded,
                 Purchase, Hold, Captured, Accepted, Job, Offered, Order, Credited, Streamed,
                 Export, HotLedger>
        what;
    bool replayed = false;

    bool operator==(Receipt const&) const = default;
};

using Outcome = std::variant<Receipt, Refusal>;

}  // namespace penstock::domain
