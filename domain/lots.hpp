// WHICH lots of an address pay, and what of each: the book that credits are drained from.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "domain/credit_rows.hpp"

namespace penstock::domain {

/// It counts at `t` while something is left and it has not expired: one that expires exactly at
/// `t` no longer does.
bool is_valid(Lot const& lot, Instant t);

/// The earlier of two expiries; nullopt is never.
std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b);

/// What was taken, with the expiry of the lots that it was taken from.
struct Portion {
    Amount amount = 0;
    std::optional<Instant> expires_at = {};

    bool operator==(Portion const&) const = default;
};

/// What was taken in all.
Amount sum_of(std::vector<Portion> const& portions);

/// Portions as a recipient gets them: none outlives `requested`, and neighbours that then expire
/// at the same instant are one.
std::vector<Portion> cap_portions(std::vector<Portion> const& portions,
                                  std::optional<Instant> requested);

/// What the recipient of a transfer gets: of an issuer what was asked for, else what
/// `drain(amount)` takes from the sender.
template <class DrainSender>
std::vector<Portion> portions_received(bool minted, Portion const& asked, DrainSender&& drain) {
    if (minted) return {asked};
    return cap_portions(drain(asked.amount), asked.expires_at);
}

/// The open lots of one address in the order in which they are drained. Pointers to lots stay
/// valid while it grows.
class LotBook {
public:
    /// A lot, and how far this batch has changed it.
    struct Entry {
        Lot lot;
        bool is_new = false;
        bool is_changed = false;
    };

    void add(Lot lot, bool is_new);
    /// The one added last with this place.
    void remove(LotPlace place);
    /// From now on lots are drained in this order.
    void order_by(Drain drain);
    Entry* find(LotPlace place);

    /// Calls `take(entry, amount)` for each valid lot in drain order until `wanted` is covered or
    /// nothing is left. The callback lowers `remaining` by `amount`.
    void drain(Amount wanted, Instant t, std::function<void(Entry&, Amount)> const& take);

    /// Hands out and forgets what can never be drained again: what is drained, or over at `t`.
    void settle(Instant t, std::function<void(Lot const&)> const& settled);
    /// The same of what stands before the first lot that is valid: a drain need not pass it again.
    void settle_first(Instant t, std::function<void(Lot const&)> const& settled);

    bool has_open_lot_of(LedgerId ledger) const;

    /// In drain order.
    std::vector<Entry const*> entries() const;

private:
    /// Emission: the place alone. Expiration: the soonest first, never last, then the place.
    struct Rank {
        std::int64_t expiry = 0;
        LotPlace place;

        auto operator<=>(Rank const&) const = default;
    };
    Rank rank_of(Lot const& lot) const;

    Drain drain_ = Drain::emission;
    std::map<Rank, Entry> lots_;
    std::map<LotPlace, Rank> ranks_;
};

}  // namespace penstock::domain
