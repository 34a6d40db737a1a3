// The arithmetic of descriptors: clients give way, the program's own connections do not.
#include "server/descriptors.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

Options two_threads() {
    Options options;
    options.threads = 2;
    options.lanes = 2;
    options.read_connections = 2;
    options.single_connections = 8;
    options.connections_max = 20'000;
    return options;
}

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(what_was_asked_for_is_given_where_there_is_room) {
    auto const options = two_threads();
    auto const enough = 2 * options.connections_max + descriptors_reserved(options);
    BOOST_TEST(connections_within(enough, options) == 20'000u);
    BOOST_TEST(connections_within(1'000'000, options) == 20'000u);
    BOOST_TEST(connections_within(enough - 2, options) == 19'999u);
}

BOOST_AUTO_TEST_CASE(a_usual_limit_is_shared_by_the_threads_after_the_reserve) {
    auto const options = two_threads();
    auto const each = connections_within(1024, options);
    BOOST_TEST(each == (1024 - descriptors_reserved(options)) / 2);
    BOOST_TEST(each > 400u);
}

BOOST_AUTO_TEST_CASE(one_connection_is_left_however_low_the_limit_is) {
    BOOST_TEST(connections_within(16, two_threads()) == 1u);
    BOOST_TEST(connections_within(0, two_threads()) == 1u);
}

BOOST_AUTO_TEST_CASE(the_soft_limit_is_raised_to_the_hard_one) {
    rlimit before{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit low = before;
    low.rlim_cur = 256;
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
    BOOST_TEST(claim_descriptors() == before.rlim_max);
    rlimit after{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &after) == 0);
    BOOST_TEST(after.rlim_cur == before.rlim_max);
    setrlimit(RLIMIT_NOFILE, &before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
