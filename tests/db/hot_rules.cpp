#include "tests/db/hot_rules.hpp"

#include <algorithm>

#include "db/hot_store.hpp"
#include "tests/db/rules.hpp"

namespace penstock::tests {
namespace {

Command create_hot_ledger(std::string name) {
    auto command = std::get<CreateLedger>(create_ledger(std::move(name)));
    command.draft.posting = Posting::hot;
    return command;
}

Command begin_epoch(Ledger const& ledger) { return BeginEpoch{ledger.id}; }

Command book(Ledger const& ledger, std::vector<JournalEntry> entries, std::int64_t epoch = 1) {
    return BookJournal{ledger.id, epoch, std::move(entries), 0};
}

Command book_one(JournalEntry entry) { return BookJournal{entry.ledger, 1, {entry}, 0}; }

Command sync(Ledger const& ledger, HotBalance balance, std::int64_t epoch = 1) {
    return SyncBalances{ledger.id, epoch, {std::move(balance)}};
}

Command delete_hot(Ledger const& ledger, std::int64_t epoch) {
    return DeleteLedger{ledger.id, epoch};
}

/// A hot ledger in its first epoch, with alice and bob.
struct HotScene {
    Ledger ledger;
    Account alice, bob;
};

asio::awaitable<HotScene> open_hot_named(Driver& driver, std::string name) {
    HotScene scene;
    auto const ledger = co_await driver.one(create_hot_ledger(std::move(name)));
    scene.ledger = made<Ledger>(ledger);
    auto const alice = co_await driver.one(create_account(scene.ledger, "alice", 7));
    scene.alice = made<Account>(alice);
    auto const bob = co_await driver.one(create_account(scene.ledger, "bob"));
    scene.bob = made<Account>(bob);
    co_await driver.one(begin_epoch(scene.ledger));
    co_return scene;
}

/// In an organization of its own.
asio::awaitable<HotScene> open_hot(Driver& driver) {
    co_await open_ledger(driver);
    auto scene = co_await open_hot_named(driver, "hot");
    co_return scene;
}

std::uint64_t new_nonce(Driver& driver) { return driver.envelope(CreateOrganization{}).nonce; }

/// The transfer of `amount` from alice to bob that is the `version`th of both.
Transfer booked(Driver& driver, HotScene const& scene, std::int64_t version, Amount amount) {
    Transfer transfer;
    auto const ordinal = static_cast<std::uint32_t>(2 * version);
    transfer.id = {make_uuid7(driver.at, ordinal, new_nonce(driver))};
    transfer.ledger = scene.ledger.id;
    transfer.from = {scene.alice.id, "alice", -version * amount, version};
    transfer.to = {scene.bob.id, "bob", version * amount, version};
    transfer.amount = amount;
    return transfer;
}

JournalEntry entry_of(Driver& driver, HotScene const& scene, std::int64_t after,
                      std::vector<JournalItem> items) {
    JournalEntry entry;
    entry.ledger = scene.ledger.id;
    entry.after = after;
    entry.position = after + static_cast<std::int64_t>(items.size());
    entry.at = driver.at;
    entry.nonce = new_nonce(driver);
    entry.request_id = "request";
    entry.items = std::move(items);
    return entry;
}

Hold hold_in(Driver& driver, HotScene const& scene) {
    Hold hold;
    hold.id = {make_uuid7(driver.at, 0, new_nonce(driver))};
    hold.ledger = scene.ledger.id;
    hold.from = {scene.alice.id, "alice"};
    hold.to = {scene.bob.id, "bob"};
    hold.amount = 5;
    return hold;
}

asio::awaitable<db::HotStanding> standing(db::Store& store, HotScene const& scene,
                                          std::string address) {
    std::vector<std::string> const addresses{address, "nobody"};
    auto const all =
        value_of(co_await store.hot().find_standings(scene.ledger.id, addresses, in_time()));
    BOOST_REQUIRE(all.size() == 1U);
    co_return all.front();
}

asio::awaitable<void> a_hot_ledger_is_listed_until_it_is_deleted(db::Store& store, Driver& driver) {
    auto const scene = co_await open_hot(driver);
    auto const& id = scene.ledger.id;
    auto& hot = store.hot();
    auto const row = found(co_await hot.find_hot_ledger(id, in_time()));
    BOOST_TEST((row == HotLedger{id, 1, 0}));
    auto const is_it = [&](Ledger const& ledger) { return ledger == scene.ledger; };
    std::optional<LedgerId> const top;
    auto const all = value_of(co_await hot.list_hot_ledgers(top, 10'000, in_time()));
    BOOST_TEST(std::ranges::count_if(all, is_it) == 1);
    BOOST_TEST(std::ranges::is_sorted(all, {}, &Ledger::id));
    std::optional<LedgerId> const behind = id;
    auto const rest = value_of(co_await hot.list_hot_ledgers(behind, 10'000, in_time()));
    BOOST_TEST(std::ranges::count_if(rest, is_it) == 0);
    auto const early = co_await driver.one(delete_hot(scene.ledger, 0));
    BOOST_TEST(refusal_of(early) == "ledger_not_empty");
    auto const deleted = co_await driver.one(delete_hot(scene.ledger, 1));
    BOOST_TEST(refusal_of(deleted) == "");
    auto const left = value_of(co_await hot.list_hot_ledgers(top, 10'000, in_time()));
    BOOST_TEST(std::ranges::count_if(left, is_it) == 0);
    driver.at.ms += 2 * milliseconds(db::purge_slack).count();
    for (int pages = 0; pages < 1'000; ++pages) {
        auto const removed = value_of(co_await store.purge(driver.at, 2, in_time()));
        if (removed == 0) break;
    }
    auto const purged = value_of(co_await hot.find_hot_ledger(id, in_time()));
    BOOST_TEST(!purged.has_value());
}

asio::awaitable<void> a_durable_ledger_has_no_row_of_a_hot_one(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger(driver);
    auto const row = value_of(co_await store.hot().find_hot_ledger(ledger.id, in_time()));
    BOOST_TEST(!row.has_value());
    auto const epoch = co_await driver.one(begin_epoch(ledger));
    BOOST_TEST(refusal_of(epoch) == "ledger_not_found");
}

asio::awaitable<void> entries_are_kept_once_with_their_totals(db::Store& store, Driver& driver) {
    auto const scene = co_await open_hot(driver);
    auto const use = new_key(driver);
    auto first = booked(driver, scene, 1, 10);
    first.key_use = use;
    auto one = entry_of(driver, scene, 0, {first});
    one.key_use = use;
    auto const two = entry_of(driver, scene, 1, {booked(driver, scene, 2, 10)});
    std::vector<JournalEntry> const both{one, two};
    for (int i = 0; i < 2; ++i) {
        auto const outcome = co_await driver.one(book(scene.ledger, both));
        BOOST_TEST(made<HotLedger>(outcome).drained == 2);
    }
    auto const late = co_await driver.one(book(scene.ledger, both, 2));
    BOOST_TEST(made<HotLedger>(late).drained == 2);
    auto const kept = found(co_await store.find_transfer(scene.ledger.id, first.id, in_time()));
    BOOST_TEST((kept == first));
    auto const totals = value_of(co_await store.list_totals(scene.ledger.id, in_time()));
    BOOST_REQUIRE(totals.size() == 1U);
    BOOST_TEST(totals.front().count == 2);
    // A repetition of the key is answered from the row.
    auto const again = co_await driver.one(move(scene.ledger, "alice", "bob", 10), use);
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Transfer>(again) == first));
}

asio::awaitable<void> an_account_stands_as_its_row_or_its_newest_transfer_says(db::Store& store,
                                                                               Driver& driver) {
    auto const scene = co_await open_hot(driver);
    auto at_rest = co_await standing(store, scene, "alice");
    BOOST_TEST(!at_rest.is_behind);
    BOOST_TEST(at_rest.account.overdraft_limit == 7);
    driver.at.ms += 5'000;
    auto const first = booked(driver, scene, 1, 10);
    auto const second = booked(driver, scene, 2, 10);
    auto const entry = entry_of(driver, scene, 0, {first, second});
    co_await driver.one(book_one(entry));
    auto const behind = co_await standing(store, scene, "alice");
    BOOST_TEST(behind.is_behind);
    BOOST_TEST(behind.account.standing.balance == -20);
    BOOST_TEST(behind.account.standing.version == 2);
    BOOST_TEST((behind.account.standing.updated_at == driver.at));
    HotBalance const balance{"alice", -20, 2, driver.at, 2};
    co_await driver.one(sync(scene.ledger, balance));
    auto const synced = co_await standing(store, scene, "alice");
    BOOST_TEST(!synced.is_behind);
    BOOST_TEST((synced.account == behind.account));
    std::optional<std::string> const top;
    auto const all =
        value_of(co_await store.hot().list_standings(scene.ledger.id, top, 3, in_time()));
    BOOST_REQUIRE(all.size() == 3U);
    BOOST_TEST(all[0].account.address == "@platform");
    BOOST_TEST((all[2] == synced));
    std::optional<std::string> const after = "alice";
    auto const rest =
        value_of(co_await store.hot().list_standings(scene.ledger.id, after, 3, in_time()));
    BOOST_REQUIRE(rest.size() == 1U);
    BOOST_TEST(rest.front().is_behind);
}

asio::awaitable<void> holds_are_brought_home_and_found_by_their_ids(db::Store& store,
                                                                    Driver& driver) {
    auto const scene = co_await open_hot(driver);
    auto hold = hold_in(driver, scene);
    auto const placing = entry_of(driver, scene, 0, {hold});
    co_await driver.one(book_one(placing));
    std::vector<HoldId> const ids{hold.id, {make_uuid7(driver.at, 1, new_nonce(driver))}};
    auto const open = value_of(co_await store.hot().find_holds(hold.ledger, ids, in_time()));
    BOOST_REQUIRE(open.size() == 1U);
    BOOST_TEST((open.front() == hold));
    auto const held = co_await standing(store, scene, "alice");
    BOOST_TEST(held.account.standing.held == 5);
    hold.status = HoldStatus::voided;
    hold.ended_at = driver.at;
    auto const giving_up = entry_of(driver, scene, 1, {hold});
    co_await driver.one(book_one(giving_up));
    auto const ended = found(co_await store.find_hold(hold.ledger, hold.id, in_time()));
    BOOST_TEST((ended == hold));
    auto const released = co_await standing(store, scene, "alice");
    BOOST_TEST(released.account.standing.held == 0);
}

asio::awaitable<void> journals_of_several_ledgers_come_home_in_one_commit(db::Store& store,
                                                                          Driver& driver) {
    auto const one = co_await open_hot(driver);
    auto const two = co_await open_hot_named(driver, "hotter");
    std::vector<Envelope> batch;
    for (auto const* scene : {&one, &two}) {
        std::vector<JournalItem> items;
        items.emplace_back(booked(driver, *scene, 1, 10));
        items.emplace_back(hold_in(driver, *scene));
        batch.push_back(driver.envelope(book_one(entry_of(driver, *scene, 0, std::move(items)))));
    }
    co_await driver.batch(std::move(batch));
    for (auto const* scene : {&one, &two}) {
        auto const row = found(co_await store.hot().find_hot_ledger(scene->ledger.id, in_time()));
        BOOST_TEST(row.drained == 2);
        auto const totals = value_of(co_await store.list_totals(scene->ledger.id, in_time()));
        BOOST_REQUIRE(totals.size() == 1U);
        BOOST_TEST(totals.front().count == 1);
        auto const alice = co_await standing(store, *scene, "alice");
        BOOST_TEST(alice.account.standing.held == 5);
        BOOST_TEST(alice.is_behind);
    }
}

asio::awaitable<void> ten_thousand_items_come_home_in_one_command(db::Store& store,
                                                                  Driver& driver) {
    auto const scene = co_await open_hot(driver);
    constexpr std::int64_t count = 10'000;
    std::vector<JournalItem> items;
    for (std::int64_t version = 1; version <= count; ++version)
        items.emplace_back(booked(driver, scene, version, 1));
    auto bulk = entry_of(driver, scene, 0, std::move(items));
    bulk.is_bulk = true;
    bulk.key_use = new_key(driver);
    auto const outcome = co_await driver.one(book_one(bulk));
    BOOST_TEST(made<HotLedger>(outcome).drained == count);
    auto const totals = value_of(co_await store.list_totals(scene.ledger.id, in_time()));
    BOOST_REQUIRE(totals.size() == 1U);
    BOOST_TEST(totals.front().count == count);
    auto const bob = co_await standing(store, scene, "bob");
    BOOST_TEST(bob.account.standing.version == count);
    BOOST_TEST(bob.account.standing.balance == count);
    auto const again = co_await driver.one(move(scene.ledger, "alice", "bob", 1), *bulk.key_use);
    BOOST_TEST((again == Outcome(Receipt{receipt_of(bulk).what, true})));
}

asio::awaitable<void> keys_of_the_journal_are_known_to_whoever_asks_later(db::Store&,
                                                                          Driver& driver) {
    auto const scene = co_await open_hot(driver);
    std::vector<JournalEntry> entries;
    auto first = booked(driver, scene, 1, 10);
    first.metadata = R"({"b":"\u00e9","a":[1,2.50]})";
    first.reference = "a reference";
    first.key_use = new_key(driver);
    entries.push_back(entry_of(driver, scene, 0, {first}));
    entries.back().key_use = first.key_use;
    Refusal const refusal{Rejection::insufficient_funds};
    auto const second = booked(driver, scene, 2, 10);
    entries.push_back(entry_of(driver, scene, 1, {refusal, second, refusal}));
    entries.back().is_bulk = true;
    entries.push_back(entry_of(driver, scene, 4, {refusal, refusal}));
    entries.back().is_bulk = true;
    auto hold = hold_in(driver, scene);
    entries.push_back(entry_of(driver, scene, 6, {hold}));
    hold.status = HoldStatus::voided;
    hold.ended_at = driver.at;
    entries.push_back(entry_of(driver, scene, 7, {hold}));
    for (auto& entry : entries)
        if (!entry.key_use) entry.key_use = new_key(driver);
    auto const booking = co_await driver.one(book(scene.ledger, entries));
    BOOST_TEST(made<HotLedger>(booking).drained == 8);
    for (auto const& entry : entries) {
        auto const again =
            co_await driver.one(move(scene.ledger, "alice", "bob", 1), *entry.key_use);
        auto other = *entry.key_use;
        other.fingerprint[0] = 2;
        auto const reused = co_await driver.one(move(scene.ledger, "alice", "bob", 1), other);
        BOOST_TEST(refusal_of(reused) == "idempotency_key_reused");
        if (!std::holds_alternative<Hold>(entry.items.front())) {
            BOOST_TEST((again == Outcome(Receipt{receipt_of(entry).what, true})));
            continue;
        }
        Answer expected;
        expected.status = entry.position == 7 ? 201 : 200;
        expected.request_id = entry.request_id;
        BOOST_TEST((made<Recorded>(again) == Recorded{expected.status, body_of(expected)}));
    }
}

constexpr ConformanceRule rules[] = {
    PENSTOCK_RULE(a_hot_ledger_is_listed_until_it_is_deleted),
    PENSTOCK_RULE(a_durable_ledger_has_no_row_of_a_hot_one),
    PENSTOCK_RULE(entries_are_kept_once_with_their_totals),
    PENSTOCK_RULE(an_account_stands_as_its_row_or_its_newest_transfer_says),
    PENSTOCK_RULE(holds_are_brought_home_and_found_by_their_ids),
    PENSTOCK_RULE(journals_of_several_ledgers_come_home_in_one_commit),
    PENSTOCK_RULE(keys_of_the_journal_are_known_to_whoever_asks_later),
};

constexpr ConformanceRule rules_of_size[] = {
    PENSTOCK_RULE(ten_thousand_items_come_home_in_one_command),
};

}  // namespace

std::span<ConformanceRule const> hot_rules() { return rules; }
std::span<ConformanceRule const> large_hot_rules() { return rules_of_size; }

}  // namespace penstock::tests
