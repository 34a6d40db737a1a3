// HOW MANY requests are too many: the generic cell rate algorithm. Pure: integers in, integers out.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>

namespace penstock::cache {

using std::chrono::microseconds;

/// `burst` requests at once, and one more every `interval`.
struct RateLimit {
    microseconds interval{1};
    std::uint32_t burst = 1;

    /// How long the whole burst takes to come back.
    microseconds window() const { return interval * burst; }

    bool operator==(RateLimit const&) const = default;
};

/// Longer ones would leave the 2^53 microseconds that Lua counts exactly.
inline constexpr microseconds window_max = std::chrono::hours{24 * 31};

/// One request, judged.
struct Admission {
    bool allowed = false;
    /// How far the subject's schedule is ahead of the clock afterwards: 0 is a whole quota.
    microseconds backlog{0};

    bool operator==(Admission const&) const = default;
};

std::ostream& operator<<(std::ostream& out, Admission const& admission);

/// Judges one request of a subject whose schedule is `backlog` ahead of the clock; behind it means
/// that the subject was idle. What is further ahead than the limit's window was written under
/// another limit or by another clock, and is cut to the window: no mistake locks anybody out for
/// longer than that.
Admission judge(RateLimit const& limit, microseconds backlog);

/// How many more requests would be allowed at once.
std::uint32_t remaining(RateLimit const& limit, microseconds backlog);

/// How long until it is one more than that. After a refusal: when to try again.
microseconds next_in(RateLimit const& limit, microseconds backlog);

}  // namespace penstock::cache
