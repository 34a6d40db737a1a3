#include "cache/gcra.hpp"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace penstock;
using namespace penstock::cache;
using namespace std::chrono_literals;

namespace {

/// Three at once, one every 10 ms: all are back after 30 ms.
constexpr RateLimit three{10ms, 3};

RateLimit any_limit() {
    RateLimit limit;
    limit.interval = microseconds{*rc::gen::inRange(1, 1'000'000)};
    limit.burst = static_cast<std::uint32_t>(*rc::gen::inRange(1, 60));
    return limit;
}

/// When requests come, in ascending order: in clumps, in between, and after long pauses.
std::vector<microseconds> any_arrivals(RateLimit const& limit) {
    std::vector<microseconds> arrivals;
    microseconds now{0};
    auto const requests = *rc::gen::inRange(1, 120);
    for (int i = 0; i < requests; ++i) {
        auto const tenths = *rc::gen::element(0, 0, 0, 1, 5, 9, 10, 11, 30, 1'000);
        now += limit.interval * tenths / 10;
        arrivals.push_back(now);
    }
    return arrivals;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gcra)

BOOST_AUTO_TEST_CASE(a_request_is_allowed_while_the_schedule_stays_within_the_window) {
    struct Row {
        microseconds backlog;
        Admission expected;
    };
    constexpr Row rows[] = {
        {-1h, {true, 10ms}},   {0ms, {true, 10ms}},       {1us, {true, 10'001us}},
        {10ms, {true, 20ms}},  {20ms, {true, 30ms}},      {20'001us, {false, 20'001us}},
        {30ms, {false, 30ms}}, {30'001us, {false, 30ms}}, {1h, {false, 30ms}},
    };
    for (auto const& row : rows)
        BOOST_TEST(judge(three, row.backlog) == row.expected, row.backlog.count() << " us");
}

BOOST_AUTO_TEST_CASE(what_remains_and_when_it_is_more) {
    struct Row {
        microseconds backlog;
        std::uint32_t remaining;
        microseconds next_in;
    };
    constexpr Row rows[] = {
        {1us, 2, 1us},  {10ms, 2, 10ms}, {10'001us, 1, 1us}, {20ms, 1, 10ms},
        {25ms, 0, 5ms}, {30ms, 0, 10ms}, {1h, 0, 10ms},
    };
    for (auto const& row : rows) {
        BOOST_TEST(remaining(three, row.backlog) == row.remaining, row.backlog.count() << " us");
        BOOST_TEST((next_in(three, row.backlog) == row.next_in), row.backlog.count() << " us");
    }
    BOOST_TEST(remaining(three, -1h) == 3U);
}

BOOST_AUTO_TEST_CASE(the_largest_limit_stays_within_what_lua_counts_exactly) {
    constexpr RateLimit monthly{window_max, 1};
    BOOST_TEST(judge(monthly, 0us) == (Admission{true, window_max}));
    BOOST_TEST(judge(monthly, 1us) == (Admission{false, 1us}));
    // Until the year 2200, in microseconds since 1970.
    BOOST_TEST(7'258'118'400'000'000LL + window_max.count() < (1LL << 53));
}

BOOST_AUTO_TEST_CASE(no_span_of_time_sees_more_than_the_burst_and_what_came_back_in_it) {
    BOOST_TEST(rc::check([] {
        auto const limit = any_limit();
        microseconds schedule{0};
        std::vector<microseconds> allowed;
        for (auto const now : any_arrivals(limit)) {
            auto const admission = judge(limit, schedule - now);
            schedule = now + admission.backlog;
            if (admission.allowed) allowed.push_back(now);
        }
        for (std::size_t first = 0; first < allowed.size(); ++first)
            for (auto last = first; last < allowed.size(); ++last) {
                auto const back = (allowed[last] - allowed[first]) / limit.interval;
                RC_ASSERT(last - first + 1 <= limit.burst + static_cast<std::size_t>(back));
            }
    }));
}

BOOST_AUTO_TEST_CASE(whoever_keeps_to_the_interval_is_never_refused) {
    BOOST_TEST(rc::check([] {
        auto const limit = any_limit();
        microseconds schedule{0};
        microseconds now{0};
        for (int i = 0; i < 100; ++i) {
            auto const admission = judge(limit, schedule - now);
            RC_ASSERT(admission.allowed);
            schedule = now + admission.backlog;
            now += limit.interval + microseconds{*rc::gen::inRange(0, 3)};
        }
    }));
}

BOOST_AUTO_TEST_CASE(as_many_as_remain_are_allowed_at_once_and_the_next_one_when_it_was_said) {
    BOOST_TEST(rc::check([] {
        auto const limit = any_limit();
        auto const window =
            static_cast<int>(std::min<std::int64_t>(limit.window().count(), 1 << 30));
        microseconds backlog{*rc::gen::inRange(0, window + 1)};
        auto const left = remaining(limit, backlog);
        auto const wait = next_in(limit, backlog);
        RC_ASSERT(remaining(limit, backlog - wait) == left + 1 || left == limit.burst);
        RC_ASSERT(remaining(limit, backlog - wait + 1us) == left);
        for (std::uint32_t i = 0; i < left; ++i) {
            auto const admission = judge(limit, backlog);
            RC_ASSERT(admission.allowed);
            backlog = admission.backlog;
        }
        auto const refused = judge(limit, backlog);
        RC_ASSERT(!refused.allowed);
        auto const retry = next_in(limit, refused.backlog);
        RC_ASSERT(retry > 0us && retry <= limit.interval);
        RC_ASSERT(judge(limit, backlog - retry).allowed);
        RC_ASSERT(!judge(limit, backlog - retry + 1us).allowed);
    }));
}

BOOST_AUTO_TEST_SUITE_END()
