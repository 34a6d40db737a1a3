// Does a database in use get its new tables while a server of the old schema keeps writing, and do
// the running totals stay what the transfers add up to?
#include <boost/test/unit_test.hpp>

#include "tests/db/old_server.hpp"

using namespace penstock;
using namespace penstock::domain;
using namespace penstock::tests;

namespace {

/// The new program, beside the old one: a purchase, its refund, a hold.
asio::awaitable<void> use_wallets(db::Store& store) {
    Driver driver(co_await asio::this_coro::executor, store);
    auto const ledger = old_ledger();
    std::exception_ptr failure;
    try {
        Command const buy = MakePurchase{ledger, "a", "b", 99};
        auto const first = made<Purchase>(co_await driver.one(buy));
        co_await driver.one(buy);
        Command const refund = RefundPurchase{ledger, first};
        auto const refunded = co_await driver.one(refund);
        BOOST_TEST(refusal_of(refunded) == "");
        Command const hold = PlaceHold{ledger, "a", "b", 5};
        auto const held = co_await driver.one(hold);
        BOOST_TEST(refusal_of(held) == "");
    } catch (...) {
        failure = std::current_exception();
    }
    co_await driver.finish();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wallet_migration)

BOOST_AUTO_TEST_CASE(a_database_in_use_gets_wallets_and_loses_nothing) {
    Database const database;
    migrate_to(database, migrations_before("_wallets"));
    fill(database);
    asio::io_context context{1};
    db::PostgresOptions options(database.address());
    options.backoff = fast_backoff();
    db::PostgresStore store(context.get_executor(), options);
    OldServer old(database);
    reactor::TaskGroup tasks(context.get_executor());
    auto body = [&]() -> asio::awaitable<void> {
        tasks.spawn(old.run());
        co_await old.commit_some();
        auto const report = co_await db::migrate(database.address(), db::migrations::all, soon());
        BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
        BOOST_TEST(!report->applied.empty());
        co_await old.commit_some();
        co_await use_wallets(store);
        co_await old.commit_some();
        old.stop();
        bool const ended = co_await tasks.join(soon());
        BOOST_REQUIRE(ended);
        co_await require_sound(store, transfers_before + old.commits());
    };
    run_beside(context, store, body);
}

BOOST_AUTO_TEST_SUITE_END()
