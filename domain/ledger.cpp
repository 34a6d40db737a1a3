// What accounts, movements, bulks and reverts come to.
#include "domain/ledger.hpp"

#include <boost/describe/enum_to_string.hpp>

#include "domain/assert.hpp"
#include "domain/movement.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

/// What can be reverted: money that moved for itself, not as a part of something else.
bool is_revertible(TransferKind kind) {
    return kind == TransferKind::transfer || kind == TransferKind::deposit ||
           kind == TransferKind::withdrawal || kind == TransferKind::capture;
}

Outcome to_outcome(BulkItem item) {
    if (auto* refusal = std::get_if<Refusal>(&item)) return std::move(*refusal);
    return Receipt{std::get<Transfer>(std::move(item))};
}

}  // namespace

char const* name_of(Rejection code) { return boost::describe::enum_to_string(code, "unknown"); }

void add_keys(CreateAccount const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    keys.accounts.insert({command.ledger, command.address});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateAccount const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    if (ledger->kind == LedgerKind::credits)
        return Refusal{Rejection::unsupported_on_ledger, "",
                       "Addresses of credits open by themselves."};
    if (set.find_account(command.ledger, command.address))
        return Refusal{Rejection::account_exists, "/address"};
    Account account = make_account(set, command.ledger, command.address, envelope.nonce);
    account.overdraft_limit = command.overdraft_limit;
    account.metadata = command.metadata;
    set.add_account(account);
    return Receipt{std::move(account)};
}

void add_keys(MoveMoney const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    add_movement_keys(command.ledger, command.movement.from, command.movement.to, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, MoveMoney const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    PENSTOCK_ASSERT(command.kind != TransferKind::revert);
    return to_outcome(move(set, *ledger, command.movement,
                           Origin{command.kind, envelope.nonce, envelope.key_use}));
}

void add_keys(MoveInBulk const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    for (auto const& item : command.items)
        add_movement_keys(command.ledger, item.from, item.to, keys);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, MoveInBulk const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    PENSTOCK_ASSERT(!command.items.empty());
    BulkReceipt receipt;
    receipt.request_id = envelope.request_id;
    receipt.items.reserve(command.items.size());
    for (auto const& item : command.items) {
        auto done = move(set, *ledger, item, Origin{TransferKind::transfer, envelope.nonce});
        if (auto const* refusal = std::get_if<Refusal>(&done)) {
            if (command.atomic)
                return Refusal{Rejection::bulk_rejected,
                               "/transfers/" + std::to_string(receipt.items.size()),
                               name_of(refusal->code)};
            // The code alone: that is all that a replay can know.
            done = Refusal{refusal->code};
        }
        receipt.items.push_back(std::move(done));
    }
    return Receipt{std::move(receipt)};
}

void add_keys(RevertTransfer const& command, Envelope const&, KeySet& keys) {
    keys.ledgers.insert(command.ledger);
    if (!command.original || command.original->ledger != command.ledger) return;
    add_movement_keys(command.original->ledger, command.original->from.address,
                      command.original->to.address, keys);
    keys.reverted.insert(command.original->id);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, RevertTransfer const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (auto refusal = refuse_ledger(ledger)) return *std::move(refusal);
    if (!command.original || command.original->ledger != command.ledger)
        return Refusal{Rejection::transfer_not_found};
    auto const& original = *command.original;
    if (!is_revertible(original.kind))
        return Refusal{Rejection::illegal_transition, "",
                       std::string("A transfer of kind ") +
                           boost::describe::enum_to_string(original.kind, "") +
                           " cannot be reverted."};
    if (set.is_reverted(original.id)) return Refusal{Rejection::already_reverted};
    // Accounts live as long as their ledger.
    PENSTOCK_ASSERT(set.find_account(ledger->id, original.from.address));
    PENSTOCK_ASSERT(set.find_account(ledger->id, original.to.address));
    return to_outcome(
        move(set, *ledger, Movement{original.to.address, original.from.address, original.amount},
             Origin{TransferKind::revert, envelope.nonce, envelope.key_use, original.id}));
}

}  // namespace penstock::domain
