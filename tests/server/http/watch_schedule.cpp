#include "server/http/watch_schedule.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

using namespace std::chrono_literals;
using Due = WatchSchedule::Due;

constexpr SteadyTime start{};

bool is(Due a, Due b) { return a == b; }

BOOST_AUTO_TEST_SUITE(http_watch_schedule)

BOOST_AUTO_TEST_CASE(the_first_event_is_due_at_once) {
    WatchSchedule const schedule(100ms, 15'000ms, start);
    BOOST_TEST(is(schedule.due(start, true), Due::event));
    BOOST_TEST(is(schedule.due(start, false), Due::nothing));
    BOOST_TEST((schedule.due_at(false) == start + 15'000ms));
}

BOOST_AUTO_TEST_CASE(events_are_at_least_the_gap_apart) {
    WatchSchedule schedule(100ms, 15'000ms, start);
    schedule.sent(Due::event, start);
    BOOST_TEST(is(schedule.due(start + 99ms, true), Due::nothing));
    BOOST_TEST((schedule.due_at(true) == start + 100ms));
    BOOST_TEST(is(schedule.due(start + 100ms, true), Due::event));
}

BOOST_AUTO_TEST_CASE(a_heartbeat_is_due_when_nothing_was_sent_for_long) {
    WatchSchedule schedule(100ms, 1'000ms, start);
    schedule.sent(Due::event, start + 500ms);
    BOOST_TEST(is(schedule.due(start + 1'499ms, false), Due::nothing));
    BOOST_TEST(is(schedule.due(start + 1'500ms, false), Due::heartbeat));
    schedule.sent(Due::heartbeat, start + 1'500ms);
    BOOST_TEST((schedule.due_at(false) == start + 2'500ms));
    // A heartbeat does not hold news back.
    BOOST_TEST(is(schedule.due(start + 1'500ms, true), Due::event));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
