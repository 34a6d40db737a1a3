#include "cache/redis/address.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace penstock;
using namespace penstock::cache;

namespace {

RedisAddress parsed(std::string const& url) {
    auto const address = parse_redis_url(url);
    BOOST_REQUIRE_MESSAGE(address.has_value(), url);
    return *address;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_address)

BOOST_AUTO_TEST_CASE(what_is_not_said_has_a_default) {
    BOOST_TEST(parsed("redis://cache").describe() == "cache:6379/0");
    BOOST_TEST(parsed("redis://cache/").describe() == "cache:6379/0");
    BOOST_TEST(parsed("redis://cache:7000").describe() == "cache:7000/0");
    BOOST_TEST(parsed("redis://cache:7000/3").describe() == "cache:7000/3");
    BOOST_TEST(parsed("redis://[::1]:7000/3").describe() == "[::1]:7000/3");
    BOOST_TEST(parsed("redis://[::1]").describe() == "[::1]:6379/0");
    BOOST_TEST(parsed("redis://[::1]").host == "::1");
    BOOST_TEST(parsed("unix:///run/redis.sock").describe() == "/run/redis.sock/0");
    BOOST_TEST(parsed("unix:///run/redis.sock?db=2").describe() == "/run/redis.sock/2");
}

BOOST_AUTO_TEST_CASE(a_login_may_be_percent_encoded) {
    auto const address = parsed("redis://al%40ice:p%3A%2Fw@cache:7000/1");
    BOOST_TEST(address.user == "al@ice");
    BOOST_TEST(address.password == "p:/w");
    BOOST_TEST(address.host == "cache");
    BOOST_TEST(parsed("redis://:secret@cache").user.empty());
    BOOST_TEST(parsed("redis://:secret@cache").password == "secret");
    // The last @ ends the login: a password that holds one unencoded is understood.
    BOOST_TEST(parsed("redis://a:b@c@cache").password == "b@c");
    auto const local = parsed("unix://alice:secret@/run/redis.sock");
    BOOST_TEST(local.user == "alice");
    BOOST_TEST(local.password == "secret");
    BOOST_TEST(local.socket_path == "/run/redis.sock");
}

BOOST_AUTO_TEST_CASE(the_password_is_never_described) {
    auto const address = parsed("redis://alice:hunter2@cache:7000/1");
    BOOST_TEST(address.describe().find("hunter2") == std::string::npos);
    BOOST_TEST(address.describe().find("alice") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    for (auto const* url : {"",
                            "cache",
                            "http://cache",
                            "rediss://cache",
                            "redis://",
                            "redis:///1",
                            "redis://:6379",
                            "redis://cache:",
                            "redis://cache:0",
                            "redis://cache:65536",
                            "redis://cache:6379x",
                            "redis://cache:-1",
                            "redis://cache/x",
                            "redis://cache/-1",
                            "redis://cache/1/2",
                            "redis://cache/65536",
                            "redis://user@cache",
                            "redis://user:@cache",
                            "redis://a:%4@cache",
                            "redis://a:%zz@cache",
                            "redis://a:%00@cache",
                            "redis://[::1",
                            "redis://[::1]x",
                            "redis://[]",
                            "redis://a b",
                            "redis://::1",
                            "unix://",
                            "unix://run/redis.sock",
                            "unix:///run/redis.sock?db=",
                            "unix:///run/redis.sock?database=1",
                            "unix:///a?db=1&b"})
        BOOST_TEST(!parse_redis_url(url).has_value(), url);
    BOOST_TEST(!parse_redis_url("unix:///" + std::string(107, 'x')).has_value());
    BOOST_TEST(parse_redis_url("unix:///" + std::string(106, 'x')).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
