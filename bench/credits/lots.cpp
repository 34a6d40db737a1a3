#include "bench/credits/lots.hpp"

#include <algorithm>

namespace penstock::bench::credits {

void Purse::add(Lot const& lot, Drain drain) {
    bool const soonest_first = drain == Drain::expiration;
    open_.emplace(Rank{soonest_first ? lot.expires_ms : 0, granted_++}, lot);
}

Amount Purse::spend(Amount wanted, std::int64_t t) {
    Amount taken = 0;
    auto next = open_.begin();
    while (next != open_.end() && taken < wanted) {
        auto& lot = next->second;
        if (lot.expires_ms <= t) {
            expire(lot);
            next = open_.erase(next);
            continue;
        }
        Amount const part = std::min(lot.remaining, wanted - taken);
        lot.remaining -= part;
        taken += part;
        if (lot.remaining == 0) next = open_.erase(next);
    }
    return taken;
}

void Purse::settle(std::int64_t t) {
    for (auto next = open_.begin(); next != open_.end();) {
        bool const over = next->second.expires_ms <= t;
        if (over) expire(next->second);
        next = over ? open_.erase(next) : std::next(next);
    }
}

void Purse::expire(Lot const& lot) {
    expired_ += lot.remaining;
    expired_lots_ += 1;
}

std::vector<Lot> Purse::lots() const {
    std::vector<Lot> found;
    found.reserve(open_.size());
    for (auto const& [rank, lot] : open_) found.push_back(lot);
    return found;
}

Amount Purse::balance() const {
    Amount sum = 0;
    for (auto const& [rank, lot] : open_) sum += lot.remaining;
    return sum;
}

}  // namespace penstock::bench::credits
