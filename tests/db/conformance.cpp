#include "tests/db/conformance.hpp"

#include <algorithm>
#include <array>

#include "tests/db/driver.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

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
Command create_organization(std::string name) { return CreateOrganization{std::move(name)}; }

Command create_ledger(std::string name) {
    CreateLedger command;
    command.draft.name = std::move(name);
    command.draft.asset_code = "EUR";
    command.draft.asset_scale = 2;
    command.draft.issuers = {"mint", "a \"quoted\" one"};
    return command;
}

Command create_account(Ledger const& ledger, std::string address, Amount overdraft = 0) {
    return CreateAccount{ledger.id, std::move(address), overdraft, R"({"a":1})"};
}

Command move(Ledger const& ledger, std::string from, std::string to, Amount amount,
             std::optional<std::string> reference = {}) {
    MoveMoney command;
    command.ledger = ledger.id;
    if (from == world_address) command.kind = TransferKind::deposit;
    if (to == world_address) command.kind = TransferKind::withdrawal;
    command.movement = {std::move(from), std::move(to), amount, std::move(reference)};
    return command;
}

Command deposit(Ledger const& ledger, std::string to, Amount amount) {
    return move(ledger, world_address, std::move(to), amount);
}

Command revert(Ledger const& ledger, Transfer const& original) {
    return RevertTransfer{ledger.id, original};
}

Command delete_ledger(Ledger const& ledger) { return DeleteLedger{ledger.id}; }

AccountName name_in(Ledger const& ledger, std::string address) {
    return {ledger.id, std::move(address)};
}

LedgerName named(Ledger const& ledger) { return {ledger.organization, ledger.name}; }

/// What reads need not tell.
Transfer without_key(Transfer transfer) {
    transfer.key_use.reset();
    return transfer;
}

/// Keys that no other rule or program uses.
KeyUse new_key(Driver& driver, std::uint8_t fingerprint = 1) {
    return use_of(driver.envelope(CreateOrganization{}).nonce, fingerprint);
}

asio::awaitable<Ledger> open_ledger(Driver& driver) {
    auto const name = "o-" + std::to_string(driver.envelope(CreateOrganization{}).nonce);
    auto const organization = co_await driver.one(create_organization(name));
    driver.organization = made<Organization>(organization).id;
    auto const ledger = co_await driver.one(create_ledger("main"));
    co_return made<Ledger>(ledger);
}

asio::awaitable<Ledger> open_ledger_of_two(Driver& driver) {
    auto ledger = co_await open_ledger(driver);
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(create_account(ledger, "alice")));
    batch.push_back(driver.envelope(create_account(ledger, "bob", 50)));
    batch.push_back(driver.envelope(deposit(ledger, "alice", 1000)));
    co_await driver.batch(std::move(batch));
    co_return ledger;
}

asio::awaitable<void> organizations_and_keys_are_kept(db::Store& store, Driver& driver) {
    co_await open_ledger(driver);
    auto const id = driver.organization;
    auto const organization = found(co_await store.find_organization(id, in_time()));
    BOOST_TEST((organization.id == id));
    auto const taken = co_await driver.one(create_organization(organization.name));
    BOOST_TEST(refusal_of(taken) == "organization_exists /name");
    std::vector<ApiKey> keys;
    for (std::uint8_t i = 0; i < 3; ++i) {
        CreateApiKey command{id, "key", 3, {}};
        std::copy_n(id.value.bytes.begin(), 16, command.digest.begin());
        command.digest[31] = i;
        Command const wanted = command;
        auto const outcome = co_await driver.one(wanted);
        keys.push_back(made<ApiKey>(outcome));
    }
    auto const first = found(co_await store.find_api_key(keys[0].digest, in_time()));
    BOOST_TEST((first == keys[0]));
    driver.at.ms += 10;
    Command const revoke = RevokeApiKey{id, keys[1].id};
    co_await driver.one(revoke);
    co_await driver.one(revoke);
    auto const listed = value_of(co_await store.list_api_keys(id, keys[0].id, 5, in_time()));
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0].revoked_at == driver.at));
    BOOST_TEST((listed[1] == keys[2]));
    auto const page = value_of(co_await store.list_organizations(std::nullopt, 1, in_time()));
    BOOST_REQUIRE(page.size() == 1u);
    BOOST_TEST((page[0].id == default_organization));
}

asio::awaitable<void> ledgers_are_found_changed_and_deleted(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger(driver);
    auto const second = made<Ledger>(co_await driver.one(create_ledger("second")));
    BOOST_TEST((found(co_await store.find_ledger(named(ledger), in_time())) == ledger));
    auto const page =
        value_of(co_await store.list_ledgers(driver.organization, ledger.name, 5, in_time()));
    BOOST_REQUIRE(page.size() == 1u);
    BOOST_TEST((page[0] == second));
    Command const change = ChangeLedger{ledger.id, Drain::expiration, {}, std::int16_t{55}};
    auto const changed = made<Ledger>(co_await driver.one(change));
    BOOST_TEST((found(co_await store.find_ledger(named(ledger), in_time())) == changed));

    co_await driver.one(create_account(ledger, "alice"));
    co_await driver.one(deposit(ledger, "alice", 1));
    auto const refused = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
    co_await driver.one(move(ledger, "alice", world_address, 1));
    auto const deleted = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(deleted) == "");
    auto const gone = value_of(co_await store.find_ledger(named(ledger), in_time()));
    BOOST_TEST(!gone.has_value());
    auto const late = co_await driver.one(deposit(ledger, "alice", 1));
    BOOST_TEST(refusal_of(late) == "ledger_not_found");
    auto const again = co_await driver.one(create_ledger(ledger.name));
    BOOST_TEST(refusal_of(again) == "");
}

asio::awaitable<void> accounts_are_paged_in_byte_order(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger(driver);
    for (auto const* address : {"b", "B", "a:1", "a.2", "a_", "a-"}) {
        std::string const name = address;
        auto const outcome = co_await driver.one(create_account(ledger, name, 7));
        auto const kept = found(co_await store.find_account(name_in(ledger, name), in_time()));
        BOOST_TEST((kept == made<Account>(outcome)));
    }
    db::AccountPage page;
    page.limit = 4;
    std::string order;
    for (int pages = 0; pages < 3; ++pages) {
        auto const listed = value_of(co_await store.list_accounts(ledger.id, page, in_time()));
        for (auto const& account : listed) order += account.address + ' ';
        if (!listed.empty()) page.after = listed.back().address;
    }
    BOOST_TEST(order == "B a- a.2 a:1 a_ b ");
    page = {};
    page.prefix = "a_";
    auto const literal = value_of(co_await store.list_accounts(ledger.id, page, in_time()));
    BOOST_TEST(literal.size() == 1u);
    page.prefix = "@";
    auto const system = value_of(co_await store.list_accounts(ledger.id, page, in_time()));
    BOOST_REQUIRE(system.size() == 2u);
    BOOST_TEST(system[0].address == platform_address);
    auto const nobody = value_of(co_await store.find_account(name_in(ledger, "nobody"), in_time()));
    BOOST_TEST(!nobody.has_value());
}

asio::awaitable<void> a_transfer_is_kept_as_it_was_decided(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    MoveMoney command{ledger.id, TransferKind::transfer,
                      Movement{"alice", "bob", 300, "a 'reference' é", R"({"k":"v"})"}};
    Command const wanted = command;
    auto const transfer = made<Transfer>(co_await driver.one(wanted, new_key(driver)));
    auto const kept = found(co_await store.find_transfer(ledger.id, transfer.id, in_time()));
    BOOST_TEST((without_key(kept) == without_key(transfer)));
    auto const alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.balance == 700);
    BOOST_TEST(alice.standing.version == 2);
    BOOST_TEST(alice.metadata == R"({"a":1})");
    BOOST_TEST((alice.standing.updated_at == driver.at));
    auto const other = made<Ledger>(co_await driver.one(create_ledger("other")));
    auto const elsewhere = value_of(co_await store.find_transfer(other.id, transfer.id, in_time()));
    BOOST_TEST(!elsewhere.has_value());
}

asio::awaitable<void> transfers_are_filtered_and_paged(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const start = driver.at;
    std::vector<Transfer> made_here;
    for (Amount i = 1; i <= 5; ++i) {
        driver.at.ms = start.ms + i * 10;
        std::string const reference = i % 2 == 0 ? "even" : "odd";
        auto const outcome = co_await driver.one(move(ledger, "alice", "bob", i, reference));
        made_here.push_back(made<Transfer>(outcome));
    }
    db::TransferPage page;
    page.limit = 2;
    auto listed = value_of(co_await store.list_transfers(ledger.id, page, in_time()));
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[4] && listed[1] == made_here[3]));
    page.before_id = listed[1].id;
    listed = value_of(co_await store.list_transfers(ledger.id, page, in_time()));
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[2]));

    db::TransferPage filtered;
    filtered.reference = "even";
    filtered.kind = TransferKind::transfer;
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_TEST(listed.size() == 2u);
    filtered = {};
    filtered.from = Instant{start.ms + 20};
    filtered.to = Instant{start.ms + 40};
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[2] && listed[1] == made_here[1]));
    filtered.account = "bob";
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_TEST(listed.size() == 2u);
    filtered.before_version = 3;
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_REQUIRE(listed.size() == 1u);
    BOOST_TEST((listed[0] == made_here[1]));
    filtered = {};
    filtered.account = "alice";
    filtered.kind = TransferKind::deposit;
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_TEST(listed.size() == 1u);
    filtered.account = "nobody";
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time()));
    BOOST_TEST(listed.empty());
}

asio::awaitable<void> entries_and_past_balances_agree(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const start = driver.at;
    for (Amount i = 1; i <= 4; ++i) {
        driver.at.ms = start.ms + i * 10;
        co_await driver.one(move(ledger, "alice", "bob", 100));
    }
    db::EntryPage page;
    page.limit = 3;
    auto entries = value_of(co_await store.list_entries(name_in(ledger, "alice"), page, in_time()));
    BOOST_REQUIRE(entries.size() == 3u);
    BOOST_TEST(entries[0].from.balance_after == 600);
    BOOST_TEST(entries[0].from.version == 5);
    page.before_version = entries[2].from.version;
    entries = value_of(co_await store.list_entries(name_in(ledger, "alice"), page, in_time()));
    BOOST_REQUIRE(entries.size() == 2u);
    BOOST_TEST(entries[1].to.balance_after == 1000);
    entries = value_of(co_await store.list_entries(name_in(ledger, "nobody"), page, in_time()));
    BOOST_TEST(entries.empty());

    struct Past {
        std::int64_t ms;
        Amount balance;
        std::int64_t version;
    };
    auto const rows = std::to_array<Past>(
        {{-1, 0, 0}, {0, 1000, 1}, {9, 1000, 1}, {10, 900, 2}, {29, 800, 3}, {99, 600, 5}});
    for (auto const& row : rows) {
        Instant const at{start.ms + row.ms};
        auto const past =
            found(co_await store.find_account_at(name_in(ledger, "alice"), at, in_time()));
        BOOST_TEST(past.balance == row.balance);
        BOOST_TEST(past.version == row.version);
    }
    auto const nobody =
        value_of(co_await store.find_account_at(name_in(ledger, "nobody"), driver.at, in_time()));
    BOOST_TEST(!nobody.has_value());
}

asio::awaitable<void> a_key_replays_what_it_made(db::Store&, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const use = new_key(driver);
    auto const command = move(ledger, "alice", "bob", 10);
    auto const first = co_await driver.one(command, use);
    driver.at.ms += 1000;
    auto const again = co_await driver.one(command, use);
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((without_key(made<Transfer>(again)) == without_key(made<Transfer>(first))));
    KeyUse other = use;
    other.fingerprint[0] = 2;
    auto const reused = co_await driver.one(command, other);
    BOOST_TEST(refusal_of(reused) == "idempotency_key_reused");

    auto const answer_use = new_key(driver);
    auto const envelope = driver.envelope(create_account(ledger, "carol"), answer_use);
    std::vector<Envelope> batch;
    batch.push_back(envelope);
    co_await driver.batch(std::move(batch));
    auto const replay = co_await driver.one(envelope.command, answer_use);
    BOOST_TEST(is_replayed(replay));
    Answer expected;
    expected.status = 201;
    expected.request_id = envelope.request_id;
    BOOST_TEST((made<Recorded>(replay) == Recorded{201, body_of(expected)}));
}

asio::awaitable<void> a_bulk_replays_every_item(db::Store&, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    MoveInBulk bulk{ledger.id, false, {}};
    for (Amount i = 0; i < 20; ++i)
        bulk.items.push_back({i % 3 == 0 ? "nobody" : "alice", "bob", 100 + i});
    Command const command = bulk;
    auto const use = new_key(driver);
    auto const first = made<BulkReceipt>(co_await driver.one(command, use));
    auto const again = co_await driver.one(command, use);
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<BulkReceipt>(again) == first));
}

asio::awaitable<void> a_key_past_its_retention_can_be_used_again(db::Store&, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const of_transfer = new_key(driver);
    auto const of_answer = new_key(driver);
    co_await driver.one(move(ledger, "alice", "bob", 1), of_transfer);
    co_await driver.one(create_account(ledger, "carol"), of_answer);
    driver.at.ms += 100;
    driver.keys_since = driver.at;
    auto const moved = co_await driver.one(move(ledger, "alice", "bob", 2), of_answer);
    BOOST_TEST(!is_replayed(moved));
    BOOST_TEST(made<Transfer>(moved).amount == 2);
    auto const account = co_await driver.one(create_account(ledger, "dave"), of_transfer);
    BOOST_TEST(made<Account>(account).address == "dave");
    auto const again = co_await driver.one(move(ledger, "alice", "bob", 2), of_answer);
    BOOST_TEST(is_replayed(again));
    auto const account_again = co_await driver.one(create_account(ledger, "dave"), of_transfer);
    BOOST_TEST(is_replayed(account_again));
}

asio::awaitable<void> a_transfer_is_reverted_once_for_ever(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const original = made<Transfer>(co_await driver.one(move(ledger, "alice", "bob", 5)));
    auto const reverse = made<Transfer>(co_await driver.one(revert(ledger, original)));
    auto const kept = found(co_await store.find_transfer(ledger.id, reverse.id, in_time()));
    BOOST_TEST((kept == reverse));
    auto const again = co_await driver.one(revert(ledger, original));
    BOOST_TEST(refusal_of(again) == "already_reverted");
}

asio::awaitable<void> an_abandoned_batch_leaves_nothing(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const use = new_key(driver);
    auto const command = move(ledger, "alice", "bob", 5);
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(command, use));
    batch.push_back(driver.envelope(create_account(ledger, "carol")));
    co_await driver.abandoned(std::move(batch));
    auto const alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.balance == 1000);
    auto const carol = value_of(co_await store.find_account(name_in(ledger, "carol"), in_time()));
    BOOST_TEST(!carol.has_value());
    auto const outcome = co_await driver.one(command, use);
    BOOST_TEST(!is_replayed(outcome));
}

asio::awaitable<void> totals_and_invariants_hold(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(move(ledger, "alice", "bob", 5));
    co_await driver.one(move(ledger, "bob", "alice", 55));
    co_await driver.one(deposit(ledger, "bob", 7));
    auto totals = value_of(co_await store.list_totals(ledger.id, in_time()));
    std::ranges::sort(totals, {}, &Total::kind);
    BOOST_REQUIRE(totals.size() == 2u);
    BOOST_TEST((totals[0] == Total{ledger.id, TotalKind::deposit, 2, 1007}));
    BOOST_TEST((totals[1] == Total{ledger.id, TotalKind::transfer, 2, 60}));
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    std::set<std::string> names;
    for (auto const& check : checks) {
        names.insert(check.name);
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }
    std::set<std::string> const expected{"balances_sum_to_zero", "balance_equals_transfers",
                                         "available_within_overdraft", "versions_without_gap",
                                         "totals_equal_transfers"};
    BOOST_TEST((names == expected));
}

asio::awaitable<void> the_extremes_of_amounts_are_kept(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    // More than one member may hold on the wire: the widest balances there are.
    MoveMoney largest{ledger.id, TransferKind::deposit, {world_address, "bob", INT64_MAX - 1000}};
    Command const command = largest;
    co_await driver.one(command);
    auto const world = name_in(ledger, world_address);
    auto const outside = found(co_await store.find_account(world, in_time()));
    BOOST_TEST(outside.standing.balance == -INT64_MAX);
    auto const over = co_await driver.one(deposit(ledger, "alice", 2));
    BOOST_TEST(refusal_of(over) == "amount_overflow");
    co_await driver.one(move(ledger, "bob", "alice", INT64_MAX - 1000));
    auto const totals = value_of(co_await store.list_totals(ledger.id, in_time()));
    BOOST_TEST(totals.size() == 2u);
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    for (auto const& check : checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

asio::awaitable<void> the_store_says_that_it_can_answer(db::Store& store, Driver&) {
    auto const error = co_await store.ping(in_time());
    BOOST_TEST(!error);
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

constexpr ConformanceRule rules[] = {
    PENSTOCK_RULE(organizations_and_keys_are_kept),
    PENSTOCK_RULE(ledgers_are_found_changed_and_deleted),
    PENSTOCK_RULE(accounts_are_paged_in_byte_order),
    PENSTOCK_RULE(a_transfer_is_kept_as_it_was_decided),
    PENSTOCK_RULE(transfers_are_filtered_and_paged),
    PENSTOCK_RULE(entries_and_past_balances_agree),
    PENSTOCK_RULE(a_key_replays_what_it_made),
    PENSTOCK_RULE(a_bulk_replays_every_item),
    PENSTOCK_RULE(a_key_past_its_retention_can_be_used_again),
    PENSTOCK_RULE(a_transfer_is_reverted_once_for_ever),
    PENSTOCK_RULE(an_abandoned_batch_leaves_nothing),
    PENSTOCK_RULE(totals_and_invariants_hold),
    PENSTOCK_RULE(the_extremes_of_amounts_are_kept),
    PENSTOCK_RULE(the_store_says_that_it_can_answer),
};

}  // namespace

std::span<ConformanceRule const> conformance_rules() { return rules; }

}  // namespace penstock::tests
