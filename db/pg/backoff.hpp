// How long to pause before trying again. Pure: randomness is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

#include "db/pg/options.hpp"

namespace penstock::db::pg {

/// Exponential with full jitter: a pause is uniform between 0 and a bound that doubles with each
/// failure, so that many clients of a restarted server do not come back in step.
class Backoff {
public:
    explicit Backoff(BackoffLimits limits) : limits_(limits), bound_(limits.first) {}

    /// The next pause; `random` is any number, all of its bits are used.
    milliseconds next(std::uint32_t random) {
        auto const span = static_cast<std::uint64_t>(bound_.count()) + 1;
        auto const pause = milliseconds{static_cast<std::int64_t>((random * span) >> 32)};
        bound_ = std::min(bound_ * 2, limits_.most);
        return pause;
    }

    /// After a success that lasted `lived`.
    void succeeded(milliseconds lived) {
        if (lived >= limits_.good_after) bound_ = limits_.first;
    }

private:
    BackoffLimits limits_;
    milliseconds bound_;
};

}  // namespace penstock::db::pg
