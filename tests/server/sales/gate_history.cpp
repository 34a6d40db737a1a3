#include "server/sales/gate_history.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

domain::ProductId sale(std::uint8_t number) {
    domain::ProductId id;
    id.value.bytes[0] = number;
    return id;
}

BOOST_AUTO_TEST_SUITE(gate_history)

BOOST_AUTO_TEST_CASE(a_gate_may_stay_go_on_or_be_built_anew) {
    GateHistory history;
    BOOST_TEST(history.follows(sale(1), "1000", 5));
    BOOST_TEST(history.follows(sale(1), "1000", 5));
    BOOST_TEST(history.follows(sale(1), "1000", 6));
    BOOST_TEST(history.follows(sale(1), "1001", 0));
    BOOST_TEST(history.follows(sale(1), "10000", 0));
}

BOOST_AUTO_TEST_CASE(one_that_was_further_on_was_set_back_until_another_is_there) {
    GateHistory history;
    BOOST_TEST(history.follows(sale(1), "1000", 5));
    BOOST_TEST(!history.follows(sale(1), "1000", 3));
    BOOST_TEST(!history.follows(sale(1), "1000", 4));
    BOOST_TEST(history.follows(sale(1), "1001", 0));
    BOOST_TEST(history.follows(sale(1), "1001", 1));
}

BOOST_AUTO_TEST_CASE(an_older_one_was_set_back_but_so_is_no_other_that_follows) {
    GateHistory history;
    BOOST_TEST(history.follows(sale(1), "1000", 5));
    BOOST_TEST(!history.follows(sale(1), "900", 80));
    BOOST_TEST(history.follows(sale(1), "901", 0));
    BOOST_TEST(history.follows(sale(1), "901", 1));
}

BOOST_AUTO_TEST_CASE(sales_are_apart_and_a_missing_gate_says_nothing) {
    GateHistory history;
    BOOST_TEST(history.follows(sale(1), "1000", 5));
    BOOST_TEST(history.follows(sale(2), "1000", 4));
    BOOST_TEST(history.follows(sale(1), "", 0));
    BOOST_TEST(!history.follows(sale(1), "1000", 4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
