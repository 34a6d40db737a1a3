// Who comes when: shares, order, moments.
#include "bench/sale/crowd.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

#include "bench/instant.hpp"
#include "bench/sale/clock.hpp"

namespace penstock::bench::sale {
namespace {

using std::chrono::microseconds;

SaleOptions options_of(double early, double again, double twice) {
    SaleOptions options;
    options.users = 2000;
    options.early = early;
    options.repeat_buyers = again;
    options.repetitions = twice;
    options.bots = 3;
    options.bot_attempts = 7;
    options.spread_ms = 400;
    return options;
}

Crowd crowd_of(SaleOptions const& options, std::uint64_t seed = 1) {
    Random random(seed);
    return gather(options, random);
}

bool near(double value, double expected) {
    return value > expected * 0.85 && value < expected * 1.15;
}

BOOST_AUTO_TEST_SUITE(sale_crowd)

BOOST_AUTO_TEST_CASE(without_shares_everybody_comes_once_after_the_start) {
    auto const crowd = crowd_of(options_of(0, 0, 0));
    BOOST_TEST(crowd.users == 2003u);
    BOOST_TEST(crowd.arrivals.size() == 2000u);
    BOOST_TEST(crowd.wishes.size() == 2000u + 3 * 7);
    std::set<std::uint32_t> users;
    microseconds before{0};
    std::size_t in_first_half = 0;
    for (auto const& arrival : crowd.arrivals) {
        BOOST_REQUIRE(arrival.at >= before);
        BOOST_REQUIRE(arrival.at <= microseconds(400'000));
        before = arrival.at;
        users.insert(crowd.wishes[arrival.wish].user);
        if (arrival.at < microseconds(200'000)) ++in_first_half;
    }
    BOOST_TEST(users.size() == 2000u);
    // The density falls in a straight line to nothing: three quarters come in the first half.
    BOOST_TEST(near(static_cast<double>(in_first_half), 1500));
}

BOOST_AUTO_TEST_CASE(who_is_early_comes_again_under_the_same_key) {
    auto const crowd = crowd_of(options_of(0.5, 0, 0));
    std::map<std::uint32_t, std::vector<microseconds>> times;
    for (auto const& arrival : crowd.arrivals) times[arrival.wish].push_back(arrival.at);
    std::size_t early = 0;
    for (auto const& [wish, at] : times) {
        BOOST_REQUIRE(at.back() >= microseconds{0});
        if (at.size() == 1) continue;
        BOOST_REQUIRE(at.size() == 2u);
        BOOST_REQUIRE(at.front() < microseconds{0});
        BOOST_REQUIRE(at.front() >= -early_max);
        ++early;
    }
    BOOST_TEST(near(static_cast<double>(early), 1000));
}

BOOST_AUTO_TEST_CASE(a_repeat_buyer_has_two_wishes_and_a_double_click_one_wish_twice) {
    auto const again = crowd_of(options_of(0, 0.5, 0));
    BOOST_TEST(near(static_cast<double>(again.wishes.size() - 21), 3000));
    BOOST_TEST(again.arrivals.size() == again.wishes.size() - 21);
    auto const twice = crowd_of(options_of(0, 0, 0.5));
    BOOST_TEST(twice.wishes.size() == 2021u);
    BOOST_TEST(near(static_cast<double>(twice.arrivals.size()), 3000));
}

BOOST_AUTO_TEST_CASE(bots_are_users_of_their_own_with_a_key_for_each_attempt) {
    auto const crowd = crowd_of(options_of(0, 0, 0));
    BOOST_REQUIRE(crowd.bots.size() == 3u);
    std::set<std::uint32_t> wishes;
    for (std::uint32_t bot = 0; bot < 3; ++bot) {
        BOOST_TEST(crowd.bots[bot].size() == 7u);
        for (auto const wish : crowd.bots[bot]) {
            BOOST_TEST(crowd.wishes[wish].user == 2000 + bot);
            wishes.insert(wish);
        }
    }
    BOOST_TEST(wishes.size() == 21u);
    for (auto const& arrival : crowd.arrivals) BOOST_REQUIRE(!wishes.contains(arrival.wish));
}

BOOST_AUTO_TEST_CASE(quantities_are_within_their_bounds_and_a_seed_gives_the_same_crowd) {
    auto options = options_of(0.2, 0.2, 0.2);
    options.quantity_max = 3;
    auto const crowd = crowd_of(options, 7);
    std::map<std::uint32_t, int> seen;
    for (auto const& wish : crowd.wishes) seen[wish.quantity] += 1;
    BOOST_TEST(seen.size() == 3u);
    BOOST_TEST(seen.begin()->first == 1u);
    BOOST_TEST(seen.rbegin()->first == 3u);
    auto const same = crowd_of(options, 7);
    BOOST_CHECK(same.wishes == crowd.wishes && same.arrivals == crowd.arrivals);
    auto const other = crowd_of(options, 8);
    BOOST_CHECK(other.arrivals != crowd.arrivals);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sale_clock)

BOOST_AUTO_TEST_CASE(the_answer_that_took_least_is_believed) {
    ServerClock clock;
    BOOST_TEST(!clock.known());
    SteadyTime const zero{};
    clock.observe(zero, zero + milliseconds{100}, 5'000);
    clock.observe(zero + milliseconds{200}, zero + milliseconds{204}, 7'202);
    clock.observe(zero + milliseconds{300}, zero + milliseconds{390}, 9'999);
    BOOST_TEST(clock.known());
    BOOST_CHECK(clock.error() == milliseconds{3});
    BOOST_TEST(clock.server_ms(zero + milliseconds{302}) == 7'302);
    BOOST_CHECK(clock.steady(8'202) == zero + milliseconds{1202});
}

BOOST_AUTO_TEST_CASE(instants_are_read_as_they_are_written) {
    BOOST_TEST(instant_of("2026-11-21T09:00:00.123Z").value() == 1'795'251'600'123);
    BOOST_TEST(text_of_instant(1'795'251'600'123) == "2026-11-21T09:00:00.123Z");
    for (auto const* const bad : {"", "2026-11-21", "2026-11-21T09:00:00Z",
                                  "2026-11-21T09:00:00.123", "2026-11-21T09:00:00.123Zx"})
        BOOST_TEST(!instant_of(bad).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::sale
