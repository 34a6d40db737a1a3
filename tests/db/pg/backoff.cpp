#include "db/pg/backoff.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using db::pg::Backoff;

namespace {
db::pg::BackoffLimits const limits{milliseconds{50}, milliseconds{1000}, milliseconds{5000}};
constexpr std::uint32_t most = 0xffffffffU;
}  // namespace

BOOST_AUTO_TEST_SUITE(pg_backoff)

BOOST_AUTO_TEST_CASE(the_bound_doubles_up_to_its_limit) {
    Backoff backoff(limits);
    int const expected[] = {50, 100, 200, 400, 800, 1000, 1000};
    for (int bound : expected) BOOST_TEST(backoff.next(most).count() == bound);
}

BOOST_AUTO_TEST_CASE(a_pause_is_uniform_between_zero_and_the_bound) {
    BOOST_TEST(Backoff(limits).next(0).count() == 0);
    BOOST_TEST(Backoff(limits).next(most / 2).count() == 25);
}

BOOST_AUTO_TEST_CASE(only_a_connection_that_lasted_resets_the_bound) {
    Backoff backoff(limits);
    backoff.next(most);
    backoff.next(most);
    backoff.succeeded(milliseconds{4999});
    BOOST_TEST(backoff.next(most).count() == 200);
    backoff.succeeded(milliseconds{5000});
    BOOST_TEST(backoff.next(most).count() == 50);
}

BOOST_AUTO_TEST_SUITE_END()
