// What a hold reserves, and the three ways in which it ends.
#include "domain/hold.hpp"

#include <boost/describe/enum_to_string.hpp>

#include "domain/assert.hpp"
#include "domain/event.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

bool is_due(Hold const& hold, Instant now) { return hold.expires_at && *hold.expires_at <= now; }

/// Why `action` is not possible; nullopt: the hold is open.
std::optional<Refusal> refuse_ended(Hold const& hold, Instant now, char const* action) {
    if (hold.status != HoldStatus::pending)
        return refuse_transition(action, boost::describe::enum_to_string(hold.status, ""));
    if (is_due(hold, now)) return refuse_transition(action, "expired");
    return std::nullopt;
}

void add_hold_keys(LedgerId ledger, Hold const& hold, KeySet& keys) {
    add_movement_keys(ledger, hold.from.address, hold.to.address, keys);
    keys.holds.insert({ledger, hold.id});
}

void add_original_keys(LedgerId ledger, std::optional<Hold> const& original, KeySet& keys) {
    keys.ledgers.insert(ledger);
    if (original && original->ledger == ledger) add_hold_keys(ledger, *original, keys);
}

/// The hold as it stands, if it is one of the ledger.
Hold const* find_original(WorkingSet const& set, LedgerId ledger,
                          std::optional<Hold> const& original) {
    if (!original || original->ledger != ledger) return nullptr;
    return set.find_hold(original->id);
}

void change_held(WorkingSet& set, Account const& account, Amount held) {
    PENSTOCK_ASSERT(held >= 0);
    Standing standing = account.standing;
    standing.held = held;
    set_standing_now(set, account, standing);
}

/// What is held becomes available again.
void release(WorkingSet& set, Hold const& hold) {
    auto const* account = set.find_account(hold.ledger, hold.from.address);
    PENSTOCK_ASSERT(account);
    change_held(set, *account, account->standing.held - hold.amount);
}

EventType event_of(HoldStatus ended) {
    switch (ended) {
        case HoldStatus::captured:
            return EventType::hold_captured;
        case HoldStatus::voided:
            return EventType::hold_voided;
        case HoldStatus::expired:
            return EventType::hold_expired;
        case HoldStatus::pending:
            break;
    }
    PENSTOCK_ASSERT(ended != HoldStatus::pending);
    return {};
}

Hold end(WorkingSet& set, Ledger const& ledger, Hold hold, HoldStatus status, std::uint64_t nonce) {
    hold.status = status;
    hold.ended_at = set.now();
    set.end_hold(hold);
    set.add_event(make_hold_event(set, ledger, hold, nonce));
    return hold;
}

}  // namespace

Event make_hold_event(WorkingSet& set, Ledger const& ledger, Hold const& hold,
                      std::uint64_t nonce) {
    auto event =
        make_event(set, ledger, event_of(hold.status), hold.id.value, hold.from, hold.to, nonce);
    bool const captured = hold.status == HoldStatus::captured;
    event.amount = captured ? hold.captured_amount : hold.amount;
    event.transfer = hold.transfer;
    return event;
}

Refusal refuse_transition(std::string const& action, std::string const& state) {
    return {Rejection::illegal_transition, "",
            "A hold that is " + state + " cannot be " + action + "."};
}

void add_keys(PlaceHold const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    add_movement_keys(command.ledger, command.from, command.to, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, PlaceHold const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    if (command.from == command.to) return Refusal{Rejection::self_transfer, "/to"};
    auto const found = find_payer(set, *ledger, command.from, "/from");
    if (auto const* refusal = std::get_if<Refusal>(&found)) return *refusal;
    auto const* payer = std::get<Account const*>(found);
    auto const* payee = find_payee(set, *ledger, command.to, envelope.nonce);
    if (!payee) return Refusal{Rejection::account_not_found, "/to"};
    if (!has_funds(*payer, command.amount)) return Refusal{Rejection::insufficient_funds};
    auto const held = add(payer->standing.held, command.amount);
    if (!held) return Refusal{Rejection::amount_overflow};

    change_held(set, *payer, *held);
    Hold hold;
    hold.id = {set.next_id(envelope.nonce)};
    hold.ledger = ledger->id;
    hold.from = {payer->id, payer->address};
    hold.to = {payee->id, payee->address};
    hold.amount = command.amount;
    if (command.expires_in)
        hold.expires_at =
            Instant{hold.created_at().ms + std::chrono::milliseconds(*command.expires_in).count()};
    set.add_hold(hold);
    return Receipt{std::move(hold)};
}

void add_keys(CaptureHold const& command, Envelope const&, KeySet& keys) {
    add_original_keys(command.ledger, command.original, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CaptureHold const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    auto const* original = find_original(set, command.ledger, command.original);
    if (!original) return Refusal{Rejection::hold_not_found};
    if (auto refusal = refuse_ended(*original, set.now(), "captured")) return *std::move(refusal);
    auto const amount = command.amount.value_or(original->amount);
    if (amount > original->amount) return Refusal{Rejection::over_capture, "/amount"};

    release(set, *original);
    Origin origin{TransferKind::capture, envelope.nonce};
    origin.cause = original->id.value;
    auto moved =
        move(set, *ledger, Movement{original->from.address, original->to.address, amount}, origin);
    // What was held is there: only the payee's balance can be in the way.
    if (auto const* refusal = std::get_if<Refusal>(&moved)) {
        PENSTOCK_ASSERT(refusal->code == Rejection::amount_overflow);
        return *refusal;
    }
    auto& transfer = std::get<Transfer>(moved);
    Hold hold = *original;
    hold.captured_amount = amount;
    hold.transfer = transfer.id;
    hold = end(set, *ledger, std::move(hold), HoldStatus::captured, envelope.nonce);
    return Receipt{Captured{std::move(hold), std::move(transfer)}};
}

void add_keys(VoidHold const& command, Envelope const&, KeySet& keys) {
    add_original_keys(command.ledger, command.original, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, VoidHold const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    auto const* original = find_original(set, command.ledger, command.original);
    if (!original) return Refusal{Rejection::hold_not_found};
    if (auto refusal = refuse_ended(*original, set.now(), "voided")) return *std::move(refusal);
    release(set, *original);
    return Receipt{end(set, *ledger, *original, HoldStatus::voided, envelope.nonce)};
}

void add_keys(ExpireHolds const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    for (auto const& hold : command.originals)
        if (hold.ledger == command.ledger) add_hold_keys(command.ledger, hold, keys);
}

/// The server speaks for no organization here, so only the ledger itself is asked for.
Outcome apply(WorkingSet& set, Envelope const& envelope, ExpireHolds const& command) {
    auto const* ledger = set.find_ledger(command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    Done done;
    for (auto const& original : command.originals) {
        auto const* hold = original.ledger == ledger->id ? set.find_hold(original.id) : nullptr;
        if (!hold || hold->status != HoldStatus::pending || !is_due(*hold, set.now())) continue;
        release(set, *hold);
        end(set, *ledger, *hold, HoldStatus::expired, envelope.nonce);
        ++done.items;
    }
    return Receipt{done};
}

}  // namespace penstock::domain
