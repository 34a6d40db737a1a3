// How far behind a hot ledger was: what is said of many looks at it.
#include "bench/hot/lags.hpp"

#include <boost/test/unit_test.hpp>
#include <map>

namespace penstock::bench::hot {
namespace {

std::map<std::string, std::string> figures_of(Lags const& lags) {
    auto const figures = lags.figures();
    return {figures.begin(), figures.end()};
}

BOOST_AUTO_TEST_SUITE(hot_lags)

BOOST_AUTO_TEST_CASE(nothing_is_said_of_no_look) { BOOST_TEST(Lags().figures().empty()); }

BOOST_AUTO_TEST_CASE(a_lag_that_grows_is_seen_from_quarter_to_quarter) {
    Lags lags;
    for (std::int64_t i = 1; i <= 40; ++i)
        lags.add({.journal_lag = i, .journal_oldest_ms = 3, .schedule_depth = 5, .claimed = 2});
    auto figures = figures_of(lags);
    BOOST_TEST(figures["journal lag"] == "21 items, at most 40; by quarters 6 16 26 36");
    BOOST_TEST(figures["journal lag, oldest"] == "3 ms, at most 3; by quarters 3 3 3 3");
    BOOST_TEST(figures["to be synced"] == "5 accounts, at most 5; by quarters 5 5 5 5");
    BOOST_TEST(figures["to be synced, oldest"] == "0 ms, at most 0; by quarters 0 0 0 0");
    BOOST_TEST(figures["looks at the lags"] == "40");
}

BOOST_AUTO_TEST_CASE(fewer_looks_than_quarters_are_enough) {
    Lags lags;
    lags.add({.journal_lag = 9});
    BOOST_TEST(figures_of(lags)["journal lag"] == "9 items, at most 9; by quarters 0 0 0 9");
}

BOOST_AUTO_TEST_CASE(several_ledgers_are_added_up_and_the_oldest_is_the_age) {
    SyncStatus sum{.journal_lag = 1, .journal_oldest_ms = 4, .schedule_oldest_ms = 9};
    sum.add({.journal_lag = 2,
             .journal_oldest_ms = 6,
             .schedule_depth = 3,
             .schedule_oldest_ms = 1,
             .claimed = 4,
             .dead_letters = 5});
    SyncStatus const expected{.journal_lag = 3,
                              .journal_oldest_ms = 6,
                              .schedule_depth = 3,
                              .schedule_oldest_ms = 9,
                              .claimed = 4,
                              .dead_letters = 5};
    BOOST_CHECK(sum == expected);
}

BOOST_AUTO_TEST_CASE(home_is_where_nothing_waits_is_due_or_is_claimed) {
    BOOST_TEST(SyncStatus{}.is_home());
    BOOST_TEST(SyncStatus{.dead_letters = 1}.is_home());
    BOOST_TEST(!SyncStatus{.journal_lag = 1}.is_home());
    BOOST_TEST(!SyncStatus{.schedule_depth = 1}.is_home());
    BOOST_TEST(!SyncStatus{.claimed = 1}.is_home());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::hot
