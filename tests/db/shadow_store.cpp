// Does the shadow hold what the primary holds, whatever came between them?
#include "db/shadow_store.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/all_rules.hpp"
#include "tests/db/rules.hpp"
#include "tests/db/shadow_fixture.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::MigratedDatabase;
using tests::soon;
using tests::Twin;

namespace {

using Differences = std::vector<std::string>;

/// Rules that let lots be rewritten: those are not in any batch.
bool repairs(tests::ConformanceRule const& rule) {
    std::string_view const name(rule.name);
    return name.find("repair") != name.npos || name.find("mend") != name.npos;
}

asio::awaitable<void> keep(db::Store& store, std::span<tests::ConformanceRule const> rules) {
    for (auto const& rule : rules) {
        BOOST_TEST_CHECKPOINT(rule.name);
        if (!repairs(rule)) co_await rule.check(store);
    }
}

/// One set of rules after the other, each by a server of its own. How many reads the shadow has
/// answered.
std::uint64_t keep_all_rules(MigratedDatabase const& from, MigratedDatabase const& to,
                             db::ReadFrom read_from) {
    std::uint64_t reads = 0;
    for (auto const rules : tests::all_rules()) {
        auto body = [&](Twin& twin) -> asio::awaitable<void> {
            co_await keep(twin.store, rules);
            co_await tests::must_follow(twin);
            reads += twin.store.link().metrics().reads.get();
        };
        tests::with_twin(from, to, body, read_from);
    }
    return reads;
}

/// Alice pays Bob a few times, some of it held.
asio::awaitable<void> some_business(Driver& driver, Ledger const& ledger) {
    for (int i = 0; i < 5; ++i) {
        std::vector<Envelope> batch;
        batch.push_back(driver.envelope(tests::move(ledger, "alice", "bob", 3)));
        batch.push_back(driver.envelope(PlaceHold{ledger.id, "bob", "alice", 2, {}}));
        co_await driver.batch(std::move(batch));
    }
}

/// The same, in a ledger of its own.
asio::awaitable<Ledger> open_business(db::Store& store) {
    auto const executor = co_await asio::this_coro::executor;
    Driver driver(executor, store);
    auto const ledger = co_await tests::open_ledger_of_two(driver);
    co_await some_business(driver, ledger);
    co_await driver.finish();
    co_return ledger;
}

/// Alice is there, with what she has left.
asio::awaitable<void> must_find(Twin& twin, Ledger const& ledger) {
    AccountName const alice{ledger.id, "alice"};
    auto const found = co_await twin.store.find_account(alice, soon());
    auto const wanted = co_await twin.primary.find_account(alice, soon());
    BOOST_REQUIRE((found && wanted && *found && *wanted));
    BOOST_TEST(((*found)->standing == (*wanted)->standing));
}

/// And once it is there the shadow answers: a busy machine may need more than one attempt.
asio::awaitable<void> must_find_in_shadow(Twin& twin, Ledger const& ledger) {
    auto const& reads = twin.store.link().metrics().reads;
    auto const before = reads.get();
    auto const deadline = soon();
    while (reads.get() == before && steady_now() < deadline) co_await must_find(twin, ledger);
    BOOST_TEST(reads.get() > before);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shadow_store)

BOOST_AUTO_TEST_CASE(every_table_of_the_schema_is_moved_or_stays_for_a_reason) {
    MigratedDatabase database;
    auto sql = database.connect();
    std::string names;
    auto const add = [&](std::string_view name) {
        auto const wanted = std::string(name) + ',';
        BOOST_TEST(names.find(',' + wanted) == std::string::npos, name << " is listed twice");
        names += names.empty() ? ',' + wanted : wanted;
    };
    for (auto const& table : db::mirror::listed_tables()) add(table.name);
    for (auto const name : db::mirror::own_tables()) add(name);
    auto const unknown = [&](std::string const& condition) {
        return sql("SELECT coalesce(string_agg(name, ','), '') FROM (" + condition + ") u (name)");
    };
    std::string const schema =
        "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace";
    std::string const listed =
        "SELECT unnest(string_to_array(trim(both ',' from '" + names + "'), ','))";
    BOOST_TEST(unknown(schema + " EXCEPT " + listed) == "");
    BOOST_TEST(unknown(listed + " EXCEPT " + schema) == "");
}

BOOST_AUTO_TEST_CASE(every_rule_of_a_store_holds_and_leaves_the_same_rows_in_both) {
    MigratedDatabase from, to;
    keep_all_rules(from, to, db::ReadFrom::primary);
    BOOST_TEST(tests::differences(from, to) == Differences(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(reads_from_the_shadow_see_every_commit_that_was_confirmed) {
    MigratedDatabase from, to;
    tests::backfilled(tests::move_options(from, to));
    BOOST_TEST(keep_all_rules(from, to, db::ReadFrom::shadow) > 0U);
}

BOOST_AUTO_TEST_CASE(a_read_sees_what_another_server_acknowledged_and_has_not_handed_on) {
    MigratedDatabase from, to;
    tests::backfilled(tests::move_options(from, to));
    auto body = [&](Twin& reader) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Twin other(executor, from, to);
        auto const ledger = co_await open_business(other.store);
        co_await must_find(reader, ledger);
        BOOST_TEST(reader.store.link().metrics().reads.get() == 0U);
        BOOST_TEST(reader.store.link().metrics().reads_behind.get() == 1U);
        reactor::TaskGroup lives(executor);
        lives.spawn(other.store.run());
        co_await must_find_in_shadow(reader, ledger);
        lives.cancel();
        co_await lives.join();
    };
    tests::with_twin(from, to, body, db::ReadFrom::shadow);
}

BOOST_AUTO_TEST_CASE(a_read_sees_what_a_server_acknowledged_that_was_killed) {
    MigratedDatabase from, to;
    tests::backfilled(tests::move_options(from, to));
    Ledger ledger;
    auto killed = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Twin twin(executor, from, to);
        ledger = co_await open_business(twin.store);
    };
    tests::run(killed);
    auto behind = [&](Twin& reader) -> asio::awaitable<void> {
        co_await must_find(reader, ledger);
        BOOST_TEST(reader.store.link().metrics().reads.get() == 0U);
    };
    tests::with_twin(from, to, behind, db::ReadFrom::shadow);
    tests::backfilled(tests::move_options(from, to));
    auto whole = [&](Twin& reader) -> asio::awaitable<void> {
        co_await must_find_in_shadow(reader, ledger);
    };
    tests::with_twin(from, to, whole, db::ReadFrom::shadow);
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_not_whole_is_not_read) {
    MigratedDatabase from, to;
    auto body = [&](Twin& twin) -> asio::awaitable<void> {
        auto const ledger = co_await open_business(twin.primary);
        co_await must_find(twin, ledger);
        BOOST_TEST(twin.store.link().metrics().reads.get() == 0U);
        auto const done = co_await db::backfill(tests::move_options(from, to));
        BOOST_REQUIRE(done.has_value());
        co_await must_find_in_shadow(twin, ledger);
    };
    tests::with_twin(from, to, body, db::ReadFrom::shadow);
}

BOOST_AUTO_TEST_CASE(what_was_left_out_is_read_from_the_primary_until_a_backfill) {
    tests::Cluster cluster;
    MigratedDatabase from, to(cluster.url());
    tests::backfilled(tests::move_options(from, to));
    auto body = [&](Twin& twin) -> asio::awaitable<void> {
        cluster.stop_immediately();
        auto ledger = co_await open_business(twin.store);
        for (int i = 0; i < 8; ++i) ledger = co_await open_business(twin.store);
        BOOST_TEST(twin.fleet.gaps() > 0);
        cluster.start();
        bool const followed = co_await twin.fleet.caught_up(soon());
        BOOST_TEST(followed);
        co_await must_find(twin, ledger);
        BOOST_TEST(twin.store.link().metrics().reads.get() == 0U);
        auto const done = co_await db::backfill(tests::move_options(from, to));
        BOOST_REQUIRE(done.has_value());
        co_await must_find_in_shadow(twin, ledger);
        auto const next = co_await open_business(twin.store);
        co_await must_find_in_shadow(twin, next);
    };
    tests::with_twin(from, to, body, db::ReadFrom::shadow, 60);
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_applied_twice_or_late_changes_nothing) {
    MigratedDatabase from, to;
    auto body = [](Twin& twin) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Driver driver(executor, twin.store);
        auto const ledger = co_await tests::open_ledger_of_two(driver);
        std::vector<Envelope> batch;
        batch.push_back(driver.envelope(tests::move(ledger, "alice", "bob", 7)));
        auto const prepared = co_await driver.prepare(std::move(batch));
        auto const error = co_await driver.commit(prepared);
        BOOST_TEST(!error);
        co_await some_business(driver, ledger);
        twin.store.link().push(prepared.changes);
        twin.store.link().push(prepared.changes, false);
        co_await driver.finish();
        co_await tests::must_follow(twin);
    };
    tests::with_twin(from, to, body);
    BOOST_TEST(tests::differences(from, to) == Differences(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(two_servers_on_one_ledger_leave_the_shadow_as_the_primary) {
    MigratedDatabase from, to;
    auto body = [&](Twin& one) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        Twin two(executor, from, to);
        reactor::TaskGroup lives(executor);
        lives.spawn(two.store.run());
        auto known = [&] { return two.store.link().up(); };
        co_await tests::eventually(known);
        Driver here(executor, one.store), there(executor, two.store);
        auto const ledger = co_await tests::open_ledger_of_two(here);
        there.organization = here.organization;
        for (int i = 0; i < 10; ++i) {
            co_await some_business(here, ledger);
            co_await some_business(there, ledger);
        }
        co_await here.finish();
        co_await there.finish();
        co_await tests::must_follow(one);
        co_await tests::must_follow(two);
        lives.cancel();
        co_await lives.join();
    };
    tests::with_twin(from, to, body);
    BOOST_TEST(tests::differences(from, to) == Differences(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_shadow_that_was_away_is_caught_up_with_from_the_queue) {
    tests::Cluster cluster;
    MigratedDatabase from, to(cluster.url());
    auto body = [&](Twin& twin) -> asio::awaitable<void> {
        co_await open_business(twin.store);
        co_await tests::must_follow(twin);
        cluster.stop_immediately();
        co_await open_business(twin.store);
        BOOST_TEST(!twin.fleet.links().front()->progress().done());
        cluster.start();
        co_await tests::must_follow(twin);
    };
    tests::with_twin(from, to, body);
    BOOST_TEST(tests::differences(from, to) == Differences(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_a_full_queue_left_out_is_known_and_a_backfill_brings_it) {
    tests::Cluster cluster;
    MigratedDatabase from, to(cluster.url());
    auto body = [&](Twin& twin) -> asio::awaitable<void> {
        co_await open_business(twin.store);
        cluster.stop_immediately();
        for (int i = 0; i < 8; ++i) co_await open_business(twin.store);
        BOOST_TEST(twin.fleet.gaps() > 0);
        cluster.start();
        bool const followed = co_await twin.fleet.caught_up(soon());
        BOOST_TEST(followed);
    };
    tests::with_twin(from, to, body, db::ReadFrom::primary, 60);
    BOOST_TEST(!tests::differences(from, to).empty());
    tests::backfilled(tests::move_options(from, to));
    BOOST_TEST(tests::differences(from, to) == Differences(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_is_written_to_a_database_that_is_not_the_shadow_of_this_primary) {
    MigratedDatabase from, other;
    auto make = [](Twin& twin) -> asio::awaitable<void> { co_await open_business(twin.primary); };
    MigratedDatabase spare;
    tests::with_twin(other, spare, make);
    auto const before = other.connect()("SELECT count(*) FROM transfers");
    auto body = [](Twin& twin) -> asio::awaitable<void> {
        co_await open_business(twin.store);
        auto refused = [&] { return twin.store.link().metrics().failures.get() > 0; };
        co_await tests::eventually(refused);
        BOOST_TEST(!twin.store.link().up());
    };
    tests::with_twin(from, other, body, db::ReadFrom::primary, 200'000, false);
    BOOST_TEST(other.connect()("SELECT count(*) FROM transfers") == before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(shadow_state)

BOOST_AUTO_TEST_CASE(a_server_that_died_is_a_gap_until_a_backfill_that_began_later_has_ended) {
    MigratedDatabase from, to;
    auto body = [&]() -> asio::awaitable<void> {
        auto const prepared = co_await db::prepare_shadow_state(from.address(), soon());
        BOOST_TEST(prepared.has_value());
        for (char const* id : {"dead", "alive"}) {
            auto const opened = co_await db::open_shadow_server(from.address(), id, soon());
            BOOST_TEST(opened.has_value());
        }
    };
    tests::run(body);
    auto sql = from.connect();
    sql("UPDATE penstock_shadow.servers SET seen_at = now() - interval '1 hour' WHERE id = 'dead'");
    sql("UPDATE penstock_shadow.servers SET gaps = 3 WHERE id = 'alive'");
    tests::backfilled(tests::move_options(from, to));
    BOOST_TEST(sql("SELECT string_agg(id || gaps, ',') FROM penstock_shadow.servers") == "alive0");
}

BOOST_AUTO_TEST_CASE(a_server_says_what_it_left_out_and_that_it_ends) {
    MigratedDatabase from;
    auto sql = from.connect();
    auto body = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        auto const prepared = co_await db::prepare_shadow_state(from.address(), soon());
        BOOST_TEST(prepared.has_value());
        for (char const* id : {"whole", "holed"}) {
            auto const opened = co_await db::open_shadow_server(from.address(), id, soon());
            BOOST_TEST(opened.has_value());
            std::uint64_t const gaps = id == std::string("holed") ? 2 : 0;
            db::ShadowKeeper keeper(executor, from.address(), id, [gaps] { return gaps; });
            co_await keeper.finish(true, soon());
        }
    };
    tests::run(body);
    BOOST_TEST(sql("SELECT string_agg(id || gaps || (ended_at IS NOT NULL), ',')"
                   " FROM penstock_shadow.servers") == "holed2true");
}

BOOST_AUTO_TEST_SUITE_END()
