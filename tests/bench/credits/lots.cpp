// Which lots pay: the vectors of the rules, read by the bench's own hand.
#include "bench/credits/lots.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::bench::credits {
namespace {

Lot lot(std::uint32_t operation, Amount amount, std::int64_t expires_ms = never_ms) {
    return {operation, 0, amount, amount, 0, expires_ms};
}

BOOST_AUTO_TEST_SUITE(purse)

BOOST_AUTO_TEST_CASE(lots_pay_in_the_order_of_granting) {
    Purse purse;
    purse.add(lot(0, 100, 10), Drain::emission);
    purse.add(lot(1, 50), Drain::emission);
    BOOST_TEST(purse.spend(120, 0) == 120);
    auto const left = purse.lots();
    BOOST_REQUIRE(left.size() == 1u);
    BOOST_TEST(left[0].operation == 1u);
    BOOST_TEST(left[0].remaining == 30);
    BOOST_TEST(purse.balance() == 30);
    BOOST_TEST(purse.expired() == 0);
}

BOOST_AUTO_TEST_CASE(by_expiration_the_soonest_pays_first_and_never_last) {
    Purse purse;
    purse.add(lot(0, 50), Drain::expiration);
    purse.add(lot(1, 70, 20), Drain::expiration);
    purse.add(lot(2, 100, 10), Drain::expiration);
    purse.add(lot(3, 10, 20), Drain::expiration);
    BOOST_TEST(purse.spend(105, 0) == 105);
    auto const left = purse.lots();
    BOOST_REQUIRE(left.size() == 3u);
    BOOST_TEST(left[0].operation == 1u);
    BOOST_TEST(left[0].remaining == 65);
    BOOST_TEST(left[1].operation == 3u);
    BOOST_TEST(left[2].operation == 0u);
}

BOOST_AUTO_TEST_CASE(a_lot_that_expires_exactly_now_does_not_pay) {
    Purse purse;
    purse.add(lot(0, 100, 11), Drain::emission);
    purse.add(lot(1, 50), Drain::emission);
    BOOST_TEST(purse.spend(120, 11) == 50);
    BOOST_TEST(purse.balance() == 0);
    BOOST_TEST(purse.expired() == 100);
    BOOST_TEST(purse.expired_lots() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_over_is_counted_once_and_only_what_was_left_of_it) {
    Purse purse;
    purse.add(lot(0, 100, 10), Drain::emission);
    purse.add(lot(1, 100, 20), Drain::emission);
    purse.add(lot(2, 7, 10), Drain::emission);
    BOOST_TEST(purse.spend(30, 9) == 30);
    purse.settle(10);
    purse.settle(10);
    BOOST_TEST(purse.expired() == 77);
    BOOST_TEST(purse.expired_lots() == 2u);
    BOOST_TEST(purse.balance() == 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::credits
