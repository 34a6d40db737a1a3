// What of a hot ledger is taken, and in which order.
#include "domain/hot_decide.hpp"

#include <algorithm>
#include <optional>

#include "domain/decide.hpp"
#include "domain/event.hpp"
#include "domain/hold.hpp"
#include "domain/movement.hpp"

namespace penstock::domain {
namespace {

/// The hold that an item places or ends; null: it is about none.
Hold const* hold_of(JournalItem const& item) {
    if (auto const* captured = std::get_if<Captured>(&item)) return &captured->hold;
    return std::get_if<Hold>(&item);
}

bool ends(Hold const& hold) { return hold.status != HoldStatus::pending; }

/// What it ends is open, and is that hold: bytes from elsewhere are not believed.
bool can_end(WorkingSet const& set, Hold const& hold) {
    auto const* known = set.find_hold(hold.id);
    return known && known->ledger == hold.ledger && !ends(*known) && known->from == hold.from &&
           known->amount == hold.amount;
}

void change_held(WorkingSet& set, Hold const& hold, Instant at, Amount change) {
    auto const* account = set.find_account(hold.ledger, hold.from.address);
    Standing standing = account->standing;
    standing.held += change;
    standing.updated_at = std::max(standing.updated_at, at);
    set.set_standing(hold.ledger, hold.from.address, standing);
}

/// One item of an entry. False: it does not fit what the store has, and nothing was written.
class Booking {
public:
    Booking(WorkingSet& set, Ledger const& ledger, JournalEntry const& entry)
        : set_(set), ledger_(ledger), entry_(entry) {}

    bool book(std::size_t index) {
        index_ = index;
        return std::visit(*this, entry_.items[index]);
    }

    bool operator()(Refusal const&) const { return true; }
    bool operator()(Transfer transfer) const {
        // Keys are the organization's: one that was used on another ledger stays with that use.
        if (transfer.key_use && set_.find_key(transfer.key_use->key)) transfer.key_use.reset();
        set_.add_transfer(std::move(transfer));
        return true;
    }
    bool operator()(Hold const& hold) const {
        if (!set_.find_account(hold.ledger, hold.from.address)) return false;
        if (ends(hold)) return end(hold);
        if (set_.find_hold(hold.id)) return false;
        change_held(set_, hold, entry_.at, hold.amount);
        set_.add_hold(hold);
        return true;
    }
    bool operator()(Captured const& captured) const {
        if (!(*this)(captured.hold)) return false;
        set_.add_transfer(captured.transfer);
        return true;
    }

private:
    bool end(Hold const& hold) const {
        if (!can_end(set_, hold)) return false;
        change_held(set_, hold, entry_.at, -hold.amount);
        set_.end_hold(hold);
        auto event = make_hold_event(set_, ledger_, hold, entry_.nonce);
        event.id = entry_.event_id(index_);
        set_.add_event(std::move(event));
        return true;
    }

    WorkingSet& set_;
    Ledger const& ledger_;
    JournalEntry const& entry_;
    std::size_t index_ = 0;
};

/// What a repetition of the request is answered from, where no row carries its key.
void add_answer(WorkingSet& set, JournalEntry const& entry) {
    bool const in_row = !entry.is_bulk && std::holds_alternative<Transfer>(entry.items.front());
    if (!entry.key_use || in_row || set.find_key(entry.key_use->key)) return;
    auto receipt = receipt_of(entry);
    Answer answer;
    answer.key_use = *entry.key_use;
    auto const* hold = hold_of(entry.items.front());
    answer.status = hold && !ends(*hold) ? 201 : 200;
    answer.request_id = entry.request_id;
    answer.created_at = entry.at;
    if (auto const* bulk = std::get_if<BulkReceipt>(&receipt.what)) add_items(*bulk, answer);
    set.add_answer(std::move(answer), std::move(receipt));
}

bool book(WorkingSet& set, Ledger const& ledger, JournalEntry const& entry) {
    auto const before = set.mark();
    Booking booking(set, ledger, entry);
    for (std::size_t i = 0; i < entry.items.size(); ++i) {
        if (booking.book(i)) continue;
        set.undo(before);
        return false;
    }
    add_answer(set, entry);
    return true;
}

}  // namespace

void add_keys(OpenAccounts const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    for (auto const& address : command.addresses) keys.accounts.insert({command.ledger, address});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, OpenAccounts const& command) {
    auto const* ledger = set.find_ledger(command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    for (auto const& address : command.addresses) find_payee(set, *ledger, address, envelope.nonce);
    return Receipt{Done{command.addresses.size()}};
}

void add_keys(BeginEpoch const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    keys.hot_ledgers.insert(command.ledger);
}

Outcome apply(WorkingSet& set, Envelope const&, BeginEpoch const& command) {
    auto const* row = set.find_hot_ledger(command.ledger);
    if (!row || !set.find_ledger(command.ledger)) return Refusal{Rejection::ledger_not_found};
    auto changed = *row;
    changed.epoch += 1;
    set.set_hot_ledger(changed);
    return Receipt{changed};
}

void add_keys(BookJournal const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    keys.hot_ledgers.insert(command.ledger);
    for (auto const& entry : command.entries) {
        if (entry.key_use) keys.keys.insert(entry.key_use->key);
        for (auto const& item : entry.items) {
            auto const* hold = hold_of(item);
            if (!hold) continue;
            keys.accounts.insert({command.ledger, hold->from.address});
            keys.holds.insert({command.ledger, hold->id});
        }
    }
}

Outcome apply(WorkingSet& set, Envelope const&, BookJournal const& command) {
    auto const* ledger = set.find_ledger(command.ledger);
    auto const* found = set.find_hot_ledger(command.ledger);
    if (!ledger || !found) return Refusal{Rejection::ledger_not_found};
    auto row = *found;
    if (row.epoch != command.epoch) return Receipt{row};
    for (auto const& entry : command.entries) {
        if (entry.position <= row.drained) continue;
        // What is missing before it was lost, or is still to come.
        if (entry.after > row.drained && entry.after <= command.lost_to) row.drained = entry.after;
        if (entry.after != row.drained || !book(set, *ledger, entry)) break;
        row.drained = entry.position;
    }
    if (command.lost_to > row.drained) {
        auto const unread = [&](auto const& entry) { return entry.position > row.drained; };
        if (std::ranges::none_of(command.entries, unread)) row.drained = command.lost_to;
    }
    if (row != *found) set.set_hot_ledger(row);
    return Receipt{row};
}

void add_keys(SyncBalances const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    keys.hot_ledgers.insert(command.ledger);
    for (auto const& balance : command.balances)
        keys.accounts.insert({command.ledger, balance.address});
}

Outcome apply(WorkingSet& set, Envelope const&, SyncBalances const& command) {
    auto const* row = set.find_hot_ledger(command.ledger);
    if (!row || !set.find_ledger(command.ledger)) return Refusal{Rejection::ledger_not_found};
    if (row->epoch != command.epoch) return Receipt{*row};
    for (auto const& balance : command.balances) {
        auto const* account = set.find_account(command.ledger, balance.address);
        if (!account || balance.position > row->drained) continue;
        if (balance.version <= account->standing.version) continue;
        Standing standing = account->standing;
        standing.balance = balance.balance;
        standing.version = balance.version;
        standing.updated_at = std::max(standing.updated_at, balance.updated_at);
        set.set_standing(command.ledger, balance.address, standing);
    }
    return Receipt{*row};
}

}  // namespace penstock::domain
