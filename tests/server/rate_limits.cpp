#include "server/rate_limits.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "server/context.hpp"

using namespace penstock;
using namespace penstock::server;
using namespace std::chrono_literals;
using cache::RateLimit;

namespace {

RateStanding standing(RateClass rate_class, RateLimit limit, bool allowed,
                      cache::microseconds backlog) {
    RateStanding made;
    made.rate_class = rate_class;
    made.limit = limit;
    made.admission = {allowed, backlog};
    return made;
}

std::string header(Response const& response, std::string_view name) {
    for (auto const& header : response.headers)
        if (header.name == name) return header.value;
    return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rate_limits)

BOOST_AUTO_TEST_CASE(a_rate_is_a_count_per_unit_and_perhaps_a_burst) {
    struct Row {
        std::string_view text;
        RateLimit expected;
    };
    constexpr Row rows[] = {
        {"100/s", {10ms, 100}},
        {"100/s,burst=200", {10ms, 200}},
        {"60/min", {1s, 60}},
        {"60/min,burst=1", {1s, 1}},
        {"10/h,burst=3", {6min, 3}},
        {"1/d", {24h, 1}},
        {"100000/s", {10us, 100'000}},
        {"1/s,burst=1000000", {1s, 1'000'000}},
        // Rounded up, so that nobody gets more than was configured.
        {"3/s", {333'334us, 3}},
        {"99999/s", {11us, 99'999}},
    };
    for (auto const& row : rows) {
        auto const limit = parse_rate(row.text);
        BOOST_REQUIRE_MESSAGE(limit.has_value(), row.text);
        BOOST_TEST((*limit == row.expected), row.text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_rate_is_refused) {
    for (auto const* text : {"",
                             "100",
                             "100/",
                             "/s",
                             "0/s",
                             "-1/s",
                             "1.5/s",
                             "100/ms",
                             "100/S",
                             " 100/s",
                             "100/s ",
                             "100 /s",
                             "100/s,",
                             "100/s,burst",
                             "100/s,burst=",
                             "100/s,burst=0",
                             "100/s,burst=1e3",
                             "100/s,limit=5",
                             "100/s;burst=5",
                             "100/s,burst=5,burst=6",
                             "100/s,burst=1000001",
                             "100001/s",
                             "4294967296/s",
                             "1/d,burst=32"})
        BOOST_TEST(!parse_rate(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(the_class_follows_from_size_and_scope_unless_the_table_says_it) {
    for (auto const& route : route_table()) {
        auto const rate_class = rate_class_of(route);
        if (route.scope == Scope::open) {
            BOOST_TEST(!rate_class.has_value(), route.name);
            continue;
        }
        BOOST_REQUIRE_MESSAGE(rate_class.has_value(), route.name);
        bool const changes = route.method != Method::get;
        if (*rate_class == RateClass::read) BOOST_TEST(!changes, route.name);
        if (*rate_class == RateClass::write) BOOST_TEST(changes, route.name);
        if (route.name == "create_transfers_in_bulk")
            BOOST_TEST((rate_class == RateClass::bulk), route.name);
        if (route.scope == Scope::admin) BOOST_TEST((rate_class == RateClass::admin), route.name);
    }
    auto told = route_table().front();
    told.rate_class = RateClass::user;
    BOOST_TEST((rate_class_of(told) == RateClass::user));
}

BOOST_AUTO_TEST_CASE(the_headers_say_the_quota_and_what_is_left_of_it) {
    constexpr RateLimit limit{10ms, 200};
    Response response(200U);
    std::vector<RateStanding> all{standing(RateClass::write, limit, true, 1'430ms)};
    add_rate_headers(response, all);
    BOOST_TEST(header(response, "RateLimit-Policy") == R"("write";q=200;w=2)");
    BOOST_TEST(header(response, "RateLimit") == R"("write";r=57;t=1)");

    Response both(200U);
    all.push_back(standing(RateClass::user, {1min, 5}, false, 290s));
    add_rate_headers(both, all);
    BOOST_TEST(header(both, "RateLimit-Policy") == R"("write";q=200;w=2, "user";q=5;w=300)");
    BOOST_TEST(header(both, "RateLimit") == R"("write";r=57;t=1, "user";r=0;t=50)");
    BOOST_TEST(retry_after_s(all.back()) == 50U);

    Response none(200U);
    add_rate_headers(none, {});
    BOOST_TEST(none.headers.empty());
}

BOOST_AUTO_TEST_CASE(a_client_is_never_told_to_come_back_too_early) {
    constexpr RateLimit limit{10ms, 3};
    BOOST_TEST(retry_after_s(standing(RateClass::read, limit, false, 30ms)) == 1U);
    constexpr RateLimit slow{2'500ms, 1};
    BOOST_TEST(retry_after_s(standing(RateClass::read, slow, false, 2'500ms)) == 3U);
    BOOST_TEST(retry_after_s(standing(RateClass::read, slow, false, 1us)) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
