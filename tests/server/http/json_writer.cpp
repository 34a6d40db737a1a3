#include "server/http/json_writer.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace penstock::server {
namespace {

BOOST_AUTO_TEST_SUITE(http_json_writer)

BOOST_AUTO_TEST_CASE(members_come_out_in_the_order_written) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.member("id", "a").member("n", 7).member("yes", true).member("none", nullptr);
    json.instant("at", 0).instant("never", std::nullopt).raw("meta", "{\"k\":[]}");
    json.begin_array("data");
    json.value(1).value("b").begin_object().end_object().begin_array().end_array();
    json.end_array();
    json.begin_object("nested").member("x", std::optional<int>()).end_object();
    json.member("last", std::optional<std::string>("z"));
    json.end_object();
    BOOST_TEST(out == R"({"id":"a","n":7,"yes":true,"none":null,"at":"1970-01-01T00:00:00.000Z",)"
                      R"("never":null,"meta":{"k":[]},"data":[1,"b",{},[]],"nested":{"x":null},)"
                      R"("last":"z"})");
}

BOOST_AUTO_TEST_CASE(integers_are_exact_to_the_ends_of_their_range) {
    std::string out;
    JsonWriter json(out);
    json.begin_array();
    json.value(std::numeric_limits<std::int64_t>::min());
    json.value(std::numeric_limits<std::int64_t>::max());
    json.value(std::numeric_limits<std::uint64_t>::max());
    json.end_array();
    BOOST_TEST(out == "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}

BOOST_AUTO_TEST_CASE(texts_are_escaped) {
    std::string out;
    append_json_string(out, "q\" b\\ n\n t\t \x01 \x1f / \xC3\xA9 \x7F");
    BOOST_TEST(out == "\"q\\\" b\\\\ n\\n t\\t \\u0001 \\u001f / \xC3\xA9 \x7F\"");
}

BOOST_AUTO_TEST_CASE(a_value_that_looks_like_an_opening_bracket_does_not_eat_the_comma) {
    std::string out;
    JsonWriter json(out);
    json.begin_array().value("{").value("[").value("").end_array();
    BOOST_TEST(out == R"(["{","[",""])");
}

BOOST_AUTO_TEST_CASE(a_writer_may_append_to_text_that_is_there) {
    std::string out = "data: ";
    JsonWriter json(out);
    json.begin_object().end_object();
    BOOST_TEST(out == "data: {}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
