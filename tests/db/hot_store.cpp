// Do both stores keep the rules of hot ledgers?
#include "db/hot_store.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/both_stores.hpp"
#include "tests/db/hot_rules.hpp"

using namespace penstock;

BOOST_AUTO_TEST_SUITE(hot_store)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    tests::keep_in_memory(tests::hot_rules());
    tests::keep_in_memory(tests::large_hot_rules());
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::keep_in_postgresql(tests::hot_rules());
    tests::keep_in_postgresql(tests::large_hot_rules());
}

BOOST_AUTO_TEST_SUITE_END()
