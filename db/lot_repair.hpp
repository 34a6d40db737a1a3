// What came of holding the lots of a ledger against its history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "db/check.hpp"
#include "domain/credit_rows.hpp"

namespace penstock::db {

struct LotRepair {
    std::int64_t entries = 0;    ///< of the history: all of them were read
    std::int64_t lots = 0;       ///< that follow from it
    std::int64_t missing = 0;    ///< of those
    std::int64_t differing = 0;  ///< of those: in amount, what is left, expiry or owner
    std::int64_t surplus = 0;    ///< stored, but they follow from nothing
    /// Closed without a record of their expiry, or open in spite of one. Only a repair counts them.
    std::int64_t misclosed = 0;
    std::optional<domain::LotPlace> first;  ///< of those that are wrong
    /// From here on the history contradicts itself: nothing follows from it, nothing was changed.
    std::optional<domain::CreditOperationId> contradiction;

    bool operator==(LotRepair const&) const = default;
};

/// How many lots were not as they should be.
std::int64_t wrong_lots(LotRepair const& repair);
bool is_clean(LotRepair const& repair);

/// In a few words: what was wrong, or how much was found right.
std::string describe(LotRepair const& repair);

/// The invariant that it stands for: a replay of the history gives exactly the stored lots.
Check replay_check(LotRepair const& repair);

}  // namespace penstock::db
