// When: whole milliseconds since 1970-01-01T00:00:00Z. Nobody here reads a clock.
#pragma once

#include <compare>
#include <cstdint>

namespace penstock::domain {

struct Instant {
    std::int64_t ms = 0;

    auto operator<=>(Instant const&) const = default;
};

}  // namespace penstock::domain
