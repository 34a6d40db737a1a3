// Do both stores keep the rules of exports?
#include "db/export_store.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include "db/memory_store.hpp"
#include "db/sql.hpp"
#include "reactor/deadline.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/export_rules.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using tests::LivingWriter;

BOOST_AUTO_TEST_SUITE(export_store)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    for (auto const& rule : tests::export_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            db::MemoryStore store;
            auto body = [&]() -> asio::awaitable<void> { co_await rule.check(store); };
            tests::run(body);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::MigratedDatabase database;
    for (auto const& rule : tests::export_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            auto body = [&](db::Store& store, LivingWriter&,
                            LivingWriter&) -> asio::awaitable<void> { co_await rule.check(store); };
            tests::with_store(database.store_options(), body);
        }
    }
}

// The statement names them one by one, so that the planner merges their ranges.
BOOST_AUTO_TEST_CASE(transfers_of_every_kind_are_scanned) {
    using Kinds = boost::describe::describe_enumerators<domain::TransferKind>;
    std::string const text(db::sql::export_transfers.text);
    auto check = [&](auto kind) {
        auto const condition =
            "r.kind = " + std::to_string(static_cast<int>(kind.value)) + "::int2";
        BOOST_TEST(text.find(condition) != text.npos, condition);
    };
    boost::mp11::mp_for_each<Kinds>(check);
}

BOOST_AUTO_TEST_CASE(settling_waits_for_whoever_was_writing_and_for_nobody_later) {
    tests::MigratedDatabase database;
    auto early = database.connect();
    auto late = database.connect();
    auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
        early("BEGIN");
        early("SELECT pg_current_xact_id()");
        auto const soon = steady_now() + std::chrono::milliseconds{200};
        error_code const refused = co_await store.exports().settle(soon);
        BOOST_TEST((refused == reactor::Errc::deadline_exceeded));
        auto ended = false;
        reactor::TaskGroup waiting(co_await asio::this_coro::executor);
        auto settle = [&]() -> asio::awaitable<void> {
            error_code const error = co_await store.exports().settle(tests::in_time());
            BOOST_TEST(!error, error.message());
            ended = true;
        };
        waiting.spawn(settle());
        co_await reactor::sleep_until(steady_now() + std::chrono::milliseconds{100});
        BOOST_TEST(!ended);
        late("BEGIN");
        late("SELECT pg_current_xact_id()");
        early("ROLLBACK");
        bool const joined = co_await waiting.join(tests::in_time());
        BOOST_TEST(joined);
        BOOST_TEST(ended);
        late("ROLLBACK");
    };
    tests::with_store(database.store_options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
