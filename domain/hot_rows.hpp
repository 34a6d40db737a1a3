// What the store keeps of a hot ledger beside its rows, and what is brought home to it.
#pragma once

#include <cstdint>
#include <string>

#include "domain/amount.hpp"
#include "domain/ids.hpp"
#include "domain/instant.hpp"

namespace penstock::domain {

/// Whoever reads the journal of a hot ledger, or its balances, does so in one epoch, and the store
/// takes nothing of any other. The journal is in the store up to `drained`, without a gap.
struct HotLedger {
    LedgerId ledger;
    std::int64_t epoch = 0;  ///< 0: never opened
    std::int64_t drained = 0;

    bool operator==(HotLedger const&) const = default;
};

/// An account as it stood when the journal was at `position`. What it holds back is not here: that
/// follows from the journal itself.
struct HotBalance {
    std::string address;
    Amount balance = 0;
    std::int64_t version = 0;
    Instant updated_at;
    std::int64_t position = 0;

    bool operator==(HotBalance const&) const = default;
};

}  // namespace penstock::domain
