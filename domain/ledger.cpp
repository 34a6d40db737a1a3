// What a movement of money needs, and what it leaves on both accounts.
#include "domain/ledger.hpp"

#include <boost/describe/enum_to_string.hpp>

#include "domain/assert.hpp"
#include "domain/organization.hpp"

namespace penstock::domain {
namespace {

/// What a transfer carries beside the movement itself.
struct Origin {
    TransferKind kind = TransferKind::transfer;
    std::uint64_t nonce = 0;
    std::optional<KeyUse> key_use = {};
    std::optional<TransferId> reverts = {};
};

void add_movement_keys(LedgerId ledger, std::string const& from, std::string const& to,
                       KeySet& keys) {
    keys.accounts.insert({ledger, from});
    keys.accounts.insert({ledger, to});
}

/// Where the body named the side that is at fault.
std::string pointer_to(TransferKind kind, char const* side) {
    bool const has_one_side = kind == TransferKind::deposit || kind == TransferKind::withdrawal;
    return has_one_side ? "/account" : side;
}

std::optional<Refusal> refuse_ledger(Ledger const* ledger) {
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    if (ledger->kind != LedgerKind::money)
        return Refusal{Rejection::unsupported_on_ledger, "",
                       "Money does not move on a ledger of credits."};
    return std::nullopt;
}

bool has_funds(Account const& payer, Amount amount) {
    if (payer.address == world_address) return true;
    Sum const available = Sum{payer.standing.balance} - payer.standing.held;
    return available + payer.overdraft_limit >= amount;
}

Account make_account(WorkingSet& set, LedgerId ledger, std::string address, std::uint64_t nonce) {
    Account account;
    account.id = {set.next_id(nonce)};
    account.ledger = ledger;
    account.address = std::move(address);
    account.created_at = set.now();
    account.standing.updated_at = set.now();
    return account;
}

Leg book(WorkingSet& set, Account const& account, Amount balance) {
    Standing standing = account.standing;
    standing.balance = balance;
    standing.version += 1;
    standing.updated_at = set.now();
    set.set_standing(account.ledger, account.address, standing);
    return {account.id, account.address, balance, standing.version};
}

/// An implicit ledger opens an account for whoever is paid; system addresses are never made so.
bool opens_by_itself(Ledger const& ledger, std::string const& address) {
    return ledger.accounts == AccountPolicy::implicit && !address.starts_with('@');
}

/// One movement. Refusals in this order: self, payer, payee, funds, overflow; none writes.
BulkItem move(WorkingSet& set, Ledger const& ledger, Movement const& movement,
              Origin const& origin) {
    if (movement.from == movement.to)
        return Refusal{Rejection::self_transfer, pointer_to(origin.kind, "/to")};
    auto const* payer = set.find_account(ledger.id, movement.from);
    if (!payer && opens_by_itself(ledger, movement.from))
        return Refusal{Rejection::insufficient_funds};
    if (!payer) return Refusal{Rejection::account_not_found, pointer_to(origin.kind, "/from")};
    auto const* payee = set.find_account(ledger.id, movement.to);
    if (!payee && !opens_by_itself(ledger, movement.to))
        return Refusal{Rejection::account_not_found, pointer_to(origin.kind, "/to")};
    if (!has_funds(*payer, movement.amount)) return Refusal{Rejection::insufficient_funds};
    auto const payer_balance = subtract(payer->standing.balance, movement.amount);
    auto const payee_balance = add(payee ? payee->standing.balance : 0, movement.amount);
    if (!payer_balance || !payee_balance) return Refusal{Rejection::amount_overflow};

    if (!payee) {
        set.add_account(make_account(set, ledger.id, movement.to, origin.nonce));
        payee = set.find_account(ledger.id, movement.to);
    }
    Transfer transfer;
    transfer.id = {set.next_id(origin.nonce)};
    transfer.ledger = ledger.id;
    transfer.kind = origin.kind;
    transfer.from = book(set, *payer, *payer_balance);
    transfer.to = book(set, *payee, *payee_balance);
    transfer.amount = movement.amount;
    transfer.reference = movement.reference;
    transfer.metadata = movement.metadata;
    transfer.reverts = origin.reverts;
    transfer.key_use = origin.key_use;
    set.add_transfer(transfer);
    return transfer;
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
    if (!find_own_ledger(set, envelope, command.ledger))
        return Refusal{Rejection::ledger_not_found};
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
    if (original.kind == TransferKind::revert)
        return Refusal{Rejection::illegal_transition, "",
                       "A transfer of kind revert cannot be reverted."};
    if (set.is_reverted(original.id)) return Refusal{Rejection::already_reverted};
    // Accounts live as long as their ledger.
    PENSTOCK_ASSERT(set.find_account(ledger->id, original.from.address));
    PENSTOCK_ASSERT(set.find_account(ledger->id, original.to.address));
    return to_outcome(
        move(set, *ledger, Movement{original.to.address, original.from.address, original.amount},
             Origin{TransferKind::revert, envelope.nonce, envelope.key_use, original.id}));
}

}  // namespace penstock::domain
