#include "cache/local_limiter.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::cache;
using namespace std::chrono_literals;

namespace {

constexpr RateLimit two{10ms, 2};

SteadyTime at(milliseconds ms) { return SteadyTime{} + 1h + ms; }

}  // namespace

BOOST_AUTO_TEST_SUITE(local_limiter)

BOOST_AUTO_TEST_CASE(every_subject_has_its_own_quota) {
    LocalLimiter limiter(10);
    BOOST_TEST(limiter.admit("ann", two, at(0ms)) == (Admission{true, 10ms}));
    BOOST_TEST(limiter.admit("ann", two, at(0ms)) == (Admission{true, 20ms}));
    BOOST_TEST(limiter.admit("ann", two, at(0ms)) == (Admission{false, 20ms}));
    BOOST_TEST(limiter.admit("bob", two, at(0ms)) == (Admission{true, 10ms}));
    BOOST_TEST(limiter.admit("ann", two, at(9ms)) == (Admission{false, 11ms}));
    BOOST_TEST(limiter.admit("ann", two, at(10ms)) == (Admission{true, 20ms}));
    BOOST_TEST(limiter.admit("ann", two, at(500ms)) == (Admission{true, 10ms}));
}

BOOST_AUTO_TEST_CASE(foreseeing_does_not_count) {
    LocalLimiter limiter(10);
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(limiter.foresee("ann", two, at(0ms)) == (Admission{true, 10ms}));
    BOOST_TEST(limiter.subjects() == 0U);
    limiter.admit("ann", two, at(0ms));
    limiter.admit("ann", two, at(0ms));
    BOOST_TEST(limiter.foresee("ann", two, at(5ms)) == (Admission{false, 15ms}));
    BOOST_TEST(limiter.foresee("ann", two, at(10ms)) == (Admission{true, 20ms}));
}

BOOST_AUTO_TEST_CASE(what_was_learned_only_moves_a_schedule_ahead) {
    LocalLimiter limiter(10);
    limiter.learn("ann", 20ms, at(0ms));
    BOOST_TEST(!limiter.foresee("ann", two, at(0ms)).allowed);
    limiter.learn("ann", 5ms, at(0ms));
    BOOST_TEST(!limiter.foresee("ann", two, at(0ms)).allowed);
    BOOST_TEST(limiter.admit("ann", two, at(10ms)) == (Admission{true, 20ms}));
}

BOOST_AUTO_TEST_CASE(no_more_subjects_are_remembered_than_allowed_the_silent_go_first) {
    constexpr RateLimit slow{1h, 1};
    LocalLimiter limiter(3);
    for (auto const* name : {"ann", "bob", "cid"}) limiter.admit(name, slow, at(0ms));
    BOOST_TEST(!limiter.admit("ann", slow, at(1ms)).allowed);
    limiter.admit("dan", slow, at(2ms));
    BOOST_TEST(limiter.subjects() == 3U);
    BOOST_TEST(limiter.foresee("bob", slow, at(3ms)).allowed);
    for (auto const* name : {"ann", "cid", "dan"})
        BOOST_TEST(!limiter.foresee(name, slow, at(3ms)).allowed, name);
    for (int i = 0; i < 1'000; ++i) limiter.admit(std::to_string(i), slow, at(4ms));
    BOOST_TEST(limiter.subjects() == 3U);
}

BOOST_AUTO_TEST_CASE(whoever_has_a_whole_quota_again_is_forgotten) {
    LocalLimiter limiter(1'000);
    for (int i = 0; i < 100; ++i) limiter.admit(std::to_string(i), two, at(0ms));
    BOOST_TEST(limiter.subjects() == 100U);
    limiter.admit("new", two, at(9ms));
    BOOST_TEST(limiter.subjects() == 101U);
    limiter.admit("newer", two, at(10ms));
    BOOST_TEST(limiter.subjects() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
