#include "bench/random.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

namespace penstock::bench {
namespace {

BOOST_AUTO_TEST_SUITE(random_choices)

BOOST_AUTO_TEST_CASE(the_same_seed_makes_the_same_choices) {
    Random a(42);
    Random b(42);
    Random c(43);
    auto const first = a.next();
    BOOST_TEST(first == b.next());
    BOOST_TEST(first != c.next());
}

BOOST_AUTO_TEST_CASE(below_stays_below_and_reaches_every_value) {
    Random random(1);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.below(10));
    BOOST_TEST(seen.size() == 10u);
    BOOST_TEST(*seen.rbegin() == 9u);
}

BOOST_AUTO_TEST_CASE(keys_are_version_4_uuids_and_distinct) {
    Random random(entropy());
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) {
        std::string uuid;
        append_uuid4(uuid, random);
        BOOST_REQUIRE_EQUAL(uuid.size(), 36u);
        for (std::size_t const dash : {8, 13, 18, 23}) BOOST_REQUIRE_EQUAL(uuid[dash], '-');
        BOOST_REQUIRE_EQUAL(uuid[14], '4');
        BOOST_REQUIRE(std::string("89ab").find(uuid[19]) != std::string::npos);
        BOOST_REQUIRE(seen.insert(uuid).second);
    }
}

BOOST_AUTO_TEST_CASE(zipf_prefers_low_ranks_by_its_law) {
    Zipf const zipf(100, 1.0);
    Random random(3);
    std::vector<double> counts(100);
    for (int i = 0; i < 200'000; ++i) counts[zipf.pick(random)] += 1;
    BOOST_TEST(counts[0] / counts[1] > 1.9);
    BOOST_TEST(counts[0] / counts[1] < 2.1);
    BOOST_TEST(counts[0] / counts[9] > 9.0);
    BOOST_TEST(counts[0] / counts[9] < 11.0);
    BOOST_TEST(counts[99] > 0);
}

BOOST_AUTO_TEST_CASE(zipf_with_exponent_zero_is_uniform) {
    Zipf const zipf(4, 0);
    Random random(3);
    std::vector<int> counts(4);
    for (int i = 0; i < 40'000; ++i) counts[zipf.pick(random)] += 1;
    for (int const count : counts) BOOST_TEST(std::abs(count - 10'000) < 500);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
