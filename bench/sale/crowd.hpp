// Who comes to a sale, when, and how often: the crowd around one second. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/options.hpp"
#include "bench/random.hpp"

namespace penstock::bench::sale {

/// One order that somebody wants, under one idempotency key.
struct Wish {
    std::uint32_t user = 0;
    std::uint32_t quantity = 1;

    bool operator==(Wish const&) const = default;
};

/// A request that is due at a moment before or after the start. A wish may be sent several times.
struct Arrival {
    std::chrono::microseconds at{0};
    std::uint32_t wish = 0;

    bool operator==(Arrival const&) const = default;
};

struct Crowd {
    std::vector<Wish> wishes;
    std::vector<Arrival> arrivals;                 ///< in the order of time
    std::vector<std::vector<std::uint32_t>> bots;  ///< wishes of each, sent one after the other
    std::uint32_t users = 0;                       ///< those numbered below; the bots included
};

/// Most come in the time after the start, `spread` long, fewer and fewer: the density falls in a
/// straight line to nothing. A share comes up to a second too early and once more after the start;
/// a share wants another order later on; a share of the orders is sent twice under one key, as a
/// double click does. Bots are users of their own.
Crowd gather(SaleOptions const& options, Random& random);

/// How far before the start the early ones and the bots begin.
inline constexpr std::chrono::milliseconds early_max{1000};
inline constexpr std::chrono::milliseconds bots_before{50};

}  // namespace penstock::bench::sale
