#include "bench/retry.hpp"

#include <algorithm>

namespace penstock::bench {

milliseconds retry_delay(unsigned attempt, std::optional<unsigned> retry_after_s, Random& random) {
    constexpr unsigned retry_after_max_s = 60;
    unsigned const doublings = std::min(attempt > 0 ? attempt - 1 : 0, 6u);
    std::uint64_t base_ms = std::min<std::uint64_t>(25u << doublings, 2000);
    // A Retry-After of 0 means "at once": our own backoff still holds.
    if (retry_after_s && *retry_after_s > 0) {
        base_ms = std::uint64_t{1000} * std::min(*retry_after_s, retry_after_max_s);
    }
    return milliseconds(base_ms + random.below(base_ms + 1));
}

}  // namespace penstock::bench
