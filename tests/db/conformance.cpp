#include "tests/db/conformance.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <span>

#include "tests/db/activity_walk.hpp"
#include "tests/db/rules.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

Command revert(Ledger const& ledger, Transfer const& original) {
    return RevertTransfer{ledger.id, original};
}

Command purchase(Ledger const& ledger, std::string buyer, std::string author, Amount price) {
    MakePurchase command;
    command.ledger = ledger.id;
    command.buyer = std::move(buyer);
    command.author = std::move(author);
    command.price = price;
    if (price % 2 == 0) command.reference = "order 'é'";
    if (price % 2 == 0) command.metadata = R"({"k":"v"})";
    return command;
}

Command refund(Ledger const& ledger, Purchase const& original) {
    return RefundPurchase{ledger.id, original};
}

Command hold(Ledger const& ledger, std::string from, std::string to, Amount amount,
             std::optional<std::chrono::seconds> expires_in = {}) {
    return PlaceHold{ledger.id, std::move(from), std::move(to), amount, expires_in};
}

Command capture(Ledger const& ledger, Hold const& original, std::optional<Amount> amount = {}) {
    return CaptureHold{ledger.id, original, amount};
}

Command void_hold(Ledger const& ledger, Hold const& original) {
    return VoidHold{ledger.id, original};
}

Command expire(Ledger const& ledger, std::vector<Hold> originals) {
    return ExpireHolds{ledger.id, std::move(originals)};
}

LedgerName named(Ledger const& ledger) { return {ledger.organization, ledger.name}; }

/// What reads need not tell.
Transfer without_key(Transfer transfer) {
    transfer.key_use.reset();
    return transfer;
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
    std::vector<SecretDigest> secrets{keys[2].digest, SecretDigest{}, keys[0].digest};
    auto known = value_of(co_await store.find_api_keys(secrets, in_time()));
    std::sort(known.begin(), known.end(), [](auto& a, auto& b) { return a.id < b.id; });
    BOOST_TEST((known == std::vector{keys[0], keys[2]}));
    std::vector<SecretDigest> nobodys(1);
    auto const nobody = value_of(co_await store.find_api_keys(nobodys, in_time()));
    BOOST_TEST(nobody.empty());
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
    auto listed = value_of(co_await store.list_transfers(ledger.id, page, in_time())).items;
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[4] && listed[1] == made_here[3]));
    page.before_id = listed[1].id;
    listed = value_of(co_await store.list_transfers(ledger.id, page, in_time())).items;
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[2]));

    db::TransferPage filtered;
    filtered.reference = "even";
    filtered.kind = TransferKind::transfer;
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_TEST(listed.size() == 2u);
    filtered = {};
    filtered.from = Instant{start.ms + 20};
    filtered.to = Instant{start.ms + 40};
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_REQUIRE(listed.size() == 2u);
    BOOST_TEST((listed[0] == made_here[2] && listed[1] == made_here[1]));
    filtered.account = "bob";
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_TEST(listed.size() == 2u);
    filtered.before = db::booking_of(listed[0], "bob");
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_REQUIRE(listed.size() == 1u);
    BOOST_TEST((listed[0] == made_here[1]));
    filtered = {};
    filtered.account = "alice";
    filtered.kind = TransferKind::deposit;
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_TEST(listed.size() == 1u);
    filtered.account = "nobody";
    listed = value_of(co_await store.list_transfers(ledger.id, filtered, in_time())).items;
    BOOST_TEST(listed.empty());
}

/// All that a list with these filters shows, and in how many pages of what is looked at.
asio::awaitable<std::vector<TransferId>> scan(db::Store& store, LedgerId ledger,
                                              db::TransferPage page, std::size_t& pages) {
    std::vector<TransferId> all;
    for (pages = 1;; ++pages) {
        auto const list = value_of(co_await store.list_transfers(ledger, page, in_time()));
        BOOST_REQUIRE(list.items.size() <= page.limit);
        for (auto const& transfer : list.items) all.push_back(transfer.id);
        bool const full = list.items.size() == page.limit;
        if (!full && !list.scanned_to) break;
        auto const& last = full ? list.items.back() : *list.scanned_to;
        page.before_id = last.id;
        if (page.is_by_booking()) page.before = db::booking_of(last, *page.account);
    }
    co_return all;
}

asio::awaitable<void> a_filter_without_an_index_passes_over_a_bounded_number_of_rows(
    db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(create_account(ledger, "carol"));
    std::vector<TransferId> deposits;
    std::vector<TransferId> bobs;
    for (int i = 0; i < 60; ++i) {
        driver.at.ms += 1;
        if (i % 20 == 0) {
            auto const outcome = co_await driver.one(deposit(ledger, "alice", 100));
            deposits.insert(deposits.begin(), made<Transfer>(outcome).id);
            continue;
        }
        std::string const to = i % 15 == 1 ? "bob" : "carol";
        auto const outcome = co_await driver.one(move(ledger, "alice", to, 1, "one for all"));
        if (to == "bob") bobs.insert(bobs.begin(), made<Transfer>(outcome).id);
    }
    for (std::size_t const limit : {1u, 2u, 50u})
        for (std::size_t const most : {1u, 7u, 1000u}) {
            db::TransferPage page;
            page.limit = limit;
            page.scan_max = most;
            page.account = "alice";
            page.kind = TransferKind::deposit;
            std::size_t pages = 0;
            auto found = co_await scan(store, ledger.id, page, pages);
            if (found.size() > deposits.size()) found.resize(deposits.size());
            BOOST_TEST((found == deposits));
            BOOST_TEST(pages >= 60 / most);
            page.kind.reset();
            page.account = "bob";
            page.reference = "one for all";
            found = co_await scan(store, ledger.id, page, pages);
            BOOST_TEST((found == bobs));
            page.kind = TransferKind::transfer;
            page.account.reset();
            found = co_await scan(store, ledger.id, page, pages);
            BOOST_TEST(found.size() == 57u);
            page.kind = TransferKind::deposit;
            found = co_await scan(store, ledger.id, page, pages);
            BOOST_TEST(found.empty());
            page.account = "nobody";
            found = co_await scan(store, ledger.id, page, pages);
            BOOST_TEST(found.empty());
        }
}

/// Every entry of an account, page by page, each page asked for by the last item of the one before.
asio::awaitable<std::vector<TransferId>> walk(db::Store& store, AccountName name,
                                              std::size_t limit) {
    std::vector<TransferId> seen;
    db::EntryPage page;
    page.limit = limit;
    for (;;) {
        auto const entries = value_of(co_await store.list_entries(name, page, in_time()));
        for (auto const& entry : entries) seen.push_back(entry.id);
        if (entries.size() < limit) co_return seen;
        page.before = db::booking_of(entries.back(), name.address);
    }
}

asio::awaitable<void> pages_of_an_account_follow_without_gap_or_overlap(db::Store& store,
                                                                        Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    // Several in each instant, in both directions, so that neither the instant nor the side of the
    // account says alone where a page ends.
    for (int round = 0; round < 4; ++round) {
        std::vector<Envelope> batch;
        for (Amount i = 1; i <= 5; ++i) {
            bool const back = i % 3 == 0;
            batch.push_back(
                driver.envelope(move(ledger, back ? "bob" : "alice", back ? "alice" : "bob", i)));
        }
        co_await driver.batch(std::move(batch));
        driver.at.ms += round % 2;
    }
    for (auto const* address : {"alice", "bob"}) {
        auto const name = name_in(ledger, address);
        auto const whole = co_await walk(store, name, 100);
        BOOST_TEST(whole.size() == (name.address == "alice" ? 21u : 20u));
        for (std::size_t const limit : {1u, 2u, 3u, 7u}) {
            auto const paged = co_await walk(store, name, limit);
            BOOST_TEST((paged == whole), address << " by " << limit);
        }
    }
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
    page.before = db::booking_of(entries[2], "alice");
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

/// What reads need not tell.
Purchase without_key(Purchase purchase) {
    purchase.key_use.reset();
    return purchase;
}

asio::awaitable<Amount> balance_of(db::Store& store, Ledger ledger, std::string address) {
    auto const account = found(co_await store.find_account(name_in(ledger, address), in_time()));
    co_return account.standing.balance;
}

asio::awaitable<void> a_purchase_is_kept_with_its_transfers(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const bought =
        made<Purchase>(co_await driver.one(purchase(ledger, "alice", "bob", 100), new_key(driver)));
    auto kept = found(co_await store.find_purchase(ledger.id, bought.id, in_time()));
    BOOST_TEST((without_key(kept) == without_key(bought)));
    BOOST_TEST(kept.reference.value() == "order 'é'");
    db::TransferPage page;
    page.limit = 2;
    auto const legs = value_of(co_await store.list_transfers(ledger.id, page, in_time())).items;
    BOOST_REQUIRE(legs.size() == 2u);
    BOOST_TEST((legs[0].kind == TransferKind::royalty_platform));
    BOOST_TEST((legs[1].kind == TransferKind::royalty_author));
    BOOST_TEST((legs[0].cause == bought.id.value && legs[1].cause == bought.id.value));

    driver.at.ms += 1000;
    auto const refunded = made<Purchase>(co_await driver.one(refund(ledger, bought)));
    BOOST_TEST((refunded.refunded_at == driver.at));
    kept = found(co_await store.find_purchase(ledger.id, bought.id, in_time()));
    BOOST_TEST((without_key(kept) == without_key(refunded)));
    auto const again = co_await driver.one(refund(ledger, bought));
    BOOST_TEST(refusal_of(again) == "already_refunded");
    auto const left = co_await balance_of(store, ledger, "alice");
    BOOST_TEST(left == 1000);
    auto const other = made<Ledger>(co_await driver.one(create_ledger("other")));
    auto const elsewhere = value_of(co_await store.find_purchase(other.id, bought.id, in_time()));
    BOOST_TEST(!elsewhere.has_value());
}

asio::awaitable<void> a_fraction_of_a_cent_is_kept_between_purchases(db::Store& store,
                                                                     Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    Amount author = 0;
    for (int i = 0; i < 10; ++i) {
        auto const one = co_await driver.one(purchase(ledger, "alice", "bob", 1));
        author += made<Purchase>(one).author_amount;
    }
    BOOST_TEST(author == 7);
    auto const revenue = co_await balance_of(store, ledger, platform_address);
    BOOST_TEST(revenue == 3);
    co_await driver.one(purchase(ledger, "alice", "bob", 99));
    auto const bob = found(co_await store.find_account(name_in(ledger, "bob"), in_time()));
    BOOST_TEST(bob.standing.fraction == 30);
}

asio::awaitable<void> purchases_are_filtered_and_paged(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(create_account(ledger, "carol"));
    co_await driver.one(deposit(ledger, "carol", 1000));
    co_await driver.one(deposit(ledger, "bob", 1000));
    std::vector<std::pair<std::string, std::string>> const parties{
        {"alice", "bob"}, {"carol", "bob"}, {"alice", "carol"},
        {"bob", "alice"}, {"alice", "bob"}, {"alice", "bob"}};
    std::vector<Purchase> all;
    for (auto const& [buyer, author] : parties) {
        driver.at.ms += 5;
        all.push_back(made<Purchase>(co_await driver.one(purchase(ledger, buyer, author, 10))));
    }
    struct Case {
        std::optional<std::string> buyer;
        std::optional<std::string> author;
        std::optional<std::size_t> before;
        std::size_t limit;
        std::string expected;
    };
    std::vector<Case> const cases{
        {{}, {}, {}, 50, "543210"},       {{}, {}, 3, 2, "21"},
        {"alice", {}, 3, 2, "20"},        {"alice", "bob", 3, 2, "0"},
        {"alice", "bob", {}, 2, "54"},    {{}, "bob", {}, 50, "5410"},
        {{}, "bob", 4, 1, "1"},           {{}, "nobody", {}, 50, ""},
        {"nobody", "nobody", {}, 50, ""}, {"nobody", {}, {}, 50, ""},
    };
    for (auto const& one : cases) {
        db::PurchasePage page{one.buyer, one.author, {}, one.limit};
        if (one.before) page.before = all[*one.before].id;
        auto const listed = value_of(co_await store.list_purchases(ledger.id, page, in_time()));
        std::string places;
        for (auto const& purchase : listed)
            places += std::to_string(std::ranges::find(all, purchase) - all.begin());
        BOOST_TEST(places == one.expected);
    }
}

asio::awaitable<void> a_key_replays_the_purchase_as_it_was_made(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const use = new_key(driver);
    auto const command = purchase(ledger, "alice", "bob", 10);
    auto const first = made<Purchase>(co_await driver.one(command, use));
    auto const refund_use = new_key(driver);
    auto const refunding = driver.envelope(refund(ledger, first), refund_use);
    std::vector<Envelope> batch;
    batch.push_back(refunding);
    co_await driver.batch(std::move(batch));
    auto const again = co_await driver.one(command, use);
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((without_key(made<Purchase>(again)) == without_key(first)));
    auto const refunded = co_await driver.one(refunding.command, refund_use);
    BOOST_TEST(is_replayed(refunded));
    KeyUse other = use;
    other.fingerprint[0] = 2;
    auto const reused = co_await driver.one(command, other);
    BOOST_TEST(refusal_of(reused) == "idempotency_key_reused");

    // Past the retention the same key makes another one, and another thing after that.
    driver.at.ms += 100;
    driver.keys_since = driver.at;
    auto const second = made<Purchase>(co_await driver.one(command, use));
    BOOST_TEST((second.id != first.id));
    driver.at.ms += 100;
    driver.keys_since = driver.at;
    auto const account = co_await driver.one(create_account(ledger, "dave"), use);
    BOOST_TEST(!is_replayed(account));
    driver.at.ms += 100;
    driver.keys_since = driver.at;
    auto const third = co_await driver.one(command, use);
    BOOST_TEST(!is_replayed(third));
    db::PurchasePage const page;
    auto const listed = value_of(co_await store.list_purchases(ledger.id, page, in_time()));
    BOOST_TEST(listed.size() == 3u);
}

asio::awaitable<void> a_hold_is_kept_and_ends_once(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const placed = made<Hold>(co_await driver.one(hold(ledger, "alice", "bob", 600)));
    auto kept = found(co_await store.find_hold(ledger.id, placed.id, in_time()));
    BOOST_TEST((kept == placed));
    auto alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.held == 600);
    auto const too_much = co_await driver.one(move(ledger, "alice", "bob", 401));
    BOOST_TEST(refusal_of(too_much) == "insufficient_funds");

    driver.at.ms += 10;
    auto const captured = made<Captured>(co_await driver.one(capture(ledger, placed, 250)));
    kept = found(co_await store.find_hold(ledger.id, placed.id, in_time()));
    BOOST_TEST((kept == captured.hold));
    BOOST_TEST((kept.status == HoldStatus::captured && kept.ended_at == driver.at));
    auto const transfer =
        found(co_await store.find_transfer(ledger.id, kept.transfer.value(), in_time()));
    BOOST_TEST((transfer == captured.transfer));
    BOOST_TEST((transfer.cause == placed.id.value));
    alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.held == 0);
    BOOST_TEST(alice.standing.balance == 750);
    auto const late = co_await driver.one(void_hold(ledger, placed));
    BOOST_TEST(refusal_of(late) == "illegal_transition");
    auto const reverse = co_await driver.one(revert(ledger, transfer));
    BOOST_TEST(refusal_of(reverse) == "");
    auto const other = made<Ledger>(co_await driver.one(create_ledger("other")));
    auto const elsewhere = value_of(co_await store.find_hold(other.id, placed.id, in_time()));
    BOOST_TEST(!elsewhere.has_value());
}

/// The places of what a list of holds found among those that were made.
asio::awaitable<std::string> listed_holds(db::Store& store, Ledger ledger, std::vector<Hold> all,
                                          db::HoldPage page) {
    std::string places;
    auto const holds = value_of(co_await store.list_holds(ledger.id, page, in_time()));
    for (auto const& one : holds)
        places += std::to_string(std::ranges::find(all, one.id, &Hold::id) - all.begin());
    co_return places;
}

asio::awaitable<void> holds_are_filtered_and_paged(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(create_account(ledger, "carol"));
    co_await driver.one(deposit(ledger, "carol", 1000));
    co_await driver.one(deposit(ledger, "bob", 1000));
    std::vector<std::pair<std::string, std::string>> const parties{
        {"alice", "bob"},   {"carol", "alice"}, {"bob", "carol"},
        {"alice", "carol"}, {"alice", "bob"},   {"bob", "alice"}};
    std::vector<Hold> all;
    for (auto const& [from, to] : parties) {
        driver.at.ms += 5;
        all.push_back(made<Hold>(co_await driver.one(hold(ledger, from, to, 10))));
    }
    co_await driver.one(capture(ledger, all[0]));
    co_await driver.one(void_hold(ledger, all[3]));
    co_await driver.one(void_hold(ledger, all[5]));
    struct Case {
        std::optional<std::string> account;
        std::optional<HoldStatus> status;
        std::optional<std::size_t> before;
        std::size_t limit;
        std::string expected;
    };
    std::vector<Case> const cases{
        {{}, {}, {}, 50, "543210"},
        {{}, {}, 4, 2, "32"},
        {{}, HoldStatus::pending, {}, 2, "42"},
        {{}, HoldStatus::pending, 2, 2, "1"},
        {{}, HoldStatus::voided, {}, 50, "53"},
        {{}, HoldStatus::expired, {}, 50, ""},
        {"alice", {}, {}, 50, "54310"},
        {"alice", {}, 4, 2, "31"},
        {"alice", HoldStatus::voided, {}, 50, "53"},
        {"alice", HoldStatus::pending, {}, 50, "41"},
        {"alice", HoldStatus::captured, {}, 50, "0"},
        {"nobody", {}, {}, 50, ""},
    };
    for (auto const& one : cases) {
        db::HoldPage page{one.account, one.status, {}, one.limit};
        if (one.before) page.before = all[*one.before].id;
        auto const places = co_await listed_holds(store, ledger, all, page);
        BOOST_TEST(places == one.expected);
    }
}

/// Those of one ledger: the store's list is of all.
asio::awaitable<std::vector<Hold>> due_in(db::Store& store, Ledger ledger, Instant now) {
    auto holds = value_of(co_await store.list_due_holds(now, 100'000, in_time()));
    std::erase_if(holds, [&](Hold const& hold) { return hold.ledger != ledger.id; });
    co_return holds;
}

asio::awaitable<void> due_holds_come_in_their_order_and_only_once(db::Store& store,
                                                                  Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    std::vector<Hold> all;
    for (auto const expires_in : {30s, 10s, 20s, 10s, 40s}) {
        auto const one = co_await driver.one(hold(ledger, "alice", "bob", 10, expires_in));
        all.push_back(made<Hold>(one));
    }
    co_await driver.one(hold(ledger, "alice", "bob", 10));
    co_await driver.one(void_hold(ledger, all[2]));
    Instant const early{driver.at.ms + 9'999};
    Instant const first{driver.at.ms + 10'000};
    Instant const third{driver.at.ms + 30'000};
    auto due = co_await due_in(store, ledger, early);
    BOOST_TEST(due.empty());
    due = co_await due_in(store, ledger, first);
    BOOST_TEST((due == std::vector{all[1], all[3]}));
    due = co_await due_in(store, ledger, third);
    BOOST_TEST((due == std::vector{all[1], all[3], all[0]}));
    auto const one = value_of(co_await store.list_due_holds(third, 1, in_time()));
    BOOST_TEST(one.size() == 1u);

    driver.at = third;
    auto const expired = co_await driver.one(expire(ledger, all));
    BOOST_TEST(refusal_of(expired) == "");
    due = co_await due_in(store, ledger, third);
    BOOST_TEST(due.empty());
    db::HoldPage page;
    page.status = HoldStatus::expired;
    auto const places = co_await listed_holds(store, ledger, all, page);
    BOOST_TEST(places == "310");
    auto const alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.held == 20);
}

/// The id that the same place in a batch of another instant is given.
Uuid at_instant(Uuid id, Instant at) {
    constexpr std::size_t instant_bytes = 6;
    std::copy_n(first_uuid7(at).bytes.begin(), instant_bytes, id.bytes.begin());
    return id;
}

asio::awaitable<void> what_a_batch_makes_it_may_also_end(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    // Decided and thrown away at first, which tells what the same batch will make a moment later.
    std::vector<Envelope> batch;
    batch.push_back(driver.envelope(purchase(ledger, "alice", "bob", 10)));
    batch.push_back(driver.envelope(hold(ledger, "alice", "bob", 20)));
    batch.push_back(driver.envelope(hold(ledger, "alice", "bob", 30, 5s)));
    driver.at.ms += 1;
    auto const foreseen = co_await driver.abandoned(batch);
    driver.at.ms += 1;
    auto bought = made<Purchase>(foreseen[0]);
    auto voided = made<Hold>(foreseen[1]);
    auto captured = made<Hold>(foreseen[2]);
    bought.id = {at_instant(bought.id.value, driver.at)};
    voided.id = {at_instant(voided.id.value, driver.at)};
    captured.id = {at_instant(captured.id.value, driver.at)};
    for (auto const& command :
         {refund(ledger, bought), refund(ledger, bought), void_hold(ledger, voided),
          capture(ledger, captured), void_hold(ledger, captured)})
        batch.push_back(driver.envelope(command));
    auto const outcomes = co_await driver.batch(std::move(batch));
    BOOST_TEST((made<Purchase>(outcomes[0]).id == bought.id));
    BOOST_TEST(refusal_of(outcomes[4]) == "already_refunded");
    BOOST_TEST(refusal_of(outcomes[7]) == "illegal_transition");
    auto const kept = found(co_await store.find_purchase(ledger.id, bought.id, in_time()));
    BOOST_TEST((kept == made<Purchase>(outcomes[3])));
    auto hold = found(co_await store.find_hold(ledger.id, voided.id, in_time()));
    BOOST_TEST((hold == made<Hold>(outcomes[5])));
    hold = found(co_await store.find_hold(ledger.id, captured.id, in_time()));
    BOOST_TEST((hold == made<Captured>(outcomes[6]).hold));
    auto const due = co_await due_in(store, ledger, captured.expires_at.value());
    BOOST_TEST(due.empty());
}

asio::awaitable<void> a_ledger_with_an_open_hold_is_not_deleted(db::Store&, Driver& driver) {
    auto const ledger = co_await open_ledger(driver);
    // A hold on an overdraft: no balance is anything but 0.
    co_await driver.one(create_account(ledger, "carol", 50));
    co_await driver.one(create_account(ledger, "dave"));
    auto const held = made<Hold>(co_await driver.one(hold(ledger, "carol", "dave", 50)));
    auto const refused = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
    co_await driver.one(void_hold(ledger, held));
    auto const deleted = co_await driver.one(delete_ledger(ledger));
    BOOST_TEST(refusal_of(deleted) == "");
}

asio::awaitable<void> totals_and_invariants_hold(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    co_await driver.one(move(ledger, "alice", "bob", 5));
    co_await driver.one(move(ledger, "bob", "alice", 55));
    co_await driver.one(deposit(ledger, "bob", 7));
    auto const refunded = made<Purchase>(co_await driver.one(purchase(ledger, "bob", "alice", 1)));
    co_await driver.one(purchase(ledger, "bob", "alice", 3));
    co_await driver.one(refund(ledger, refunded));
    co_await driver.one(hold(ledger, "bob", "alice", 1));
    auto const held = made<Hold>(co_await driver.one(hold(ledger, "alice", "bob", 2)));
    co_await driver.one(capture(ledger, held));
    auto totals = value_of(co_await store.list_totals(ledger.id, in_time()));
    std::ranges::sort(totals, {}, &Total::kind);
    std::vector<Total> const expected_totals{
        {ledger.id, TotalKind::deposit, 2, 1007},
        {ledger.id, TotalKind::transfer, 2, 60},
        {ledger.id, TotalKind::royalty_author, 1, 2},
        {ledger.id, TotalKind::royalty_platform, 2, 2},
        {ledger.id, TotalKind::refund, 1, 1},
        {ledger.id, TotalKind::capture, 1, 2},
        {ledger.id, TotalKind::purchase, 2, 4},
    };
    BOOST_TEST((totals == expected_totals));
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    std::set<std::string> names;
    for (auto const& check : checks) {
        names.insert(check.name);
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
    }
    std::set<std::string> const expected{
        "balances_sum_to_zero",      "balance_equals_transfers", "available_within_overdraft",
        "versions_without_gap",      "held_equals_open_holds",   "holds_end_once",
        "purchases_equal_royalties", "totals_equal_transfers",   "sold_equals_orders",
        "users_within_limit",        "orders_equal_purchases",   "streams_equal_transfers",
        "escrow_equals_streams",     "streams_within_vested"};
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

/// Purges `limit` rows at a time until nothing is left; how many it was.
asio::awaitable<std::size_t> purged(db::Store& store, Instant before, std::size_t limit) {
    std::size_t all = 0;
    for (;;) {
        auto const removed = value_of(co_await store.purge(before, limit, in_time()));
        BOOST_TEST(removed <= limit);
        if (removed == 0) co_return all;
        all += removed;
    }
}

/// Long before everything that other rules write, so that theirs stays.
constexpr Instant long_ago{1'600'000'000'000};

asio::awaitable<void> a_purge_takes_the_answers_of_free_keys_and_nothing_else(db::Store& store,
                                                                              Driver& driver) {
    Instant const before{long_ago.ms + 1};
    co_await purged(store, before, 100);
    driver.at = long_ago;
    driver.keys_since = Instant{0};
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const old = new_key(driver), old_bulk = new_key(driver), of_transfer = new_key(driver);
    Command const bulk = MoveInBulk{ledger.id, false, {{"alice", "bob", 1}, {"alice", "bob", 2}}};
    co_await driver.one(create_account(ledger, "carol"), old);
    co_await driver.one(bulk, old_bulk);
    co_await driver.one(move(ledger, "alice", "bob", 3), of_transfer);
    driver.at = before;
    auto const young = new_key(driver);
    co_await driver.one(create_account(ledger, "dave"), young);

    auto const removed = co_await purged(store, before, 1);
    BOOST_TEST(removed == 2u);
    auto const kept = co_await driver.one(create_account(ledger, "dave"), young);
    BOOST_TEST(is_replayed(kept));
    auto const in_its_row = co_await driver.one(move(ledger, "alice", "bob", 3), of_transfer);
    BOOST_TEST(is_replayed(in_its_row));
    auto const anew = co_await driver.one(create_account(ledger, "erin"), old);
    BOOST_TEST(!is_replayed(anew));
    auto const bulk_anew = co_await driver.one(bulk, old_bulk);
    BOOST_TEST(!is_replayed(bulk_anew));
    auto const alice = found(co_await store.find_account(name_in(ledger, "alice"), in_time()));
    BOOST_TEST(alice.standing.balance == 1000 - 3 - 3 - 3);
    for (auto const& check : value_of(co_await store.verify(ledger.id, in_time())))
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

asio::awaitable<void> a_deleted_ledger_is_purged_whole_once_its_keys_are_free(db::Store& store,
                                                                              Driver& driver) {
    driver.at = long_ago;
    auto const kept = co_await open_ledger_of_two(driver);
    auto const ledger = made<Ledger>(co_await driver.one(create_ledger("deleted")));
    for (auto const* address : {"alice", "bob"})
        co_await driver.one(create_account(ledger, address));
    co_await driver.one(deposit(ledger, "alice", 1000), new_key(driver));
    auto const original = made<Transfer>(co_await driver.one(move(ledger, "alice", "bob", 300)));
    co_await driver.one(revert(ledger, original));
    co_await driver.one(move(ledger, "alice", world_address, 1000));
    co_await driver.one(delete_ledger(ledger));

    Instant const still_kept{long_ago.ms + milliseconds(db::purge_slack).count()};
    Instant const free{still_kept.ms + 1};
    co_await purged(store, still_kept, 100);
    auto const there = found(co_await store.find_transfer(ledger.id, original.id, in_time()));
    BOOST_TEST((without_key(there) == original));
    // 4 transfers, 4 accounts, and the ledger with its totals.
    auto const removed = co_await purged(store, free, 3);
    BOOST_TEST(removed == 9u);
    auto const gone = value_of(co_await store.find_transfer(ledger.id, original.id, in_time()));
    BOOST_TEST(!gone.has_value());
    db::TransferPage page;
    auto const transfers =
        value_of(co_await store.list_transfers(ledger.id, page, in_time())).items;
    BOOST_TEST(transfers.empty());
    for (auto const* address : {"alice", "bob", "@world", "@platform"}) {
        auto const account =
            value_of(co_await store.find_account(name_in(ledger, address), in_time()));
        BOOST_TEST(!account.has_value());
    }
    auto const totals = value_of(co_await store.list_totals(ledger.id, in_time()));
    BOOST_TEST(totals.empty());
    auto const others = value_of(co_await store.list_transfers(kept.id, page, in_time())).items;
    BOOST_TEST(others.size() == 1u);
    for (auto const& check : value_of(co_await store.verify(kept.id, in_time())))
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

asio::awaitable<std::vector<db::Activity>> activity(db::Store& store, Driver& driver,
                                                    db::ActivityPage page) {
    co_return value_of(co_await store.list_activity(driver.organization, page, in_time()));
}

asio::awaitable<void> what_happened_is_listed_under_every_filter(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const bought = co_await driver.one(purchase(ledger, "alice", "bob", 10));
    auto const original = made<Purchase>(bought);
    co_await driver.one(refund(ledger, original));
    db::ActivityPage page;
    auto const whole = co_await activity(store, driver, page);
    // Two accounts, a deposit, the purchase with two legs, two legs back and the refund.
    BOOST_TEST(whole.size() == 9U);
    BOOST_TEST(std::ranges::is_sorted(whole, std::greater(), &db::Activity::id));
    page.ledger = ledger.id;
    auto const of_ledger = co_await activity(store, driver, page);
    BOOST_TEST((of_ledger == whole));
    page.limit = 4;
    page.before = whole[2].id;
    auto const middle = co_await activity(store, driver, page);
    BOOST_TEST(std::ranges::equal(middle, std::span(whole).subspan(3, 4)));
    db::ActivityPage of_subject;
    of_subject.subject = original.id.to_string();
    auto const its_life = co_await activity(store, driver, of_subject);
    BOOST_TEST(its_life.size() == 2U);
    db::ActivityPage of_account;
    of_account.account = "bob";
    // Opened, bought from, paid, paid back, refunded.
    auto const of_bob = co_await activity(store, driver, of_account);
    BOOST_TEST(of_bob.size() == 5U);
    of_account.type = db::account_created;
    auto const opened = co_await activity(store, driver, of_account);
    BOOST_TEST(opened.size() == 1U);
}

/// Two lanes or servers whose batches have one instant: what the first one decided has the greater
/// ids, and the smaller versions.
asio::awaitable<void> rows_of_one_instant_are_all_met_page_by_page(db::Store& store,
                                                                   Driver& driver) {
    auto const ledger = co_await open_ledger_of_two(driver);
    auto const executor = co_await asio::this_coro::executor;
    Driver other(executor, store);
    driver.at.ms += 10;
    other.at = driver.at;
    other.organization = driver.organization;
    std::vector<Envelope> batch;
    for (int i = 0; i < 5; ++i) batch.push_back(driver.envelope(move(ledger, "alice", "bob", 1)));
    co_await driver.batch(std::move(batch));
    for (int i = 0; i < 3; ++i) co_await other.one(move(ledger, "alice", "bob", 1));
    co_await other.finish();
    for (auto const* address : {"alice", "bob"}) {
        db::ActivityPage page;
        page.account = address;
        page.ledger = ledger.id;
        auto const whole = co_await activity(store, driver, page);
        for (page.limit = 1; page.limit <= 4; ++page.limit) {
            auto const pages = co_await walked(store, driver, page);
            BOOST_TEST((pages == whole), address << " by " << page.limit);
        }
        BOOST_TEST(whole.size() >= 9U);
    }
}

asio::awaitable<void> the_store_says_that_it_can_answer(db::Store& store, Driver&) {
    auto const error = co_await store.ping(in_time());
    BOOST_TEST(!error);
}

constexpr ConformanceRule rules[] = {
    PENSTOCK_RULE(organizations_and_keys_are_kept),
    PENSTOCK_RULE(what_happened_is_listed_under_every_filter),
    PENSTOCK_RULE(rows_of_one_instant_are_all_met_page_by_page),
    PENSTOCK_RULE(ledgers_are_found_changed_and_deleted),
    PENSTOCK_RULE(accounts_are_paged_in_byte_order),
    PENSTOCK_RULE(a_transfer_is_kept_as_it_was_decided),
    PENSTOCK_RULE(transfers_are_filtered_and_paged),
    PENSTOCK_RULE(a_filter_without_an_index_passes_over_a_bounded_number_of_rows),
    PENSTOCK_RULE(pages_of_an_account_follow_without_gap_or_overlap),
    PENSTOCK_RULE(entries_and_past_balances_agree),
    PENSTOCK_RULE(a_key_replays_what_it_made),
    PENSTOCK_RULE(a_bulk_replays_every_item),
    PENSTOCK_RULE(a_key_past_its_retention_can_be_used_again),
    PENSTOCK_RULE(a_transfer_is_reverted_once_for_ever),
    PENSTOCK_RULE(an_abandoned_batch_leaves_nothing),
    PENSTOCK_RULE(a_purchase_is_kept_with_its_transfers),
    PENSTOCK_RULE(a_fraction_of_a_cent_is_kept_between_purchases),
    PENSTOCK_RULE(purchases_are_filtered_and_paged),
    PENSTOCK_RULE(a_key_replays_the_purchase_as_it_was_made),
    PENSTOCK_RULE(a_hold_is_kept_and_ends_once),
    PENSTOCK_RULE(holds_are_filtered_and_paged),
    PENSTOCK_RULE(due_holds_come_in_their_order_and_only_once),
    PENSTOCK_RULE(what_a_batch_makes_it_may_also_end),
    PENSTOCK_RULE(a_ledger_with_an_open_hold_is_not_deleted),
    PENSTOCK_RULE(totals_and_invariants_hold),
    PENSTOCK_RULE(the_extremes_of_amounts_are_kept),
    PENSTOCK_RULE(a_purge_takes_the_answers_of_free_keys_and_nothing_else),
    PENSTOCK_RULE(a_deleted_ledger_is_purged_whole_once_its_keys_are_free),
    PENSTOCK_RULE(the_store_says_that_it_can_answer),
};

}  // namespace

std::span<ConformanceRule const> conformance_rules() { return rules; }

}  // namespace penstock::tests
