// Do both stores keep the rules of credits?
#include "db/credit_store.hpp"

#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "tests/db/credit_rules.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using tests::LivingWriter;

BOOST_AUTO_TEST_SUITE(credit_store)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    for (auto const& rule : tests::credit_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            db::MemoryStore store;
            auto body = [&]() -> asio::awaitable<void> { co_await rule.check(store); };
            tests::run(body);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::MigratedDatabase database;
    for (auto const& rule : tests::credit_rules()) {
        BOOST_TEST_CONTEXT(rule.name) {
            auto body = [&](db::Store& store, LivingWriter&,
                            LivingWriter&) -> asio::awaitable<void> { co_await rule.check(store); };
            tests::with_store(database.store_options(), body);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
