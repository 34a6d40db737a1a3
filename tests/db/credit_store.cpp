// Do both stores keep the rules of credits?
#include "db/credit_store.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/both_stores.hpp"
#include "tests/db/credit_rules.hpp"

using namespace penstock;

BOOST_AUTO_TEST_SUITE(credit_store)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    tests::keep_in_memory(tests::credit_rules());
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::keep_in_postgresql(tests::credit_rules());
}

BOOST_AUTO_TEST_SUITE_END()
