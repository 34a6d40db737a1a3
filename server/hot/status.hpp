// HOW far is a hot ledger: what can be told of it at one moment.
#pragma once

#include <cstdint>
#include <optional>

#include "cache/hot_journal.hpp"
#include "domain/instant.hpp"

namespace penstock::server {

/// What `GET …/sync` tells of a ledger.
struct HotStatus {
    std::int64_t journal_lag = 0;        ///< items that were acknowledged and the store lacks
    std::int64_t journal_oldest_ms = 0;  ///< how long the oldest of them has waited
    std::int64_t schedule_depth = 0;     ///< accounts that differ from the store's, claimed or not
    std::int64_t schedule_oldest_ms = 0;
    std::int64_t claimed = 0;
    std::optional<domain::Instant> last_flush_at = {};  ///< by whichever server
    std::int64_t dead_letters = 0;
};

HotStatus status_of(cache::HotStanding const& standing, domain::Instant now);

/// Nothing is on its way from Redis to the store, and nothing in the store is behind.
inline bool is_at_rest(cache::HotStanding const& standing) {
    return standing.position == standing.drained && standing.due == 0 && standing.claimed == 0 &&
           standing.unmended == 0;
}

}  // namespace penstock::server
