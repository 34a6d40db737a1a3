// Are the credits of a crowd one commit, and is what they share written once?
#include <boost/test/unit_test.hpp>
#include <string>

#include "db/credit_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/statistics.hpp"
#include "tests/domain/scene.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::LivingWriter;

namespace {

constexpr int lots = 100;
constexpr Amount in_a_lot = 10;
constexpr int crowd = 256;
constexpr Amount spent = 3;

Command grants(LedgerId ledger) {
    GrantCredits command{ledger, "all", {}};
    for (int i = 0; i < lots; ++i) command.entries.push_back({"ann", in_a_lot, {}});
    return command;
}

Command spends(LedgerId ledger, int i) {
    return SpendCredits{ledger, "call " + std::to_string(i), {{"ann", spent, {}}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(credit_batches)

// Of 100 lots of 10 the crowd takes 768: 76 are drained, and one is begun.
BOOST_AUTO_TEST_CASE(a_crowd_that_spends_from_one_address_is_one_commit) {
    tests::MigratedDatabase database;
    tests::keep_autovacuum_away(database);
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        Driver driver(co_await asio::this_coro::executor, store);
        auto const ledger = (co_await tests::open_credits(driver)).id;
        Command const all = grants(ledger);
        auto const granted = co_await driver.one(all);
        BOOST_TEST(tests::refusal_of(granted) == "");
        std::vector<Envelope> batch;
        for (int i = 0; i < crowd; ++i) batch.push_back(driver.envelope(spends(ledger, i)));
        auto const outcomes = co_await driver.batch(std::move(batch));
        for (auto const& outcome : outcomes) BOOST_TEST(tests::refusal_of(outcome) == "");
        co_await driver.finish();
    };
    tests::with_store(database.store_options(), body);
    auto sql = database.connect();
    sql.await("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", "1");
    BOOST_TEST(sql("SELECT count(*) || ' in ' || count(DISTINCT xmin::text) FROM credit_entries"
                   " WHERE amount < 0") == "256 in 1");
    BOOST_TEST(sql("SELECT count(DISTINCT x) FROM ("
                   "SELECT xmin::text x FROM credit_entries WHERE amount < 0"
                   " UNION ALL SELECT xmin::text FROM credit_lots WHERE amount_remaining < amount"
                   " UNION ALL SELECT xmin::text FROM accounts WHERE address = 'ann') rows") ==
               "1");
    BOOST_TEST(sql("SELECT count(*) FILTER (WHERE NOT is_open) || ' ' || sum(amount_remaining)"
                   " FROM credit_lots") == "76 232");
    auto const updates = [&](std::string const& table) {
        return sql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = '" + table + "'");
    };
    BOOST_TEST(updates("credit_lots") == "77");
    BOOST_TEST(updates("accounts") == "1");
    // Once for the grant, once for the crowd.
    BOOST_TEST(updates("credit_ledgers") == "2");
}

BOOST_AUTO_TEST_SUITE_END()
