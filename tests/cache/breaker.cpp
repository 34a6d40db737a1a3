#include "cache/breaker.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::cache;

namespace {

SteadyTime at(int ms) { return SteadyTime{} + milliseconds{1'000'000 + ms}; }

BreakerLimits limits() {
    BreakerLimits limits;
    limits.failures_in_a_row = 3;
    limits.failure_percent = 50;
    limits.window_calls_min = 10;
    limits.window = milliseconds{1'000};
    limits.cool_down_first = milliseconds{100};
    limits.cool_down_max = milliseconds{300};
    return limits;
}

void call(Breaker& breaker, Verdict verdict, SteadyTime now) {
    auto const pass = breaker.admit(now);
    BOOST_REQUIRE(pass.has_value());
    breaker.judge(*pass, verdict, now);
}

/// Open since at(0), with its first probe at at(100).
Breaker opened() {
    Breaker breaker(limits());
    for (int i = 0; i < 3; ++i) call(breaker, Verdict::failure, at(0));
    BOOST_REQUIRE_EQUAL(breaker.state(), BreakerState::open);
    return breaker;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(breaker)

BOOST_AUTO_TEST_CASE(failures_in_a_row_open_it) {
    Breaker breaker(limits());
    call(breaker, Verdict::failure, at(0));
    call(breaker, Verdict::failure, at(1));
    BOOST_TEST(breaker.state() == BreakerState::closed);
    call(breaker, Verdict::failure, at(2));
    BOOST_TEST(breaker.state() == BreakerState::open);
    BOOST_TEST(!breaker.admit(at(3)));
    BOOST_TEST(breaker.openings() == 1U);
}

BOOST_AUTO_TEST_CASE(a_success_ends_the_row) {
    Breaker breaker(limits());
    for (int i = 0; i < 4; ++i) {
        call(breaker, Verdict::failure, at(i));
        call(breaker, Verdict::failure, at(i));
        // A call without a verdict neither lengthens nor ends a row.
        call(breaker, Verdict::none, at(i));
        for (int good = 0; good < 4; ++good) call(breaker, Verdict::success, at(i));
    }
    BOOST_TEST(breaker.state() == BreakerState::closed);
}

BOOST_AUTO_TEST_CASE(the_share_of_failures_in_a_window_opens_it) {
    Breaker breaker(limits());
    for (int i = 0; i < 4; ++i) {
        call(breaker, Verdict::failure, at(i));
        call(breaker, Verdict::success, at(i));
    }
    call(breaker, Verdict::success, at(5));
    BOOST_TEST(breaker.state() == BreakerState::closed);  // nine calls are not enough to tell
    call(breaker, Verdict::failure, at(6));
    BOOST_TEST(breaker.state() == BreakerState::open);
}

BOOST_AUTO_TEST_CASE(a_new_window_forgets) {
    Breaker breaker(limits());
    for (int i = 0; i < 4; ++i) {
        call(breaker, Verdict::failure, at(i));
        call(breaker, Verdict::success, at(i));
    }
    call(breaker, Verdict::success, at(1'001));
    call(breaker, Verdict::failure, at(1'002));
    BOOST_TEST(breaker.state() == BreakerState::closed);
}

BOOST_AUTO_TEST_CASE(after_the_cool_down_one_probe_at_a_time_passes) {
    auto breaker = opened();
    BOOST_TEST(!breaker.admit(at(99)));
    auto const probe = breaker.admit(at(100));
    BOOST_REQUIRE(probe.has_value());
    BOOST_TEST(breaker.state() == BreakerState::half_open);
    BOOST_TEST(!breaker.admit(at(100)));
    breaker.judge(*probe, Verdict::success, at(101));
    BOOST_TEST(breaker.state() == BreakerState::closed);
    BOOST_TEST(breaker.admit(at(101)).has_value());
}

BOOST_AUTO_TEST_CASE(a_probe_without_a_verdict_makes_room_for_the_next) {
    auto breaker = opened();
    call(breaker, Verdict::none, at(100));
    BOOST_TEST(breaker.state() == BreakerState::half_open);
    call(breaker, Verdict::success, at(101));
    BOOST_TEST(breaker.state() == BreakerState::closed);
}

BOOST_AUTO_TEST_CASE(each_failed_probe_doubles_the_cool_down_up_to_its_limit) {
    auto breaker = opened();
    call(breaker, Verdict::failure, at(100));
    BOOST_TEST(!breaker.admit(at(299)));
    call(breaker, Verdict::failure, at(300));
    BOOST_TEST(!breaker.admit(at(599)));
    call(breaker, Verdict::failure, at(600));  // 400 would be next: 300 is the limit
    BOOST_TEST(!breaker.admit(at(899)));
    call(breaker, Verdict::success, at(900));
    for (int i = 0; i < 3; ++i) call(breaker, Verdict::failure, at(1'000));
    BOOST_TEST(!breaker.admit(at(1'099)));
    BOOST_TEST(breaker.admit(at(1'100)).has_value());  // and a success starts over
}

BOOST_AUTO_TEST_CASE(calls_of_before_do_not_judge_the_present) {
    Breaker breaker(limits());
    auto const early = breaker.admit(at(0));
    auto const early_too = breaker.admit(at(0));
    for (int i = 0; i < 3; ++i) call(breaker, Verdict::failure, at(1));
    breaker.judge(*early, Verdict::success, at(2));
    BOOST_TEST(breaker.state() == BreakerState::open);
    auto const probe = breaker.admit(at(101));
    breaker.judge(*early_too, Verdict::failure, at(102));
    BOOST_TEST(breaker.state() == BreakerState::half_open);
    breaker.judge(*probe, Verdict::success, at(103));
    BOOST_TEST(breaker.state() == BreakerState::closed);
}

BOOST_AUTO_TEST_SUITE_END()
