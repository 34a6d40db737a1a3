// What the rules of a store are written with: commands by function, and a ledger to begin with.
#pragma once

#include "tests/db/conformance.hpp"
#include "tests/db/driver.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result, result.error().message());
    return *std::move(result);
}

template <class T>
T found(Result<std::optional<T>> result) {
    auto value = value_of(std::move(result));
    BOOST_REQUIRE(value);
    return *std::move(value);
}

// Commands by function: a braced temporary beside a co_await is destroyed twice by g++ 12.
inline Command create_organization(std::string name) { return CreateOrganization{std::move(name)}; }

inline Command create_ledger(std::string name) {
    CreateLedger command;
    command.draft.name = std::move(name);
    command.draft.asset_code = "EUR";
    command.draft.asset_scale = 2;
    command.draft.issuers = {"mint", "a \"quoted\" one"};
    return command;
}

inline Command create_account(Ledger const& ledger, std::string address, Amount overdraft = 0) {
    return CreateAccount{ledger.id, std::move(address), overdraft, R"({"a":1})"};
}

inline Command move(Ledger const& ledger, std::string from, std::string to, Amount amount,
                    std::optional<std::string> reference = {}) {
    MoveMoney command;
    command.ledger = ledger.id;
    if (from == world_address) command.kind = TransferKind::deposit;
    if (to == world_address) command.kind = TransferKind::withdrawal;
    command.movement = {std::move(from), std::move(to), amount, std::move(reference)};
    return command;
}

inline Command deposit(Ledger const& ledger, std::string to, Amount amount) {
    return move(ledger, world_address, std::move(to), amount);
}

inline Command delete_ledger(Ledger const& ledger) { return DeleteLedger{ledger.id}; }

inline AccountName name_in(Ledger const& ledger, std::string address) {
    return {ledger.id, std::move(address)};
}

/// Keys that no other rule or program uses.
inline KeyUse new_key(Driver& driver, std::uint8_t fingerprint = 1) {
    return use_of(driver.envelope(CreateOrganization{}).nonce, fingerprint);
}

inline asio::awaitable<Ledger> open_ledger(Driver& driver) {
    auto const name = "o-" + std::to_string(driver.envelope(CreateOrganization{}).nonce);
    auto const organization = co_await driver.one(create_organization(name));
    driver.organization = made<Organization>(organization).id;
    auto const ledger = co_await driver.one(create_ledger("main"));
    co_return made<Ledger>(ledger);
}

inline asio::awaitable<Ledger> open_ledger_of_two(Driver& driver) {
    auto ledger = co_await open_ledger(driver);
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(create_account(ledger, "alice")));
    batch.push_back(driver.envelope(create_account(ledger, "bob", 50)));
    batch.push_back(driver.envelope(deposit(ledger, "alice", 1000)));
    co_await driver.batch(std::move(batch));
    co_return ledger;
}

/// A rule with a driver of its own, which ends whatever the rule comes to.
template <auto rule>
asio::awaitable<void> check(db::Store& store) {
    auto const executor = co_await asio::this_coro::executor;
    Driver driver{executor, store};
    std::exception_ptr failure;
    try {
        co_await rule(store, driver);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await driver.finish();
    if (failure) std::rethrow_exception(failure);
}

#define PENSTOCK_RULE(rule) \
    ConformanceRule { #rule, check < rule> }

}  // namespace penstock::tests
