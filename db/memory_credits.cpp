#include "db/memory_credits.hpp"

#include <algorithm>
#include <boost/range/adaptor/reversed.hpp>
#include <set>
#include <tuple>

#include "db/memory_rows.hpp"
#include "domain/assert.hpp"
#include "domain/credits_replay.hpp"

namespace penstock::db {

using namespace domain;
using namespace memory;

namespace {

/// What a page looks at, whether it shows it or not.
bool is_walked(CreditEntry const& entry, CreditHistoryPage const& page) {
    LotPlace const place{entry.operation, entry.index};
    return !(page.before && place >= *page.before) &&
           !(page.address && entry.party.address != *page.address) &&
           !(page.reference && entry.reference != *page.reference) &&
           !(page.from && entry.created_at() < *page.from) &&
           !(page.to && entry.created_at() >= *page.to);
}

/// What the history and the lots of an address add up to.
struct Sums {
    Sum history = 0;
    Sum left = 0;
    std::int64_t entries = 0;
};

/// The rows of one operation in a map by place.
template <class Row>
std::vector<Row const*> rows_of(std::map<LotPlace, Row> const& rows, CreditOperationId operation) {
    std::vector<Row const*> list;
    auto at = rows.lower_bound({operation, 0});
    for (; at != rows.end() && at->first.operation == operation; ++at) list.push_back(&at->second);
    return list;
}

}  // namespace

std::vector<CreditEntry const*> MemoryCredits::entries_of(CreditOperationId operation) const {
    return rows_of(entries_, operation);
}

void MemoryCredits::load(KeySet const& keys, Loaded& loaded) const {
    for (auto const& id : keys.credit_ledgers)
        if (auto const* last = find_in(ledgers_, id)) loaded.credit_ledgers.push_back({id, *last});
    for (auto const& name : keys.credit_references)
        if (references_.contains(name)) loaded.credit_references.insert(name);
    for (auto const& name : keys.lots_of) {
        auto const* account = find_in(accounts_, name);
        auto const* places = account ? find_in(open_lots_, account->id) : nullptr;
        if (!places) continue;
        for (auto const& place : *places) loaded.lots.push_back(lots_.at(place));
    }
}

CreditOperation const* MemoryCredits::find_key(IdempotencyKey key) const {
    auto const* id = find_in(keys_, key);
    return id ? &operations_.at(*id) : nullptr;
}

KeyRecord MemoryCredits::record_of(CreditOperation const& operation) const {
    Credited credited{operation, {}};
    if (operation.kind == CreditKind::expense) {
        for (auto const* entry : entries_of(operation.id))
            credited.lines.push_back(
                {entry->party.address, entry->index, -entry->amount, entry->shortfall});
    } else {
        for (auto const* lot : rows_of(lots_, operation.id))
            credited.lines.push_back(
                {lot->party.address, lot->place.index, lot->amount, 0, lot->expires_at});
    }
    return {operation.key_use->fingerprint, operation.created_at(), std::move(credited)};
}

void MemoryCredits::free_key(IdempotencyKey key) {
    if (auto const* id = find_in(keys_, key)) operations_.at(*id).key_use.reset();
    keys_.erase(key);
}

void MemoryCredits::commit(Changes const& changes) {
    for (auto const& [ledger, last] : changes.credit_ledgers) ledgers_[ledger] = last;
    for (auto const& operation : changes.credit_operations) {
        PENSTOCK_ASSERT(operations_.emplace(operation.id, operation).second);
        PENSTOCK_ASSERT(
            references_.emplace(std::pair{operation.ledger, operation.reference}, operation.id)
                .second);
        if (operation.key_use)
            PENSTOCK_ASSERT(keys_.emplace(operation.key_use->key, operation.id).second);
    }
    for (auto const& entry : changes.credit_entries)
        PENSTOCK_ASSERT(entries_.emplace(LotPlace{entry.operation, entry.index}, entry).second);
    for (auto const& lot : changes.new_lots) put(lot);
    for (auto const& changed : changes.changed_lots) {
        auto lot = lots_.at(changed.place);
        PENSTOCK_ASSERT(lot.is_open && changed.remaining <= lot.remaining);
        lot.remaining = changed.remaining;
        lot.is_open = changed.is_open;
        forget(lot.place);
        put(lot);
    }
}

void MemoryCredits::put(Lot const& lot) {
    PENSTOCK_ASSERT(lots_.emplace(lot.place, lot).second);
    if (!lot.is_open) return;
    open_lots_[lot.party.account].insert(lot.place);
    if (lot.expires_at) due_.emplace(*lot.expires_at, lot.place);
}

void MemoryCredits::forget(LotPlace place) {
    auto const found = lots_.find(place);
    if (found == lots_.end()) return;
    auto const& lot = found->second;
    if (lot.is_open) {
        auto const of_account = open_lots_.find(lot.party.account);
        of_account->second.erase(place);
        if (of_account->second.empty()) open_lots_.erase(of_account);
        if (lot.expires_at) due_.erase({*lot.expires_at, place});
    }
    lots_.erase(found);
}

bool MemoryCredits::has_open_lots(LedgerId ledger) const {
    return std::ranges::any_of(lots_, [ledger](auto const& placed) {
        return placed.second.ledger == ledger && placed.second.is_open;
    });
}

bool MemoryCredits::forget_oldest(LedgerId ledger) {
    auto const is_its = [ledger](auto const& named) { return named.second.ledger == ledger; };
    auto const oldest = std::ranges::find_if(operations_, is_its);
    if (oldest == operations_.end()) return ledgers_.erase(ledger) > 0;
    auto const id = oldest->first;
    for (auto const* lot : rows_of(lots_, id)) forget(lot->place);
    for (auto const* entry : entries_of(id)) entries_.erase(LotPlace{id, entry->index});
    if (auto const& use = oldest->second.key_use) keys_.erase(use->key);
    references_.erase({ledger, oldest->second.reference});
    operations_.erase(oldest);
    return true;
}

std::vector<Check> MemoryCredits::verify(LedgerId ledger,
                                         std::vector<Account const*> const& accounts,
                                         std::vector<Total> const& totals) const {
    std::string differs, open;
    std::map<TotalKind, Total> counted;
    auto const count = [&](TotalKind kind, Amount amount) {
        counted[kind].count += 1;
        counted[kind].amount += amount < 0 ? -amount : amount;
    };
    std::map<AccountId, Sums> sums;
    for (auto const* account : accounts) sums.emplace(account->id, Sums{});
    for (auto const& [place, entry] : entries_) {
        auto* const sum = find_in(sums, entry.party.account);
        if (!sum) continue;
        sum->history += entry.amount;
        sum->entries += 1;
        if (entry.kind == CreditKind::grant) count(TotalKind::credits_granted, entry.amount);
        if (entry.kind == CreditKind::expense) count(TotalKind::credits_spent, entry.amount);
        if (entry.kind == CreditKind::transfer && entry.amount > 0)
            count(TotalKind::credits_transferred, entry.amount);
    }
    for (auto const& [place, lot] : lots_) {
        auto* const sum = find_in(sums, lot.party.account);
        if (!sum) continue;
        sum->left += lot.remaining;
        bool const is_over = lot.remaining == 0 || (!lot.is_open && lot.expires_at);
        if (lot.is_open ? lot.remaining == 0 : !is_over) open = place.operation.to_string();
    }
    for (auto const* account : accounts) {
        auto const& standing = account->standing;
        auto const& sum = sums.at(account->id);
        if (standing.balance != sum.history || standing.balance != sum.left ||
            standing.version != sum.entries)
            differs = account->address;
    }
    for (auto const& event : events_)
        if (event.ledger == ledger && event.type == EventType::credits_expired)
            count(TotalKind::credits_expired, *event.amount);
    for (auto const& place : misclosed(ledger, std::nullopt)) open = place.operation.to_string();
    std::string wrong;
    for (auto const& total : totals) {
        auto const& found = counted[total.kind];
        if (found.count != total.count || found.amount != total.amount) wrong = "totals differ";
    }
    if (counted.size() != totals.size()) wrong = "totals differ";
    auto compared = hold_against_history(ledger, std::nullopt).found;
    compared.misclosed = 0;  // the check before it says so
    return {{"credits_equal_history", differs.empty(), differs},
            {"credit_lots_close_in_time", open.empty(), open},
            {"totals_equal_credits", wrong.empty(), wrong},
            {"credit_lots_keep_up", true, "in memory they are never behind"},
            replay_check(compared)};
}

Amount MemoryCredits::balance_of(AccountId account, Instant at) const {
    Amount sum = 0;
    if (auto const* places = find_in(open_lots_, account)) {
        for (auto const& place : *places) {
            auto const& lot = lots_.at(place);
            if (is_valid(lot, at)) sum += lot.remaining;
        }
    }
    return sum;
}

CreditStore::Lots MemoryCredits::list_valid_lots(AccountName name, Instant at, SteadyTime) {
    ValidLots list;
    auto const* account = find_in(accounts_, name);
    auto const* places = account ? find_in(open_lots_, account->id) : nullptr;
    if (!places) co_return list;
    for (auto const& place : *places) {
        auto const& lot = lots_.at(place);
        if (!is_valid(lot, at)) continue;
        list.lots.push_back({lot, operations_.at(place.operation).reference});
    }
    auto const* ledger = find_in(ledgers_of_store_, name.ledger);
    if (ledger && !list.lots.empty()) list.drain = ledger->drain;
    co_return list;
}

CreditStore::Balances MemoryCredits::list_balances(LedgerId ledger, CreditBalancePage page,
                                                   SteadyTime) {
    CreditBalanceList list;
    std::size_t scanned = 0;
    auto at = accounts_.upper_bound({ledger, page.after.value_or("")});
    for (; at != accounts_.end() && at->first.ledger == ledger; ++at) {
        if (list.items.size() == page.limit || list.scanned_to) break;
        auto const& address = at->first.address;
        auto const balance = balance_of(at->second.id, page.at);
        if (balance >= page.min_balance) list.items.push_back({address, balance});
        if (page.passes_over_rows() && ++scanned == page.scan_max) list.scanned_to = address;
    }
    co_return list;
}

asio::awaitable<Result<std::int64_t>> MemoryCredits::count_balances(LedgerId ledger, Instant at,
                                                                    Amount min_balance,
                                                                    SteadyTime) {
    co_return std::ranges::count_if(accounts_, [&](auto const& named) {
        return named.first.ledger == ledger && balance_of(named.second.id, at) >= min_balance;
    });
}

CreditStore::History MemoryCredits::list_history(LedgerId ledger, CreditHistoryPage page,
                                                 SteadyTime) {
    CreditHistoryList list;
    std::size_t scanned = 0;
    for (auto const& [place, entry] : boost::adaptors::reverse(entries_)) {
        if (list.items.size() == page.limit || list.scanned_to) break;
        if (entry.ledger != ledger || !is_walked(entry, page)) continue;
        if (!page.kind || entry.kind == *page.kind) list.items.push_back(entry);
        if (page.passes_over_rows() && ++scanned == page.scan_max) list.scanned_to = place;
    }
    co_return list;
}

CreditStore::Listed<Lot> MemoryCredits::list_due_lots(Instant now, std::size_t limit,
                                                      SteadyTime deadline) {
    return list_due_lots(DuePage{now, {}, limit}, deadline);
}

CreditStore::Listed<Lot> MemoryCredits::list_due_lots(DuePage page, SteadyTime) {
    std::vector<Lot> list;
    for (auto const& [over_at, place] : due_) {
        if (over_at > page.now || list.size() == page.limit) break;
        auto const& lot = lots_.at(place);
        if (std::ranges::find(page.without, lot.ledger) == page.without.end()) list.push_back(lot);
    }
    co_return list;
}

CreditStore::Listed<CreditOperation> MemoryCredits::list_operations(
    LedgerId ledger, std::optional<CreditOperationId> after, std::size_t limit, SteadyTime) {
    std::vector<CreditOperation> list;
    auto at = operations_.upper_bound(after.value_or(CreditOperationId{}));
    for (; at != operations_.end() && list.size() < limit; ++at)
        if (at->second.ledger == ledger) list.push_back(at->second);
    co_return list;
}

CreditStore::Listed<CreditEntry> MemoryCredits::list_entries(
    LedgerId, std::vector<CreditOperationId> operations, SteadyTime) {
    std::vector<CreditEntry> list;
    for (auto const& id : operations)
        for (auto const* entry : entries_of(id)) list.push_back(*entry);
    co_return list;
}

CreditStore::Listed<Lot> MemoryCredits::list_lots(std::vector<CreditOperationId> operations,
                                                  SteadyTime) {
    std::vector<Lot> list;
    for (auto const& id : operations)
        for (auto const* lot : rows_of(lots_, id)) list.push_back(*lot);
    co_return list;
}

CreditStore::Repaired MemoryCredits::compare_lots(LedgerId ledger, SteadyTime) {
    auto found = hold_against_history(ledger, std::nullopt).found;
    found.misclosed = 0;
    co_return found;
}

CreditStore::Repaired MemoryCredits::repair_lots(LedgerId ledger,
                                                 std::optional<std::string> address, SteadyTime) {
    Only only;
    if (address) {
        auto const* account = find_in(accounts_, AccountName{ledger, *address});
        if (!account) co_return LotRepair();
        only = account->id;
    }
    auto wrong = hold_against_history(ledger, only);
    if (wrong.found.contradiction) co_return wrong.found;
    mend(wrong);
    // What was missing, or of another amount, is closed or open only now.
    for (auto const& place : misclosed(ledger, only)) {
        auto lot = lots_.at(place);
        lot.is_open = !lot.is_open;
        forget(place);
        put(lot);
        wrong.found.misclosed += 1;
    }
    co_return wrong.found;
}

CreditStore::Listed<LedgerBehind> MemoryCredits::list_ledgers_behind(std::optional<LedgerId>,
                                                                     std::size_t, SteadyTime) {
    // History and lots live and die together here.
    co_return std::vector<LedgerBehind>();
}

/// The lots that follow from the history, by place.
std::vector<Lot> MemoryCredits::replay(LedgerId ledger, LotRepair& found) const {
    std::vector<Lot> lots;
    CreditReplay replay{ledger, [&](Lot const& lot) { lots.push_back(lot); }};
    for (auto const& [id, operation] : operations_) {
        if (operation.ledger != ledger || found.contradiction) continue;
        std::vector<CreditEntry> its;
        for (auto const* entry : entries_of(id)) its.push_back(*entry);
        found.entries += static_cast<std::int64_t>(its.size());
        if (!replay.add(operation, its)) found.contradiction = id;
    }
    replay.finish();
    std::ranges::sort(lots, {}, &Lot::place);
    found.lots = static_cast<std::int64_t>(lots.size());
    return lots;
}

MemoryCredits::WrongLots MemoryCredits::hold_against_history(LedgerId ledger, Only only) const {
    WrongLots wrong;
    auto& found = wrong.found;
    auto const expected = replay(ledger, found);
    if (found.contradiction) return wrong;
    auto const is_asked_for = [&](Lot const& lot) {
        return lot.ledger == ledger && (!only || lot.party.account == *only);
    };
    std::set<LotPlace> places;
    for (auto lot : expected) {
        places.insert(lot.place);
        if (!is_asked_for(lot)) continue;
        auto const* stored = find_in(lots_, lot.place);
        bool const may_be_closed = lot.remaining == 0 || lot.expires_at;
        lot.is_open = lot.remaining > 0 && (!stored || stored->is_open || !may_be_closed);
        if (stored && *stored == lot) continue;
        (stored ? found.differing : found.missing) += 1;
        wrong.as_they_should_be.push_back(lot);
    }
    for (auto const& [place, lot] : lots_)
        if (is_asked_for(lot) && !places.contains(place)) wrong.surplus.push_back(place);
    found.surplus = static_cast<std::int64_t>(wrong.surplus.size());
    for (auto const& lot : wrong.as_they_should_be)
        if (!found.first || lot.place < *found.first) found.first = lot.place;
    for (auto const& place : wrong.surplus)
        if (!found.first || place < *found.first) found.first = place;
    return wrong;
}

void MemoryCredits::mend(WrongLots const& wrong) {
    for (auto const& place : wrong.surplus) forget(place);
    for (auto const& lot : wrong.as_they_should_be) {
        forget(lot.place);
        put(lot);
    }
}

/// Lots that can expire are closed exactly if that is recorded: of those that agree in operation,
/// address and amount the first to be over were recorded first.
std::vector<LotPlace> MemoryCredits::misclosed(LedgerId ledger, Only only) const {
    using Recorded = std::tuple<CreditOperationId, AccountId, Amount>;
    std::map<Recorded, std::vector<Lot const*>> alike;
    std::map<Recorded, std::size_t> recorded;
    for (auto const& [place, lot] : lots_)
        if (lot.ledger == ledger && lot.remaining > 0 && lot.expires_at)
            if (!only || lot.party.account == *only)
                alike[{place.operation, lot.party.account, lot.remaining}].push_back(&lot);
    for (auto const& event : events_)
        if (event.ledger == ledger && event.type == EventType::credits_expired)
            recorded[{{event.subject}, *event.account, *event.amount}] += 1;
    std::vector<LotPlace> places;
    for (auto& [what, lots] : alike) {
        std::ranges::sort(lots, {}, [](Lot const* lot) {
            return std::tuple(lot->is_open, *lot->expires_at, lot->place);
        });
        for (std::size_t i = 0; i < lots.size(); ++i)
            if (lots[i]->is_open != (i >= recorded[what])) places.push_back(lots[i]->place);
    }
    return places;
}

}  // namespace penstock::db
