// Which lots are left of an address, and what of each: the bench's own reading of the rules, so
// that it is not the server's code that proves the server right. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "bench/options.hpp"
#include "domain/amount.hpp"

namespace penstock::bench::credits {

using domain::Amount;

inline constexpr std::int64_t never_ms = std::numeric_limits<std::int64_t>::max();

struct Lot {
    std::uint32_t operation = 0;  ///< the number of the grant
    std::uint32_t index = 0;
    Amount amount = 0;
    Amount remaining = 0;
    std::int64_t granted_ms = 0;
    std::int64_t expires_ms = never_ms;

    bool operator==(Lot const&) const = default;
};

/// The lots of one address. Grants come in the order of decision, and no instant is before the
/// one before it.
class Purse {
public:
    void add(Lot const& lot, Drain drain);

    /// What could be taken at `t`: less than `wanted` when no more is valid.
    Amount spend(Amount wanted, std::int64_t t);

    /// What is over at `t` counts no more.
    void settle(std::int64_t t);

    /// In the order in which they pay.
    std::vector<Lot> lots() const;
    Amount balance() const;
    Amount expired() const { return expired_; }
    std::uint64_t expired_lots() const { return expired_lots_; }

private:
    /// The expiry where the soonest pays first, then the order of granting.
    using Rank = std::pair<std::int64_t, std::uint64_t>;

    void expire(Lot const& lot);

    std::map<Rank, Lot> open_;
    std::uint64_t granted_ = 0;
    Amount expired_ = 0;
    std::uint64_t expired_lots_ = 0;
};

}  // namespace penstock::bench::credits
