// How long to pause before trying again. Pure: randomness is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

#include "reactor/result.hpp"

namespace penstock::reactor {

struct BackoffLimits {
    milliseconds first{50};          ///< upper bound of the first pause
    milliseconds most{5'000};        ///< upper bound of every pause
    milliseconds good_after{1'000};  ///< a success that lasted this long forgets the failures
};

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

}  // namespace penstock::reactor
