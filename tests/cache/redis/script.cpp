#include "cache/redis/script.hpp"

#include <boost/test/unit_test.hpp>

#include "cache/scripts.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"

using namespace penstock;
using namespace penstock::cache;

BOOST_AUTO_TEST_SUITE(redis_script)

BOOST_AUTO_TEST_CASE(a_script_knows_its_name_at_compile_time) {
    static_assert(scripts::compare_and_delete.name() == "compare_and_delete");
    static_assert(scripts::compare_and_delete.text().starts_with("--"));
    static_assert(scripts::compare_and_delete.sha1().size() == 40);
}

// Under another name a script would be sent as a whole, time and again.
BOOST_AUTO_TEST_CASE(redis_gives_every_script_the_name_it_is_called_by) {
    tests::RedisServer server;
    tests::RedisTalk talk(server.socket_path());
    for (auto const* script : scripts::all) {
        auto const reply = talk("SCRIPT", "LOAD", script->text());
        BOOST_TEST(reply.text == script->sha1(), script->name());
    }
}

BOOST_AUTO_TEST_SUITE_END()
