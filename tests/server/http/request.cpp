#include "server/http/request.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

BOOST_AUTO_TEST_SUITE(http_request)

BOOST_AUTO_TEST_CASE(a_target_is_split_and_decoded) {
    Target target;
    BOOST_TEST(!parse_target("/v1/a%20b/%40world?x=1&y=a+b%2B&empty=&flag", target));
    BOOST_REQUIRE_EQUAL(target.segments.size(), 3U);
    BOOST_TEST(target.segments[1] == "a b");
    BOOST_TEST(target.segments[2] == "@world");
    BOOST_TEST(target.parameter("x").value() == "1");
    BOOST_TEST(target.parameter("y").value() == "a b+");
    BOOST_TEST(target.parameter("empty").value() == "");
    BOOST_TEST(target.parameter("flag").value() == "");
    BOOST_TEST(!target.parameter("z"));
    BOOST_TEST(target.path() == "/v1/a%20b/%40world");
}

BOOST_AUTO_TEST_CASE(an_encoded_slash_stays_inside_its_segment) {
    Target target;
    BOOST_TEST(!parse_target("/a%2Fb/c", target));
    BOOST_TEST(target.segments.size() == 2U);
    BOOST_TEST(target.segments[0] == "a/b");
}

BOOST_AUTO_TEST_CASE(a_plus_is_a_space_only_in_the_query) {
    Target target;
    BOOST_TEST(!parse_target("/a+b?c=d+e", target));
    BOOST_TEST(target.segments[0] == "a+b");
    BOOST_TEST(target.query[0].value == "d e");
}

BOOST_AUTO_TEST_CASE(malformed_targets_are_refused) {
    for (auto const* raw :
         {"",         "*",          "v1",           "http://host/v1", "//x\x01",       "/a b",
          "/a#b",     "/%",         "/%4",          "/%zz",           "/%00",          "/%0a",
          "/%7F",     "/%ff",       "/%C0%AF",      "/%ED%A0%80",     "/%F4%90%80%80", "/a?x=%",
          "/a?x=%fe", "/a?x=1&x=2", "/a?%78=1&x=2", "/caf\xC3\xA9"}) {
        Target target;
        BOOST_TEST(parse_target(raw, target).has_value(), raw);
    }
}

BOOST_AUTO_TEST_CASE(segments_and_parameters_are_bounded) {
    Target target;
    std::string path;
    for (std::size_t i = 0; i <= target_segments_max; ++i) path += "/a";
    BOOST_TEST(parse_target(path, target).has_value());
    std::string query = "/a?";
    for (std::size_t i = 0; i <= target_parameters_max; ++i)
        query += "p" + std::to_string(i) + "=&";
    BOOST_TEST(parse_target(query, target).has_value());
}

BOOST_AUTO_TEST_CASE(utf8_is_judged_strictly) {
    for (auto const* good : {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"})
        BOOST_TEST(is_utf8(good), good);
    for (auto const* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5",
                            "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xC3"})
        BOOST_TEST(!is_utf8(bad));
}

BOOST_AUTO_TEST_CASE(header_names_are_found_in_any_case) {
    Headers headers;
    headers.add("Content-Type", "a");
    headers.add("X-A", "");
    headers.add("x-a", "second");
    BOOST_TEST(headers.get("content-type") == "a");
    BOOST_TEST(headers.find("X-a").value() == "");
    BOOST_TEST(headers.count("x-A") == 2U);
    BOOST_TEST(!headers.find("X-B"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
