// What grants, expenses, transfers and expiries do to the lots and the history of an address.
#include "domain/credits.hpp"

#include <algorithm>

#include "domain/assert.hpp"
#include "domain/event.hpp"
#include "domain/lots.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

std::string pointer_to(std::size_t entry, char const* member) {
    return "/entries/" + std::to_string(entry) + "/" + member;
}

std::optional<Refusal> refuse_credits(WorkingSet const& set, Ledger const* ledger,
                                      std::string const& reference) {
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    if (ledger->kind != LedgerKind::credits)
        return Refusal{Rejection::unsupported_on_ledger, "",
                       "Credits are moved on a ledger of credits."};
    if (set.credit_reference_taken(ledger->id, reference))
        return Refusal{Rejection::reference_exists, "/reference"};
    return std::nullopt;
}

void add_operation_keys(LedgerId ledger, std::string const& reference, KeySet& keys) {
    keys.ledgers.insert(ledger);
    keys.credit_ledgers.insert(ledger);
    keys.credit_references.insert({ledger, reference});
}

/// One operation while it is being decided: what it writes has its number and its instant.
class Operation {
public:
    Operation(WorkingSet& set, Ledger const& ledger, Envelope const& envelope, CreditKind kind,
              std::string const& reference)
        : set_{set}, ledger_{ledger}, nonce_{envelope.nonce} {
        auto& operation = credited_.operation;
        operation.id = {set.next_id(nonce_)};
        operation.ledger = ledger.id;
        operation.kind = kind;
        operation.reference = reference;
        operation.drain = ledger.drain;
        operation.key_use = envelope.key_use;
    }

    Account const& open(std::string const& address) {
        if (auto const* account = set_.find_account(ledger_.id, address)) return *account;
        set_.add_account(make_account(set_, ledger_.id, address, nonce_));
        return *set_.find_account(ledger_.id, address);
    }

    /// What the history says of an address from now on; false: it would overflow.
    bool book(Account const& account, Amount amount, Amount shortfall,
              std::optional<Instant> expires_at) {
        auto const balance = add(account.standing.balance, amount);
        if (!balance) return false;
        Standing standing = account.standing;
        standing.balance = *balance;
        standing.version += 1;
        set_standing_now(set_, account, standing);
        auto const& operation = credited_.operation;
        set_.add_credit_entry({ledger_.id,
                               operation.id,
                               entries_++,
                               operation.kind,
                               operation.reference,
                               {account.id, account.address},
                               amount,
                               shortfall,
                               expires_at});
        return true;
    }

    void make_lot(Account const& account, Amount amount, std::optional<Instant> expires_at) {
        LotPlace const place{credited_.operation.id, lots_++};
        set_.add_lot(
            {ledger_.id, {account.id, account.address}, place, amount, amount, expires_at});
        credited_.lines.push_back({account.address, place.index, amount, 0, expires_at});
    }

    /// Takes up to `wanted` from the lots of an address.
    std::vector<Portion> drain(Account const& account, Amount wanted) {
        return set_.drain_lots(account.id, ledger_.drain, wanted);
    }

    void show(CreditLine line) { credited_.lines.push_back(std::move(line)); }
    CreditOperation& row() { return credited_.operation; }

    Receipt finish() {
        set_.add_credit_operation(credited_);
        return Receipt{std::move(credited_)};
    }

private:
    WorkingSet& set_;
    Ledger const& ledger_;
    std::uint64_t nonce_;
    Credited credited_;
    std::int32_t entries_ = 0;
    std::int32_t lots_ = 0;
};

/// nullopt: every expiry is in the future.
std::optional<Refusal> refuse_past(std::vector<CreditDraft> const& entries, Instant now) {
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries[i].expires_at && *entries[i].expires_at <= now)
            return Refusal{Rejection::invalid_request, pointer_to(i, "expires_at"),
                           "It must be in the future."};
    return std::nullopt;
}

bool is_issuer(Ledger const& ledger, std::string const& address) {
    return std::ranges::find(ledger.issuers, address) != ledger.issuers.end();
}

}  // namespace

void add_keys(GrantCredits const& command, Envelope const&, KeySet& keys) {
    add_operation_keys(command.ledger, command.reference, keys);
    for (auto const& entry : command.entries) keys.accounts.insert({command.ledger, entry.address});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, GrantCredits const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_credits(set, ledger, command.reference)) return *std::move(refusal);
    if (auto refusal = refuse_past(command.entries, set.now())) return *std::move(refusal);

    Operation operation{set, *ledger, envelope, CreditKind::grant, command.reference};
    for (std::size_t i = 0; i < command.entries.size(); ++i) {
        auto const& entry = command.entries[i];
        auto const& account = operation.open(entry.address);
        if (!operation.book(account, entry.amount, 0, entry.expires_at))
            return Refusal{Rejection::amount_overflow, pointer_to(i, "amount")};
        operation.make_lot(account, entry.amount, entry.expires_at);
    }
    return operation.finish();
}

void add_keys(SpendCredits const& command, Envelope const&, KeySet& keys) {
    add_operation_keys(command.ledger, command.reference, keys);
    for (auto const& entry : command.entries) {
        keys.accounts.insert({command.ledger, entry.address});
        keys.lots_of.insert({command.ledger, entry.address});
    }
}

Outcome apply(WorkingSet& set, Envelope const& envelope, SpendCredits const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_credits(set, ledger, command.reference)) return *std::move(refusal);

    Operation operation{set, *ledger, envelope, CreditKind::expense, command.reference};
    for (std::size_t i = 0; i < command.entries.size(); ++i) {
        auto const& entry = command.entries[i];
        auto const& account = operation.open(entry.address);
        auto const paid = sum_of(operation.drain(account, entry.amount));
        if (paid < entry.amount && !command.allow_partial)
            return Refusal{Rejection::insufficient_funds, pointer_to(i, "amount")};
        // Less than what is there is taken, so nothing overflows.
        PENSTOCK_ASSERT(operation.book(account, -paid, entry.amount - paid, std::nullopt));
        auto const index = static_cast<std::int32_t>(i);
        operation.show({entry.address, index, paid, entry.amount - paid});
    }
    return operation.finish();
}

void add_keys(TransferCredits const& command, Envelope const&, KeySet& keys) {
    add_operation_keys(command.ledger, command.reference, keys);
    keys.accounts.insert({command.ledger, command.from});
    keys.lots_of.insert({command.ledger, command.from});
    for (auto const& entry : command.entries) keys.accounts.insert({command.ledger, entry.address});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, TransferCredits const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_credits(set, ledger, command.reference)) return *std::move(refusal);
    for (std::size_t i = 0; i < command.entries.size(); ++i)
        if (command.entries[i].address == command.from)
            return Refusal{Rejection::self_transfer, pointer_to(i, "address")};
    if (auto refusal = refuse_past(command.entries, set.now())) return *std::move(refusal);

    Operation operation{set, *ledger, envelope, CreditKind::transfer, command.reference};
    bool const minted = is_issuer(*ledger, command.from);
    operation.row().minted = minted;
    auto const& sender = operation.open(command.from);
    operation.row().sender = Party{sender.id, sender.address};
    Amount sent = 0;
    for (std::size_t i = 0; i < command.entries.size(); ++i) {
        auto const& entry = command.entries[i];
        auto const& recipient = operation.open(entry.address);
        auto const portions =
            portions_received(minted, {entry.amount, entry.expires_at},
                              [&](Amount amount) { return operation.drain(sender, amount); });
        if (sum_of(portions) < entry.amount)
            return Refusal{Rejection::insufficient_funds, pointer_to(i, "amount")};
        if (!operation.book(recipient, entry.amount, 0, entry.expires_at))
            return Refusal{Rejection::amount_overflow, pointer_to(i, "amount")};
        for (auto const& portion : portions)
            operation.make_lot(recipient, portion.amount, portion.expires_at);
        if (!minted) sent += entry.amount;
    }
    // It was there to be drained, so neither the sum nor the difference can overflow.
    if (!minted) PENSTOCK_ASSERT(operation.book(sender, -sent, 0, std::nullopt));
    return operation.finish();
}

void add_keys(ExpireLots const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    keys.credit_ledgers.insert(command.ledger);
    for (auto const& lot : command.originals) {
        if (lot.ledger != command.ledger) continue;
        keys.accounts.insert({command.ledger, lot.party.address});
        keys.lots_of.insert({command.ledger, lot.party.address});
    }
}

/// The server speaks for no organization here, so only the ledger itself is asked for.
Outcome apply(WorkingSet& set, Envelope const& envelope, ExpireLots const& command) {
    auto const* ledger = set.find_ledger(command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    Done done;
    for (auto const& original : command.originals) {
        auto const* lot = original.ledger == ledger->id
                              ? set.find_lot(original.party.account, original.place)
                              : nullptr;
        if (!lot || !lot->is_open || !lot->expires_at || *lot->expires_at > set.now()) continue;
        auto event = make_event(set, *ledger, EventType::credits_expired,
                                lot->place.operation.value, lot->party, lot->party, envelope.nonce);
        event.counterparty.reset();
        event.amount = lot->remaining;
        set.add_event(std::move(event));
        set.close_lot(lot->party.account, lot->place);
        // Whatever another server's clock says, nobody spends at an instant before this one.
        set.advance_credit_ledger(ledger->id, {set.next_id(envelope.nonce)});
        done.items += 1;
    }
    return Receipt{done};
}

}  // namespace penstock::domain
