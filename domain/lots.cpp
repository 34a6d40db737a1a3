// How lots are ordered, drained and passed on.
#include "domain/lots.hpp"

#include <algorithm>
#include <limits>

#include "domain/assert.hpp"

namespace penstock::domain {

bool is_valid(Lot const& lot, Instant t) {
    return lot.remaining > 0 && (!lot.expires_at || *lot.expires_at > t);
}

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
    if (!a) return b;
    if (!b) return a;
    return std::min(*a, *b);
}

Amount sum_of(std::vector<Portion> const& portions) {
    // Never more than what was wanted, which is an Amount.
    Amount sum = 0;
    for (auto const& portion : portions) sum += portion.amount;
    return sum;
}

std::vector<Portion> cap_portions(std::vector<Portion> const& portions,
                                  std::optional<Instant> requested) {
    std::vector<Portion> capped;
    for (auto const& portion : portions) {
        auto const expires_at = earlier(portion.expires_at, requested);
        if (!capped.empty() && capped.back().expires_at == expires_at)
            capped.back().amount += portion.amount;
        else
            capped.push_back({portion.amount, expires_at});
    }
    return capped;
}

LotBook::Rank LotBook::rank_of(Lot const& lot) const {
    if (drain_ == Drain::emission) return {0, lot.place};
    constexpr auto never = std::numeric_limits<std::int64_t>::max();
    return {lot.expires_at ? lot.expires_at->ms : never, lot.place};
}

void LotBook::add(Lot lot, bool is_new) {
    auto const rank = rank_of(lot);
    PENSTOCK_ASSERT(ranks_.emplace(lot.place, rank).second);
    lots_.emplace(rank, Entry{std::move(lot), is_new});
}

void LotBook::remove(LotPlace place) {
    auto const found = ranks_.find(place);
    PENSTOCK_ASSERT(found != ranks_.end());
    lots_.erase(found->second);
    ranks_.erase(found);
}

void LotBook::order_by(Drain drain) {
    if (drain == drain_) return;
    drain_ = drain;
    // Nodes move, entries do not: who holds a pointer to one keeps it.
    std::map<Rank, Entry> ordered;
    while (!lots_.empty()) {
        auto node = lots_.extract(lots_.begin());
        node.key() = rank_of(node.mapped().lot);
        ranks_.at(node.key().place) = node.key();
        ordered.insert(std::move(node));
    }
    lots_ = std::move(ordered);
}

LotBook::Entry* LotBook::find(LotPlace place) {
    auto const found = ranks_.find(place);
    return found == ranks_.end() ? nullptr : &lots_.at(found->second);
}

void LotBook::drain(Amount wanted, Instant t, std::function<void(Entry&, Amount)> const& take) {
    for (auto& [rank, entry] : lots_) {
        if (wanted == 0) return;
        if (!is_valid(entry.lot, t)) continue;
        auto const taken = std::min(wanted, entry.lot.remaining);
        auto const before = entry.lot.remaining;
        take(entry, taken);
        PENSTOCK_ASSERT(entry.lot.remaining == before - taken);
        wanted -= taken;
    }
}

void LotBook::settle(Instant t, std::function<void(Lot const&)> const& settled) {
    for (auto next = lots_.begin(); next != lots_.end();) {
        auto const each = next++;
        auto const& lot = each->second.lot;
        if (is_valid(lot, t)) continue;
        settled(lot);
        ranks_.erase(lot.place);
        lots_.erase(each);
    }
}

void LotBook::settle_first(Instant t, std::function<void(Lot const&)> const& settled) {
    while (!lots_.empty() && !is_valid(lots_.begin()->second.lot, t)) {
        auto const& lot = lots_.begin()->second.lot;
        settled(lot);
        ranks_.erase(lot.place);
        lots_.erase(lots_.begin());
    }
}

bool LotBook::has_open_lot_of(LedgerId ledger) const {
    return std::ranges::any_of(lots_, [ledger](auto const& ranked) {
        auto const& lot = ranked.second.lot;
        return lot.ledger == ledger && lot.is_open;
    });
}

std::vector<LotBook::Entry const*> LotBook::entries() const {
    std::vector<Entry const*> list;
    list.reserve(lots_.size());
    for (auto const& [rank, entry] : lots_) list.push_back(&entry);
    return list;
}

}  // namespace penstock::domain
