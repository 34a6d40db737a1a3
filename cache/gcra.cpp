#include "cache/gcra.hpp"

#include <algorithm>
#include <ostream>

#include "domain/assert.hpp"

namespace penstock::cache {

std::ostream& operator<<(std::ostream& out, Admission const& admission) {
    return out << (admission.allowed ? "allowed" : "refused") << " with a backlog of "
               << admission.backlog.count() << " us";
}

// scripts/rate_limit.lua says the same in Lua.
Admission judge(RateLimit const& limit, microseconds backlog) {
    PENSTOCK_ASSERT(limit.interval > microseconds{0} && limit.burst > 0);
    PENSTOCK_ASSERT(limit.window() <= window_max);
    backlog = std::clamp(backlog, microseconds{0}, limit.window());
    auto const after = backlog + limit.interval;
    if (after > limit.window()) return {false, backlog};
    return {true, after};
}

std::uint32_t remaining(RateLimit const& limit, microseconds backlog) {
    auto const room = limit.window() - std::clamp(backlog, microseconds{0}, limit.window());
    return static_cast<std::uint32_t>(room / limit.interval);
}

microseconds next_in(RateLimit const& limit, microseconds backlog) {
    backlog = std::clamp(backlog, microseconds{0}, limit.window());
    auto const wanted = limit.interval * (std::int64_t{remaining(limit, backlog)} + 1);
    return backlog - (limit.window() - wanted);
}

}  // namespace penstock::cache
