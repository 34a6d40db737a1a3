// A batch in the making: one ledger with its accounts, and commands decided one after the other.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "domain/decide.hpp"
#include "domain/ledger.hpp"

namespace penstock::tests {

using namespace domain;

constexpr Instant noon{1'700'000'000'000};
constexpr Instant day_before{noon.ms - 86'400'000};

inline IdempotencyKey key_named(std::uint64_t number) { return {make_uuid7({0}, 0, number)}; }

inline KeyUse use_of(std::uint64_t number, std::uint8_t fingerprint = 1) {
    KeyUse use;
    use.key = key_named(number);
    use.fingerprint[0] = fingerprint;
    return use;
}

class Scene {
public:
    explicit Scene(AccountPolicy policy = AccountPolicy::explicit_,
                   LedgerKind kind = LedgerKind::money)
        : Scene(loaded(policy, kind)) {}
    explicit Scene(Loaded rows) : set_{std::move(rows), Stamp{noon}, day_before} {}

    /// A money ledger as it is stored, without accounts other than the system's.
    static Loaded loaded(AccountPolicy policy = AccountPolicy::explicit_,
                         LedgerKind kind = LedgerKind::money) {
        Loaded rows;
        rows.organizations.insert(default_organization);
        Ledger ledger;
        ledger.id = ledger_id();
        ledger.name = "main";
        ledger.kind = kind;
        ledger.accounts = policy;
        rows.ledger_names.insert({default_organization, ledger.name});
        rows.ledgers.push_back(ledger);
        add(rows, world_address, 0);
        add(rows, platform_address, 0);
        return rows;
    }

    static void add(Loaded& rows, std::string address, Amount balance, Amount overdraft = 0,
                    Amount held = 0) {
        Account account;
        account.id = {make_uuid7(day_before, static_cast<std::uint32_t>(rows.accounts.size()), 7)};
        account.ledger = ledger_id();
        account.address = std::move(address);
        account.overdraft_limit = overdraft;
        account.standing.balance = balance;
        account.standing.held = held;
        rows.accounts.push_back(std::move(account));
    }

    static LedgerId ledger_id() { return {make_uuid7(day_before, 0, 1)}; }

    WorkingSet& set() { return set_; }

    Outcome decide(Command command, std::optional<KeyUse> use = {},
                   OrganizationId organization = default_organization) {
        Envelope envelope;
        envelope.organization = organization;
        envelope.key_use = use;
        envelope.request_id = "request-" + std::to_string(++decided_);
        envelope.nonce = decided_;
        envelope.command = std::move(command);
        return domain::decide(set_, envelope);
    }

    Outcome move(std::string from, std::string to, Amount amount, std::optional<KeyUse> use = {}) {
        return decide(movement(TransferKind::transfer, std::move(from), std::move(to), amount),
                      use);
    }

    Outcome deposit(std::string to, Amount amount) {
        return decide(movement(TransferKind::deposit, world_address, std::move(to), amount));
    }

    Outcome withdraw(std::string from, Amount amount) {
        return decide(movement(TransferKind::withdrawal, std::move(from), world_address, amount));
    }

    static MoveMoney movement(TransferKind kind, std::string from, std::string to, Amount amount) {
        return {ledger_id(), kind, Movement{std::move(from), std::move(to), amount}};
    }

    Amount balance(std::string const& address) const {
        auto const* account = set_.find_account(ledger_id(), address);
        BOOST_REQUIRE(account);
        return account->standing.balance;
    }

private:
    WorkingSet set_;
    std::uint64_t decided_ = 0;
};

/// The thing that was made; fails the test for a refusal and for anything else.
template <class T>
T made(Outcome const& outcome) {
    auto const* receipt = std::get_if<Receipt>(&outcome);
    BOOST_REQUIRE(receipt);
    auto const* what = std::get_if<T>(&receipt->what);
    BOOST_REQUIRE(what);
    return *what;
}

inline bool is_replayed(Outcome const& outcome) {
    auto const* receipt = std::get_if<Receipt>(&outcome);
    return receipt && receipt->replayed;
}

/// "insufficient_funds", "account_not_found /from", or "" for a receipt.
inline std::string refusal_of(Outcome const& outcome) {
    auto const* refusal = std::get_if<Refusal>(&outcome);
    if (!refusal) return "";
    std::string text = name_of(refusal->code);
    if (!refusal->pointer.empty()) text += " " + refusal->pointer;
    return text;
}

inline std::vector<EventType> types_of(Changes const& changes) {
    std::vector<EventType> types;
    for (auto const& event : changes.events) types.push_back(event.type);
    return types;
}

}  // namespace penstock::tests
