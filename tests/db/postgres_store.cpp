// Does every row come back as it was written, by the plans that were meant?
#include "db/postgres_store.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <span>

#include "db/sql.hpp"
#include "tests/db/conformance.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/sale_rules.hpp"
#include "tests/db/statistics.hpp"
#include "tests/domain/scene.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Books;
using tests::Driver;
using tests::found;
using tests::LivingWriter;
using tests::soon;
using tests::with_store;

namespace {

tests::MigratedDatabase& database() {
    static tests::MigratedDatabase instance;
    return instance;
}

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result.has_value(), result.error().message());
    return std::move(*result);
}

Organization some_organization(std::string name) { return {{Books::next()}, name, Books::now}; }

ApiKey some_api_key(OrganizationId organization, std::string name) {
    ApiKey key{{Books::next()}, organization, std::move(name), 5, {}, Books::now};
    std::copy_n(key.id.value.bytes.begin(), 16, key.digest.begin());
    return key;
}

/// Transfers of every shape, on accounts a, b and c.
std::vector<Transfer> varied_transfers(Books& books) {
    std::vector<Transfer> all;
    all.push_back(books.book("@world", "a", 1000, TransferKind::deposit));
    all.back().key_use = tests::some_key();
    all.push_back(books.book("a", "b", 300));
    all.back().reference = "invoice 7";
    all.back().metadata = R"({"shop":"Zoë","n":1})";
    all.push_back(books.book("b", "a", 300, TransferKind::revert));
    all.back().reverts = all[1].id;
    all.push_back(books.book("a", "c", 1));
    all.back().reference = "invoice 7";
    all.push_back(books.book("a", "@world", 99, TransferKind::withdrawal));
    return all;
}

std::vector<Transfer> newest_first(std::vector<Transfer> transfers) {
    std::reverse(transfers.begin(), transfers.end());
    return transfers;
}

std::vector<Transfer> only(std::vector<Transfer> const& transfers,
                           std::initializer_list<std::size_t> places) {
    std::vector<Transfer> chosen;
    for (auto const place : places) chosen.push_back(transfers.at(place));
    return chosen;
}

asio::awaitable<void> list_by_every_filter(db::Store& store, Books const& books,
                                           std::vector<Transfer> const& all) {
    auto const ledger = books.ledger.id;
    db::TransferPage page;
    auto listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST((listed == newest_first(all)));
    page.limit = 2;
    page.before_id = all[3].id;
    listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST((listed == only(all, {2, 1})));
    page.reference = "invoice 7";
    listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST((listed == only(all, {1})));
    page = {};
    page.account = "b";
    listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST((listed == only(all, {2, 1})));
    page.kind = TransferKind::revert;
    listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST((listed == only(all, {2})));
    page.from = Instant{Books::now.ms + 1};
    listed = value_of(co_await store.list_transfers(ledger, page, soon())).items;
    BOOST_TEST(listed.empty());

    db::EntryPage entries;
    entries.before = db::Booking{Books::now, 5};
    entries.limit = 3;
    listed = value_of(co_await store.list_entries(books.name("a"), entries, soon()));
    BOOST_TEST((listed == only(all, {3, 2, 1})));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postgres_store)

BOOST_AUTO_TEST_CASE(keeps_every_rule_of_a_store) {
    for (auto const rules : {tests::conformance_rules(), tests::sale_rules()}) {
        BOOST_TEST(!rules.empty());
        for (auto const& rule : rules) {
            BOOST_TEST_CONTEXT(rule.name) {
                auto body = [&](db::Store& store, LivingWriter&,
                                LivingWriter&) -> asio::awaitable<void> {
                    co_await rule.check(store);
                };
                with_store(database().store_options(), body);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(organizations_and_their_keys_come_back) {
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        auto const organization = some_organization("round trip");
        auto const first = some_api_key(organization.id, "first");
        auto second = some_api_key(organization.id, "second");
        Changes changes;
        changes.new_organizations = {organization};
        changes.new_api_keys = {first, second};
        co_await tests::write(one, KeySet(), changes);
        Changes revoking;
        second.revoked_at = Instant{Books::now.ms + 1};
        revoking.revoked_api_keys.emplace_back(second.id, *second.revoked_at);
        co_await tests::write(one, KeySet(), revoking);

        KeySet keys;
        keys.organizations = {organization.id, {Books::next()}};
        keys.organization_names = {"round trip", "default", "nobody"};
        keys.api_keys = {second.id};
        auto const loaded = value_of(co_await one->load(keys, soon()));
        co_await one->abandon();
        BOOST_TEST((loaded.organizations == std::set{organization.id}));
        BOOST_TEST((loaded.organization_names == std::set<std::string>{"round trip", "default"}));
        BOOST_TEST((loaded.api_keys == std::vector{second}));

        auto const by_id = value_of(co_await store.find_organization(organization.id, soon()));
        BOOST_TEST((by_id == organization));
        std::vector<SecretDigest> const secrets{second.digest, SecretDigest{}};
        auto const by_digest = value_of(co_await store.find_api_keys(secrets, soon()));
        BOOST_TEST((by_digest == std::vector{second}));
        auto const page =
            value_of(co_await store.list_api_keys(organization.id, first.id, 9, soon()));
        BOOST_TEST((page == std::vector{second}));
        auto const all = value_of(co_await store.list_organizations(std::nullopt, 1, soon()));
        BOOST_TEST_REQUIRE(all.size() == 1u);
        BOOST_TEST((all.front().id == default_organization));
        auto const next = value_of(co_await store.list_organizations(all[0].id, 1, soon()));
        BOOST_TEST_REQUIRE(next.size() == 1u);
        BOOST_TEST((next.front().id > default_organization));
        auto const error = co_await store.ping(soon());
        BOOST_TEST(!error);
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_ledger_comes_back_changed_and_a_deleted_one_does_not) {
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("comes back");
        auto& ledger = books.ledger;
        ledger.kind = LedgerKind::credits;
        ledger.posting = Posting::hot;
        ledger.accounts = AccountPolicy::implicit;
        ledger.issuers = {"z", "a", ""};
        co_await found(one, books);
        ledger.drain = Drain::expiration;
        ledger.issuers.clear();
        ledger.royalty_percent = 3;
        Changes changes;
        changes.changed_ledgers = {ledger};
        co_await tests::write(one, KeySet(), changes);
        LedgerName const name{default_organization, "comes back"};
        auto const changed = value_of(co_await store.find_ledger(name, soon()));
        BOOST_TEST((changed == ledger));
        auto const listed =
            value_of(co_await store.list_ledgers(default_organization, "comes bac", 1, soon()));
        BOOST_TEST((listed == std::vector{ledger}));

        // Its name is free in the same batch.
        Books again("comes back");
        Changes deleting;
        deleting.deleted_ledgers.emplace_back(ledger.id, Books::now);
        deleting.new_ledgers = {again.ledger};
        co_await tests::write(one, KeySet(), deleting);
        auto const other = value_of(co_await store.find_ledger(name, soon()));
        BOOST_TEST((other == again.ledger));
        KeySet keys;
        keys.ledgers = {ledger.id, again.ledger.id};
        keys.ledger_names = {name, {default_organization, "nothing"}};
        auto const loaded = value_of(co_await one->load(keys, soon()));
        co_await one->abandon();
        BOOST_TEST((loaded.ledgers == std::vector{again.ledger}));
        BOOST_TEST((loaded.ledger_names == std::set{name}));
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(transfers_come_back_by_every_route) {
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("routes");
        for (auto const* address : {"a", "b", "c"}) books.open(address);
        books.accounts.at("b").metadata = R"({"x":1})";
        books.accounts.at("b").overdraft_limit = 7;
        co_await found(one, books);
        auto const all = varied_transfers(books);
        Changes changes;
        changes.transfers = all;
        changes.changed_accounts = books.all_accounts();
        for (auto const kind : {TransferKind::deposit, TransferKind::transfer, TransferKind::revert,
                                TransferKind::withdrawal})
            changes.totals.push_back(books.total(all, kind));
        co_await tests::write(one, books.keys(), changes);

        auto const ledger = books.ledger.id;
        auto const account = value_of(co_await store.find_account(books.name("b"), soon()));
        BOOST_TEST((account == books.accounts.at("b")));
        auto const found = value_of(co_await store.find_transfer(ledger, all[1].id, soon()));
        BOOST_TEST((found == all[1]));
        auto const totals = value_of(co_await store.list_totals(ledger, soon()));
        BOOST_TEST(totals.size() == 4u);

        co_await list_by_every_filter(store, books, all);
        auto past = value_of(co_await store.find_account_at(books.name("a"), Books::now, soon()));
        BOOST_TEST_REQUIRE(past.has_value());
        BOOST_TEST(past->balance == 900);
        BOOST_TEST(past->version == 5);
        Instant const long_ago{5};
        past = value_of(co_await store.find_account_at(books.name("a"), long_ago, soon()));
        BOOST_TEST_REQUIRE(past.has_value());
        BOOST_TEST(past->version == 0);
        past = value_of(co_await store.find_account_at(books.name("?"), Books::now, soon()));
        BOOST_TEST(!past.has_value());

        db::AccountPage accounts;
        auto const people = value_of(co_await store.list_accounts(ledger, accounts, soon()));
        BOOST_TEST(people.size() == 3u);
        accounts.prefix = "@";
        auto const system = value_of(co_await store.list_accounts(ledger, accounts, soon()));
        BOOST_TEST_REQUIRE(system.size() == 1u);
        BOOST_TEST((system.front() == books.accounts.at("@world")));

        KeySet keys;
        keys.reverted = {all[0].id, all[1].id};
        keys.keys = {all[0].key_use->key};
        auto const loaded = value_of(co_await one->load(keys, soon()));
        co_await one->abandon();
        BOOST_TEST((loaded.reverted == std::set{all[1].id}));
        BOOST_TEST_REQUIRE(loaded.keys.size() == 1u);
        BOOST_TEST((std::get<0>(loaded.keys[0].second.made) == all[0]));
        for (auto const& check : value_of(co_await store.verify(ledger, soon())))
            BOOST_TEST(check.ok, check.name << ": " << check.detail);
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(answers_come_back_until_their_keys_are_freed) {
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("answers");
        for (auto const* address : {"a", "b"}) books.open(address);
        co_await found(one, books);
        Answer plain{tests::some_key(), {}, 201, "{\"a\":1}", "request 1", {}, {}, Books::now};
        Answer bulk{tests::some_key(), books.ledger.id, 200, "", "request 2", {}, {}, Books::now};
        Changes changes;
        for (int i = 0; i < 3; ++i) changes.transfers.push_back(books.book("@world", "a", 1));
        auto& transfers = changes.transfers;
        bulk.items = {-1, 4, -1, -1};
        bulk.transfers = {transfers[2].id, transfers[0].id, transfers[1].id};
        changes.answers = {plain, bulk};
        co_await tests::write(one, books.keys(), changes);

        KeySet keys;
        keys.keys = {plain.key_use.key, bulk.key_use.key, {Books::next()}};
        auto const loaded = value_of(co_await one->load(keys, soon()));
        co_await one->abandon();
        BOOST_TEST_REQUIRE(loaded.keys.size() == 2u);
        for (auto const& [key, record] : loaded.keys) {
            auto const& [answer, made] = std::get<1>(record.made);
            BOOST_TEST((answer == (key == plain.key_use.key ? plain : bulk)));
            BOOST_TEST((record.fingerprint == answer.key_use.fingerprint));
            if (key == bulk.key_use.key) BOOST_TEST((made == only(transfers, {2, 0, 1})));
        }
        Changes freeing;
        freeing.freed_keys = {plain.key_use.key, bulk.key_use.key};
        freeing.answers = {plain};
        co_await tests::write(one, keys, freeing);
        auto const after = value_of(co_await one->load(keys, soon()));
        co_await one->abandon();
        BOOST_TEST(after.keys.size() == 1u);
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(totals_may_exceed_64_bits) {
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        LedgerId const ledger{Books::next()};
        Sum const much = Sum{amount_max} * 100'000 + 1;
        Changes changes;
        changes.totals.push_back({ledger, TotalKind::deposit, 2, much});
        co_await tests::write(one, KeySet(), changes);
        co_await tests::write(one, KeySet(), changes);
        auto const totals = value_of(co_await store.list_totals(ledger, soon()));
        BOOST_TEST_REQUIRE(totals.size() == 1u);
        BOOST_TEST((totals.front() == Total{ledger, TotalKind::deposit, 4, much * 2}));
    };
    with_store(database().store_options(), body);
}

/// One stream each that is active, paused, settled, withdrawn, cancelled and a draft.
asio::awaitable<void> run_streams(Driver& driver, LedgerId ledger) {
    using enum StreamAction;
    CreateStream create{ledger, {}};
    create.draft.sender.address = "alice";
    create.draft.recipient.address = "bob";
    create.draft.total = 100;
    create.draft.duration = std::chrono::seconds{1'000};
    std::vector<Envelope> batch;
    for (int i = 0; i < 6; ++i) batch.push_back(driver.envelope(create));
    auto const drafts = co_await driver.batch(std::move(batch));
    auto const act = [&](std::size_t stream, StreamAction action, Amount amount = 0) {
        ActOnStream command{ledger, tests::made<Streamed>(drafts.at(stream)).stream, action};
        if (amount > 0) command.amount = amount;
        return driver.envelope(command);
    };
    std::vector<Envelope> starts;
    for (std::size_t i = 0; i < 5; ++i) starts.push_back(act(i, start));
    co_await driver.batch(std::move(starts));
    driver.at.ms += 400'000;
    std::vector<Envelope> ends;
    ends.push_back(act(0, withdraw, 10));
    ends.push_back(act(1, StreamAction::pause));
    ends.push_back(act(2, settle));
    ends.push_back(act(3, settle));
    ends.push_back(act(3, withdraw));
    ends.push_back(act(4, withdraw, 10));
    ends.push_back(act(4, cancel));
    for (auto const& outcome : co_await driver.batch(std::move(ends)))
        BOOST_TEST(tests::refusal_of(outcome) == "");
}

/// A ledger with a deposit, two purchases (one of them refunded), three holds (open, voided and
/// captured in part) and streams, decided by the rules.
asio::awaitable<LedgerId> sound_ledger(Driver& driver) {
    CreateLedger create;
    create.draft.name = "l-" + Books::next().to_string();
    auto const ledger = tests::made<Ledger>(co_await driver.one(create)).id;
    std::vector<Envelope> batch;
    for (auto const* address : {"alice", "bob"})
        batch.push_back(driver.envelope(CreateAccount{ledger, address}));
    MoveMoney const deposit{ledger, TransferKind::deposit, Movement{"@world", "alice", 1000}};
    batch.push_back(driver.envelope(deposit));
    for (int i = 0; i < 2; ++i)
        batch.push_back(driver.envelope(MakePurchase{ledger, "alice", "bob", 99}));
    for (Amount const amount : {5, 7, 9})
        batch.push_back(driver.envelope(PlaceHold{ledger, "alice", "bob", amount}));
    auto const outcomes = co_await driver.batch(std::move(batch));
    std::vector<Envelope> ends;
    ends.push_back(driver.envelope(RefundPurchase{ledger, tests::made<Purchase>(outcomes.at(4))}));
    ends.push_back(driver.envelope(VoidHold{ledger, tests::made<Hold>(outcomes.at(6))}));
    ends.push_back(driver.envelope(CaptureHold{ledger, tests::made<Hold>(outcomes.at(7)), 8}));
    co_await driver.batch(std::move(ends));
    co_await run_streams(driver, ledger);
    co_return ledger;
}

/// The names of the checks that fail.
asio::awaitable<std::string> failing(db::Store& store, LedgerId ledger) {
    std::string names;
    auto const checks = value_of(co_await store.verify(ledger, soon()));
    BOOST_TEST(checks.size() == 14u);
    for (auto const& check : checks) {
        BOOST_TEST(!check.detail.empty(), check.name);
        if (!check.ok) names += check.name + ' ';
    }
    co_return names;
}

struct Tampering {
    char const* statement;  ///< L stands for the ledger
    char const* failing;
};

constexpr Tampering tamperings[] = {
    {"UPDATE accounts SET version = version WHERE ledger_id = L", ""},
    {"UPDATE accounts SET balance = balance + 1 WHERE ledger_id = L AND address = 'bob'",
     "balances_sum_to_zero balance_equals_transfers "},
    {"UPDATE transfers SET to_balance = to_balance + 1 WHERE ledger_id = L AND kind = 8",
     "balance_equals_transfers "},
    {"UPDATE accounts SET overdraft_limit = -900 WHERE ledger_id = L AND address = 'alice'",
     "available_within_overdraft "},
    {"UPDATE accounts SET version = version + 1 WHERE ledger_id = L AND address = 'bob'",
     "versions_without_gap "},
    {"UPDATE accounts SET held = 6 WHERE ledger_id = L AND address = 'alice'",
     "held_equals_open_holds "},
    {"UPDATE holds SET amount = 6 WHERE ledger_id = L AND status = 0", "held_equals_open_holds "},
    {"UPDATE holds SET from_account = to_account WHERE ledger_id = L AND status = 0",
     "held_equals_open_holds "},
    {"DELETE FROM holds WHERE ledger_id = L AND status = 0", "held_equals_open_holds "},
    {"UPDATE holds SET captured_amount = 9 WHERE ledger_id = L AND status = 1", "holds_end_once "},
    {"UPDATE holds SET transfer = id WHERE ledger_id = L AND status = 1", "holds_end_once "},
    {"UPDATE holds SET status = 3 WHERE ledger_id = L AND status = 1", "holds_end_once "},
    {"UPDATE holds SET ended_at = NULL WHERE ledger_id = L AND status = 2", "holds_end_once "},
    {"UPDATE transfers SET cause = NULL WHERE ledger_id = L AND kind = 8", "holds_end_once "},
    {"DELETE FROM events WHERE scope_id = L AND type = 2", "holds_end_once "},
    {"UPDATE events SET type = 3 WHERE scope_id = L AND type = 1", "holds_end_once "},
    {"INSERT INTO events (scope_id, id, organization_id, type, subject)"
     " SELECT scope_id, gen_random_uuid(), organization_id, type, subject FROM events"
     " WHERE scope_id = L AND type = 2",
     "holds_end_once "},
    {"UPDATE transfers SET cause = NULL WHERE ledger_id = L AND kind = 5",
     "purchases_equal_royalties "},
    {"UPDATE transfers SET cause = NULL WHERE ledger_id = L AND kind = 7",
     "purchases_equal_royalties "},
    {"UPDATE transfers SET kind = 6 WHERE ledger_id = L AND kind = 5",
     "purchases_equal_royalties totals_equal_transfers "},
    {"UPDATE purchases SET author_amount = 70, platform_amount = 29 WHERE ledger_id = L",
     "purchases_equal_royalties "},
    {"UPDATE purchases SET author = buyer WHERE ledger_id = L", "purchases_equal_royalties "},
    {"UPDATE purchases SET royalty_percent = 71 WHERE ledger_id = L", "purchases_equal_royalties "},
    {"UPDATE purchases SET refunded_at = NULL, author_refund = NULL WHERE ledger_id = L",
     "purchases_equal_royalties "},
    {"UPDATE purchases SET author_refund = 1 WHERE ledger_id = L AND refunded_at IS NOT NULL",
     "purchases_equal_royalties "},
    {"UPDATE accounts SET fraction = 31 WHERE ledger_id = L AND address = 'bob'",
     "purchases_equal_royalties "},
    {"UPDATE accounts SET fraction = 1 WHERE ledger_id = L AND address = '@platform'",
     "purchases_equal_royalties "},
    {"UPDATE ledger_totals SET amount = amount + 1 WHERE ledger_id = L AND kind = 1",
     "totals_equal_transfers "},
    {"UPDATE ledger_totals SET count = count + 1 WHERE ledger_id = L AND kind = 100",
     "totals_equal_transfers "},
    {"DELETE FROM ledger_totals WHERE ledger_id = L AND kind = 100", "totals_equal_transfers "},
    {"UPDATE streams SET released = released + 1 WHERE ledger_id = L AND status = 1",
     "streams_equal_transfers escrow_equals_streams "},
    {"UPDATE streams SET refunded = refunded + 1 WHERE ledger_id = L AND status = 3",
     "streams_equal_transfers escrow_equals_streams streams_within_vested "},
    {"UPDATE streams SET total = total + 1 WHERE ledger_id = L AND status = 1",
     "streams_equal_transfers escrow_equals_streams "},
    {"UPDATE streams SET status = 4 WHERE ledger_id = L AND status = 1",
     "escrow_equals_streams streams_within_vested "},
    {"UPDATE streams SET status = 5 WHERE ledger_id = L AND status = 4", "streams_within_vested "},
    {"UPDATE streams SET status = 1 WHERE ledger_id = L AND status = 0", "streams_within_vested "},
    {"UPDATE streams SET paused_at = updated_at WHERE ledger_id = L AND status = 1",
     "streams_within_vested "},
    {"UPDATE streams SET ended_at = NULL WHERE ledger_id = L AND status = 5",
     "streams_within_vested "},
    {"UPDATE streams SET settled_at = NULL WHERE ledger_id = L AND status = 3",
     "streams_equal_transfers streams_within_vested "},
    {"UPDATE streams SET ends_at = ends_at - interval '1 ms' WHERE ledger_id = L AND status = 1",
     "streams_within_vested "},
    {"UPDATE streams SET ends_at = ends_at + interval '1 day' WHERE ledger_id = L AND status = 3",
     "streams_within_vested "},
    {"UPDATE streams SET updated_at = started_at WHERE ledger_id = L AND status = 1",
     "streams_within_vested "},
    {"UPDATE streams SET released = 0 WHERE ledger_id = L AND status = 4",
     "streams_equal_transfers escrow_equals_streams streams_within_vested "},
    {"UPDATE streams SET started_at = NULL, ends_at = NULL WHERE ledger_id = L AND status = 2",
     "streams_equal_transfers escrow_equals_streams streams_within_vested "},
    {"UPDATE streams SET sender = recipient WHERE ledger_id = L AND status = 1",
     "streams_equal_transfers "},
    {"DELETE FROM streams WHERE ledger_id = L AND status = 0", "escrow_equals_streams "},
    {"DELETE FROM streams WHERE ledger_id = L AND status = 1",
     "streams_equal_transfers escrow_equals_streams "},
    {"UPDATE transfers SET cause = NULL WHERE ledger_id = L AND kind = 10",
     "streams_equal_transfers "},
    {"UPDATE transfers SET kind = 12 WHERE ledger_id = L AND kind = 10",
     "totals_equal_transfers streams_equal_transfers "},
    {"UPDATE accounts SET balance = balance + 1 WHERE ledger_id = L AND address LIKE '@stream:%'",
     "balances_sum_to_zero balance_equals_transfers escrow_equals_streams "},
};

/// As many at a time as a test's deadline is sure to allow.
constexpr std::size_t tamperings_at_once = 6;

BOOST_AUTO_TEST_CASE(verify_finds_what_was_tampered_with) {
    auto sql = database().connect();
    std::span<Tampering const> left(tamperings);
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        std::exception_ptr failure;
        try {
            auto const some = left.first(std::min(left.size(), tamperings_at_once));
            for (auto const& [statement, expected] : some) {
                auto const ledger = co_await sound_ledger(driver);
                std::string text = statement;
                auto const quoted = '\'' + ledger.to_string() + '\'';
                text.replace(text.find(" L") + 1, 1, quoted);
                sql(text);
                auto const names = co_await failing(store, ledger);
                BOOST_TEST(names == expected, statement << ": " << names);
            }
            left = left.subspan(some.size());
        } catch (...) {
            failure = std::current_exception();
        }
        co_await driver.finish();
        if (failure) std::rethrow_exception(failure);
    };
    while (!left.empty()) with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_store_without_a_server_says_unavailable) {
    auto const nowhere = std::string("postgresql://postgres@/x?host=/nonexistent");
    db::PostgresOptions options(db::pg::Address::parse(nowhere).value());
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        auto const deadline = steady_now() + milliseconds{100};
        auto const error = co_await store.ping(deadline);
        BOOST_TEST((error == db::Errc::unavailable), error.message());
        auto const loaded = co_await one->load(KeySet(), deadline);
        BOOST_TEST((loaded.error() == db::Errc::unavailable), loaded.error().message());
    };
    with_store(options, body);
}

// The plans are made while the tables are empty and must still be right when they are not.
BOOST_AUTO_TEST_CASE(plans_made_on_empty_tables_walk_indexes_and_only_their_own_rows) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    constexpr int rows = 20'000, batch = 10'000;
    auto body = [&](db::Store& store, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("plans");
        for (int i = 0; i < 100; ++i) books.open("account " + std::to_string(i));
        Answer answer{tests::some_key(), books.ledger.id, 200, "", "", {}, {}, Books::now};
        std::optional<Transfer> some;
        auto use_everything = [&]() -> asio::awaitable<void> {
            auto keys = books.keys();
            keys.keys = {answer.key_use.key, {Books::next()}};
            keys.reverted = {{Books::next()}};
            auto const loaded = value_of(co_await one->load(std::move(keys), soon()));
            co_await one->abandon();
            db::TransferPage page;
            page.limit = 5;
            auto const ledger = books.ledger.id;
            static_cast<void>(value_of(co_await store.list_transfers(ledger, page, soon())).items);
            page.reference = "one in a thousand";
            static_cast<void>(value_of(co_await store.list_transfers(ledger, page, soon())).items);
            page.reference.reset();
            page.account = "account 7";
            static_cast<void>(value_of(co_await store.list_transfers(ledger, page, soon())).items);
            auto const name = books.name("account 8");
            static_cast<void>(value_of(co_await store.find_account_at(name, Books::now, soon())));
            static_cast<void>(value_of(co_await store.find_account(name, soon())));
            TransferId const id = some ? some->id : TransferId{Books::next()};
            auto const one_of_them = value_of(co_await store.find_transfer(ledger, id, soon()));
            BOOST_TEST(one_of_them.has_value() == some.has_value());
        };
        co_await use_everything();
        co_await found(one, books);
        for (int done = 0; done < rows; done += batch) {
            Changes changes;
            for (int i = 0; i < batch; ++i) {
                auto const to = "account " + std::to_string(i % 100);
                changes.transfers.push_back(books.book("@world", to, 1, TransferKind::deposit));
                if (i % 1000 == 0) changes.transfers.back().reference = "one in a thousand";
            }
            some = changes.transfers[77];
            changes.changed_accounts = books.all_accounts();
            changes.totals.push_back(books.total(changes.transfers, TransferKind::deposit));
            if (done == 0) {
                for (int i = 0; i < 50; ++i) answer.transfers.push_back(changes.transfers[i].id);
                answer.items.assign(50, -1);
                changes.answers = {answer};
            }
            co_await tests::write(one, books.keys(), std::move(changes));
        }
        for (int i = 0; i < 10; ++i) co_await use_everything();
    };
    with_store(fresh.store_options(), body);

    auto sql = fresh.connect();
    sql.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", "1");
    BOOST_TEST(sql("SELECT string_agg(relname || ' ' || seq_scan, ', ') FROM pg_stat_user_tables"
                   " WHERE relname IN ('transfers', 'accounts', 'answers') AND seq_tup_read > 0") ==
               "");
    // Eleven rounds, each of about 50 rows for the bulk answer and 5 for every other read.
    BOOST_TEST(sql("SELECT string_agg(indexrelname || ' ' || idx_tup_read, ', ')"
                   " FROM pg_stat_user_indexes WHERE relname = 'transfers'"
                   " AND idx_tup_read > 1500") == "");
}

/// `count` deposits on one account, a hundred in each millisecond.
asio::awaitable<void> book_many(LivingWriter& writer, Books& books, int count,
                                std::optional<std::string> reference = {}) {
    constexpr int batch = 10'000;
    auto const start = Books::now;
    for (int done = 0; done < count; done += batch) {
        Changes changes;
        for (int i = 0; i < batch; ++i) {
            Books::now.ms = start.ms + (done + i) / 100;
            changes.transfers.push_back(books.book("@world", "a", 1, TransferKind::deposit));
            changes.transfers.back().reference = reference;
        }
        changes.changed_accounts = books.all_accounts();
        co_await tests::write(writer, books.keys(), std::move(changes));
    }
    Books::now = start;
}

// An index condition that only the end of a page's range knows would walk there from the newest
// entry; the statistics count its blocks, whether or not it gives rows away.
BOOST_AUTO_TEST_CASE(a_page_of_an_account_costs_the_same_at_any_depth) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    constexpr int rows = 20'000, pages = 40, limit = 5;
    Books books("depth");
    books.open("a");
    auto load = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        co_await found(one, books);
        co_await book_many(one, books, rows);
    };
    with_store(fresh.store_options(), load);
    auto sql = fresh.connect();
    auto const sessions =
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'";
    sql.await(sessions, "1");
    sql("SELECT pg_stat_reset()");
    auto read = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        db::EntryPage page;
        page.limit = limit;
        db::TransferPage filtered;
        filtered.account = "a";
        filtered.limit = limit;
        for (int i = 0; i < pages; ++i) {
            std::int64_t const version = 100 + i * (rows / pages);
            page.before = db::Booking{{Books::now.ms + (version - 1) / 100}, version};
            auto const name = books.name("a");
            auto const entries = value_of(co_await store.list_entries(name, page, soon()));
            BOOST_TEST_REQUIRE(entries.size() == static_cast<std::size_t>(limit));
            BOOST_TEST(entries.front().to.version == version - 1);
            filtered.before = page.before;
            auto const same =
                value_of(co_await store.list_transfers(books.ledger.id, filtered, soon())).items;
            BOOST_TEST((same == entries));
        }
    };
    with_store(fresh.store_options(), read);
    sql.await(sessions, "1");
    // A descent of the tree and a leaf or two each time; the whole index has over a hundred blocks.
    auto const read_of = [&](std::string const& index) {
        return std::stoi(
            sql("SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes"
                " WHERE indexrelname = '" +
                index + "'"));
    };
    for (auto const* index : {"transfers_by_to", "transfers_by_from"})
        BOOST_TEST(read_of(index) <= 2 * pages * 6, index << " " << read_of(index));
    auto const size = sql("SELECT pg_relation_size('transfers_by_to') / 8192");
    BOOST_TEST(std::stoi(size) > 50, size);
}

BOOST_AUTO_TEST_CASE(a_page_of_what_an_account_hardly_has_reads_a_bounded_number_of_rows) {
    tests::MigratedDatabase fresh;
    tests::keep_autovacuum_away(fresh);
    constexpr int rows = 20'000, pages = 10, looked_at = 300;
    Books books("rare");
    books.open("a");
    books.open("b");
    auto load = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        co_await found(one, books);
        co_await book_many(one, books, rows, "one for all");
    };
    with_store(fresh.store_options(), load);
    auto sql = fresh.connect();
    auto const sessions =
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'";
    sql.await(sessions, "1");
    sql("SELECT pg_stat_reset()");
    auto read = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        db::TransferPage of_kind;
        of_kind.account = "a";
        of_kind.kind = TransferKind::withdrawal;
        of_kind.scan_max = looked_at;
        db::TransferPage of_reference;
        of_reference.account = "b";
        of_reference.reference = "one for all";
        of_reference.scan_max = looked_at;
        auto const ledger = books.ledger.id;
        for (int i = 0; i < pages; ++i) {
            auto const page = value_of(co_await store.list_transfers(ledger, of_kind, soon()));
            BOOST_TEST(page.items.empty());
            BOOST_TEST_REQUIRE(page.scanned_to.has_value());
            of_kind.before = db::booking_of(*page.scanned_to, "a");
            auto const same = value_of(co_await store.list_transfers(ledger, of_reference, soon()));
            BOOST_TEST(same.items.empty());
            BOOST_TEST_REQUIRE(same.scanned_to.has_value());
            of_reference.before_id = same.scanned_to->id;
        }
        BOOST_TEST(of_kind.before->version == rows + 1 - pages * looked_at);
    };
    with_store(fresh.store_options(), read);
    sql.await(sessions, "1");
    auto const number = [&](std::string const& query) { return std::stoi(sql(query)); };
    BOOST_TEST(number("SELECT seq_tup_read FROM pg_stat_user_tables"
                      " WHERE relname = 'transfers'") == 0);
    BOOST_TEST(number("SELECT idx_tup_fetch FROM pg_stat_user_tables"
                      " WHERE relname = 'transfers'") <= 2 * pages * (looked_at + 2));
    BOOST_TEST(number("SELECT max(idx_blks_hit + idx_blks_read) FROM pg_statio_user_indexes"
                      " WHERE relname = 'transfers'") <= pages * 12);
}

BOOST_AUTO_TEST_SUITE_END()
