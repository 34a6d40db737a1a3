// How a history is played again, with the same functions that decided it.
#include "domain/credits_replay.hpp"

namespace penstock::domain {
namespace {

/// So many lots may have been made before those that are over are looked for: looking costs a walk.
constexpr std::size_t settle_every = 100'000;

}  // namespace

CreditReplay::CreditReplay(LedgerId ledger, Settled settled)
    : ledger_{ledger}, settled_{std::move(settled)} {}

bool CreditReplay::drain(CreditOperation const& operation, Party const& party, Amount wanted,
                         std::vector<Portion>& portions) {
    auto& book = books_[party.account];
    book.order_by(operation.drain);
    book.settle_first(operation.created_at(), settled_);
    book.drain(wanted, operation.created_at(), [&](LotBook::Entry& entry, Amount taken) {
        entry.lot.remaining -= taken;
        entry.lot.is_open = entry.lot.remaining > 0;
        portions.push_back({taken, entry.lot.expires_at});
    });
    return sum_of(portions) == wanted;
}

void CreditReplay::make_lot(CreditOperation const& operation, Party const& party,
                            Portion const& portion) {
    Lot lot;
    lot.ledger = ledger_;
    lot.party = party;
    lot.place = {operation.id, lots_made_++};
    lot.amount = portion.amount;
    lot.remaining = portion.amount;
    lot.expires_at = portion.expires_at;
    books_[party.account].add(std::move(lot), true);
    made_since_settling_ += 1;
}

bool CreditReplay::add(CreditOperation const& operation, std::span<CreditEntry const> entries) {
    lots_made_ = 0;
    for (auto const& entry : entries)
        if (!play(operation, entry)) return false;
    settle_now_and_then(operation.created_at());
    return true;
}

bool CreditReplay::play(CreditOperation const& operation, CreditEntry const& entry) {
    std::vector<Portion> portions;
    bool fits = true;
    switch (operation.kind) {
        case CreditKind::expense:
            return entry.amount <= 0 && drain(operation, entry.party, -entry.amount, portions);
        case CreditKind::grant:
            portions = {{entry.amount, entry.expires_at}};
            break;
        case CreditKind::transfer:
            if (!operation.sender) return false;
            // The sender's own row: what the others received has drained it.
            if (entry.party == *operation.sender) return entry.amount <= 0;
            portions = portions_received(
                operation.minted, {entry.amount, entry.expires_at}, [&](Amount amount) {
                    std::vector<Portion> taken;
                    fits = drain(operation, *operation.sender, amount, taken);
                    return taken;
                });
    }
    if (entry.amount <= 0 || !fits) return false;
    for (auto const& portion : portions) make_lot(operation, entry.party, portion);
    return true;
}

void CreditReplay::settle_now_and_then(Instant t) {
    if (made_since_settling_ < settle_every) return;
    made_since_settling_ = 0;
    for (auto& [account, book] : books_) book.settle(t, settled_);
}

void CreditReplay::finish() {
    for (auto& [account, book] : books_) {
        for (auto const* entry : book.entries()) settled_(entry->lot);
        book = LotBook();
    }
    books_.clear();
}

}  // namespace penstock::domain
