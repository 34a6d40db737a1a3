// What a hot ledger has acknowledged and the store does not have yet: the entries of its journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/outcome.hpp"

namespace penstock::domain {

/// A transfer, an item of a bulk that was refused (its code alone), a hold as it was placed, voided
/// or expired, or a capture.
using JournalItem = std::variant<Transfer, Refusal, Hold, Captured>;

/// What one request did, as one entry. Positions count items, so that an entry covers the
/// positions after `after` up to `position`, and of two neighbours one begins where the other ends.
struct JournalEntry {
    LedgerId ledger;
    std::int64_t after = 0;
    std::int64_t position = 0;
    Instant at;
    std::uint32_t ordinal = 0;  ///< of the first item; each item has two
    std::uint64_t nonce = 0;
    std::optional<KeyUse> key_use = {};
    std::string request_id = {};
    bool is_bulk = false;
    std::vector<JournalItem> items = {};

    /// The id of what item `index` made, and of the event that tells of it.
    Uuid row_id(std::size_t index) const {
        return make_uuid7(at, ordinal + 2 * static_cast<std::uint32_t>(index), nonce);
    }
    EventId event_id(std::size_t index) const {
        return {make_uuid7(at, ordinal + 2 * static_cast<std::uint32_t>(index) + 1, nonce)};
    }
    bool operator==(JournalEntry const&) const = default;
};

/// What the request was answered with.
Receipt receipt_of(JournalEntry entry);

}  // namespace penstock::domain
