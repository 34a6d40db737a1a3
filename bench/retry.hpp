// When is a request sent again: as late as the server asks, never all at once. Pure.
#pragma once

#include <optional>

#include "bench/random.hpp"
#include "reactor/result.hpp"

namespace penstock::bench {

/// Retry-After (bounded by a minute), else 25 ms doubling up to 2 s; plus up to the same again at
/// random. `attempt` counts from 1.
milliseconds retry_delay(unsigned attempt, std::optional<unsigned> retry_after_s, Random& random);

}  // namespace penstock::bench
