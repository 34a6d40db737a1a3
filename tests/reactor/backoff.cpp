#include "reactor/backoff.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::reactor;

namespace {

constexpr std::uint32_t least = 0;
constexpr std::uint32_t most = 0xFFFFFFFF;

BackoffLimits limits() {
    BackoffLimits limits;
    limits.first = milliseconds{10};
    limits.most = milliseconds{50};
    limits.good_after = milliseconds{1'000};
    return limits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_AUTO_TEST_CASE(the_bound_doubles_up_to_its_limit) {
    Backoff backoff(limits());
    for (int const expected : {10, 20, 40, 50, 50})
        BOOST_TEST(backoff.next(most).count() == expected);
}

BOOST_AUTO_TEST_CASE(the_jitter_is_full) {
    Backoff backoff(limits());
    BOOST_TEST(backoff.next(least).count() == 0);
    BOOST_TEST(backoff.next(1U << 31U).count() == 10);  // half of 0 … 20
}

BOOST_AUTO_TEST_CASE(only_a_success_that_lasted_forgets_the_failures) {
    Backoff backoff(limits());
    backoff.next(most);
    backoff.succeeded(milliseconds{999});
    BOOST_TEST(backoff.next(most).count() == 20);
    backoff.succeeded(milliseconds{1'000});
    BOOST_TEST(backoff.next(most).count() == 10);
}

BOOST_AUTO_TEST_SUITE_END()
