// Money: 64-bit minor units, every operation checked. No floating point anywhere.
#pragma once

#include <cstdint>
#include <optional>

namespace penstock::domain {

/// Minor units (cents). A balance may use all of int64; one movement stays within amount_max.
using Amount = std::int64_t;

/// 2⁵³ − 1: what every JSON client reads exactly.
inline constexpr Amount amount_max = 9'007'199'254'740'991;

/// Wide enough for any sum of amounts that a ledger can hold.
__extension__ using Sum = __int128;

inline std::optional<Amount> add(Amount a, Amount b) {
    Amount sum;
    if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
    return sum;
}

inline std::optional<Amount> subtract(Amount a, Amount b) {
    Amount difference;
    if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
    return difference;
}

}  // namespace penstock::domain
