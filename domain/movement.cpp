// What a movement of money needs, and what it leaves on both accounts.
#include "domain/movement.hpp"

namespace penstock::domain {
namespace {

Leg book(WorkingSet& set, Account const& account, Amount balance) {
    Standing standing = account.standing;
    standing.balance = balance;
    standing.version += 1;
    set_standing_now(set, account, standing);
    return {account.id, account.address, balance, standing.version};
}

}  // namespace

std::string pointer_to(TransferKind kind, std::string_view side) {
    bool const has_one_side = kind == TransferKind::deposit || kind == TransferKind::withdrawal;
    return std::string(has_one_side ? "/account" : side);
}

void add_movement_keys(LedgerId ledger, std::string const& from, std::string const& to,
                       KeySet& keys) {
    keys.accounts.insert({ledger, from});
    keys.accounts.insert({ledger, to});
}

std::optional<Refusal> refuse_ledger(Ledger const* ledger) {
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    if (ledger->kind != LedgerKind::money)
        return Refusal{Rejection::unsupported_on_ledger, "",
                       "Money does not move on a ledger of credits."};
    if (ledger->posting == Posting::hot)
        return Refusal{Rejection::unsupported_on_ledger, "", "A hot ledger does not do this."};
    return std::nullopt;
}

bool has_funds(Account const& payer, Amount amount) {
    if (payer.address == world_address) return true;
    Sum const available = Sum{payer.standing.balance} - payer.standing.held;
    return available + payer.overdraft_limit >= amount;
}

bool opens_by_itself(Ledger const& ledger, std::string const& address) {
    return ledger.accounts == AccountPolicy::implicit && !address.starts_with('@');
}

void set_standing_now(WorkingSet& set, Account const& account, Standing standing) {
    standing.updated_at = set.now();
    set.set_standing(account.ledger, account.address, standing);
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

Account const* find_payee(WorkingSet& set, Ledger const& ledger, std::string const& address,
                          std::uint64_t nonce) {
    auto const* payee = set.find_account(ledger.id, address);
    if (payee || !opens_by_itself(ledger, address)) return payee;
    set.add_account(make_account(set, ledger.id, address, nonce));
    return set.find_account(ledger.id, address);
}

std::variant<Account const*, Refusal> find_payer(WorkingSet const& set, Ledger const& ledger,
                                                 std::string const& address, std::string pointer) {
    if (auto const* payer = set.find_account(ledger.id, address)) return payer;
    if (opens_by_itself(ledger, address)) return Refusal{Rejection::insufficient_funds};
    return Refusal{Rejection::account_not_found, std::move(pointer)};
}

BulkItem move(WorkingSet& set, Ledger const& ledger, Movement const& movement,
              Origin const& origin) {
    if (movement.from == movement.to)
        return Refusal{Rejection::self_transfer, pointer_to(origin.kind, "/to")};
    auto const found = find_payer(set, ledger, movement.from, pointer_to(origin.kind, "/from"));
    if (auto const* refusal = std::get_if<Refusal>(&found)) return *refusal;
    auto const* payer = std::get<Account const*>(found);
    auto const* payee = set.find_account(ledger.id, movement.to);
    if (!payee && !opens_by_itself(ledger, movement.to))
        return Refusal{Rejection::account_not_found, pointer_to(origin.kind, "/to")};
    if (!has_funds(*payer, movement.amount)) return Refusal{Rejection::insufficient_funds};
    auto const payer_balance = subtract(payer->standing.balance, movement.amount);
    auto const payee_balance = add(payee ? payee->standing.balance : 0, movement.amount);
    if (!payer_balance || !payee_balance) return Refusal{Rejection::amount_overflow};

    payee = find_payee(set, ledger, movement.to, origin.nonce);
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
    transfer.cause = origin.cause;
    transfer.key_use = origin.key_use;
    set.add_transfer(transfer);
    return transfer;
}

}  // namespace penstock::domain
