#include "bench/histogram.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "bench/random.hpp"

namespace penstock::bench {
namespace {

BOOST_AUTO_TEST_SUITE(histogram)

BOOST_AUTO_TEST_CASE(an_empty_histogram_answers_zero) {
    Histogram const empty;
    BOOST_TEST(empty.percentile(50) == 0u);
    BOOST_TEST(empty.max() == 0u);
    BOOST_TEST(empty.mean() == 0.0);
}

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_gap_and_hold_their_upper_edge) {
    for (std::size_t i = 0; i < Histogram::index_of(Histogram::value_max); ++i) {
        auto const edge = Histogram::upper_edge(i);
        BOOST_REQUIRE_EQUAL(Histogram::index_of(edge), i);
        BOOST_REQUIRE_EQUAL(Histogram::index_of(edge + 1), i + 1);
    }
}

BOOST_AUTO_TEST_CASE(small_values_are_exact) {
    Histogram h;
    for (std::uint64_t v = 1; v <= 100; ++v) h.record(v);
    BOOST_TEST(h.percentile(50) == 50u);
    BOOST_TEST(h.percentile(99) == 99u);
    BOOST_TEST(h.percentile(100) == 100u);
    BOOST_TEST(h.percentile(0) == 1u);
}

BOOST_AUTO_TEST_CASE(percentiles_are_within_one_percent_of_the_sorted_values) {
    Histogram h;
    Random random(7);
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        auto const value = random.below(std::uint64_t{1} << (1 + random.below(38)));
        values.push_back(value);
        h.record(value);
    }
    std::sort(values.begin(), values.end());
    for (double const percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
        auto const rank = static_cast<std::size_t>(percent / 100 * 20'000);
        auto const exact = static_cast<double>(values[rank - 1]);
        auto const found = static_cast<double>(h.percentile(percent));
        BOOST_TEST(found >= exact);
        BOOST_TEST(found <= exact * 1.01 + 1);
    }
    BOOST_TEST(h.percentile(100) == values.back());
}

BOOST_AUTO_TEST_CASE(values_beyond_the_range_count_as_the_largest) {
    Histogram h;
    h.record(UINT64_MAX);
    BOOST_TEST(h.max() == Histogram::value_max);
    BOOST_TEST(h.percentile(50) == Histogram::value_max);
}

BOOST_AUTO_TEST_CASE(merging_is_recording_both) {
    Histogram a;
    Histogram b;
    Histogram both;
    for (std::uint64_t v = 0; v < 5000; v += 7) {
        (v % 2 == 0 ? a : b).record(v * v);
        both.record(v * v);
    }
    a.merge(b);
    BOOST_TEST(a.count() == both.count());
    BOOST_TEST(a.max() == both.max());
    BOOST_TEST(a.percentile(90) == both.percentile(90));
    BOOST_TEST(a.mean() == both.mean());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
