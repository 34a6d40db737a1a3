#include "server/telemetry/log.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace penstock::server;

boost::json::value parsed(std::initializer_list<LogField> fields) {
    return boost::json::parse("{" + log_members("it_happened", {fields.begin(), fields.size()}) +
                              "}");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(members_are_json_whatever_they_hold) {
    auto const line = parsed({{"text", "a\"b\\c\n\x01{}%"},
                              {"bad", std::string("a\xff"
                                                  "b")},
                              {"count", 3U},
                              {"delta", -4},
                              {"flag", true}});
    BOOST_TEST(line.at("event").as_string() == "it_happened");
    BOOST_TEST(line.at("text").as_string() == "a\"b\\c\n\x01{}%");
    BOOST_TEST(line.at("bad").as_string() == "ab");
    BOOST_TEST(line.at("count").as_int64() == 3);
    BOOST_TEST(line.at("delta").as_int64() == -4);
    BOOST_TEST(line.at("flag").as_bool());
}

BOOST_AUTO_TEST_SUITE_END()
