#include "server/hot/status.hpp"

#include <algorithm>

namespace penstock::server {
namespace {

/// Servers' clocks differ: what looks younger than now is as old as that.
std::int64_t age_of(std::optional<domain::Instant> const& since, domain::Instant now) {
    return since ? std::max<std::int64_t>(now.ms - since->ms, 0) : 0;
}

}  // namespace

HotStatus status_of(cache::HotStanding const& standing, domain::Instant now) {
    HotStatus status;
    status.journal_lag = std::max<std::int64_t>(standing.position - standing.drained, 0);
    if (status.journal_lag > 0) status.journal_oldest_ms = age_of(standing.oldest_entry, now);
    status.schedule_depth = standing.due + standing.claimed;
    status.schedule_oldest_ms = age_of(standing.oldest_due, now);
    status.claimed = standing.claimed;
    status.last_flush_at = standing.last_flush_at;
    status.dead_letters = standing.dead_letters;
    return status;
}

}  // namespace penstock::server
