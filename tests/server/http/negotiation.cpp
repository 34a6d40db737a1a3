#include "server/http/negotiation.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

BOOST_AUTO_TEST_SUITE(http_negotiation)

BOOST_AUTO_TEST_CASE(only_json_in_utf8_is_a_body) {
    for (auto const* good :
         {"application/json", "APPLICATION/JSON", "application/json;charset=UTF-8",
          "application/json ; charset=\"utf-8\"", "application/json;"})
        BOOST_TEST(is_json(good), good);
    for (auto const* bad : {"", "text/json", "application/json5", "application/json;charset=latin1",
                            "application/json;x=y", "application/x-www-form-urlencoded"})
        BOOST_TEST(!is_json(bad), bad);
}

BOOST_AUTO_TEST_CASE(accept_is_judged_by_its_closest_range) {
    auto const* type = "application/json";
    for (auto const* good : {"", "*/*", "application/*", "application/json", "text/html, */*;q=0.1",
                             "Application/JSON; charset=utf-8", "text/*, application/json;q=0.5",
                             "*/*;q=0, application/*"})
        BOOST_TEST(accepts(good, type), good);
    for (auto const* bad : {"text/html", "text/*", "application/xml", "*/*, application/json;q=0",
                            "application/json;q=0.000", "*/*;q=0", "json", "application/"})
        BOOST_TEST(!accepts(bad, type), bad);
}

BOOST_AUTO_TEST_CASE(request_ids_and_keys_are_visible_ascii_of_bounded_length) {
    BOOST_TEST(is_request_id("a"));
    BOOST_TEST(is_request_id(std::string(128, '~')));
    BOOST_TEST(!is_request_id(std::string(129, '~')));
    BOOST_TEST(!is_request_id(""));
    BOOST_TEST(!is_request_id("a b"));
    BOOST_TEST(!is_request_id("caf\xC3\xA9"));
    BOOST_TEST(is_idempotency_key(std::string(255, '!')));
    BOOST_TEST(!is_idempotency_key(std::string(256, '!')));
    BOOST_TEST(!is_idempotency_key(""));
    BOOST_TEST(!is_idempotency_key("a\tb"));
}

BOOST_AUTO_TEST_CASE(a_traceparent_is_taken_whole_or_not_at_all) {
    std::string const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    auto const trace = parse_traceparent(good);
    BOOST_REQUIRE(trace);
    BOOST_TEST(trace->trace_id == "4bf92f3577b34da6a3ce929d0e0e4736");
    BOOST_TEST(trace->parent_id == "00f067aa0ba902b7");
    BOOST_TEST(trace->flags == 1);
    BOOST_TEST(parse_traceparent("cc" + good.substr(2) + "-what-comes-later").has_value());
    BOOST_TEST(!parse_traceparent(good + "-x"));
    BOOST_TEST(!parse_traceparent("ff" + good.substr(2)));
    BOOST_TEST(!parse_traceparent("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    BOOST_TEST(!parse_traceparent("00-" + std::string(32, '0') + "-00f067aa0ba902b7-01"));
    BOOST_TEST(!parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
    BOOST_TEST(!parse_traceparent(good.substr(1)));
    BOOST_TEST(!parse_traceparent(""));
}

BOOST_AUTO_TEST_CASE(a_timeout_is_a_plain_number_in_range) {
    BOOST_TEST(parse_timeout("1").value().count() == 1);
    BOOST_TEST(parse_timeout("600000").value().count() == 600000);
    for (auto const* bad : {"", "0", "600001", "-1", "+1", " 1", "1 ", "1.5", "1e3", "99999999999"})
        BOOST_TEST(!parse_timeout(bad), bad);
}

BOOST_AUTO_TEST_CASE(a_bearer_token_is_one_word) {
    BOOST_TEST(bearer("Bearer abc").value() == "abc");
    BOOST_TEST(bearer("bearer  abc ").value() == "abc");
    for (auto const* bad : {"", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearerabc"})
        BOOST_TEST(!bearer(bad), bad);
}

std::string header(Response const& response, std::string_view name) {
    for (auto const& one : response.headers)
        if (one.name == name) return one.value;
    return "";
}

BOOST_AUTO_TEST_CASE(foreign_origins_are_told_only_what_is_configured) {
    Response quiet;
    Cors().decorate("https://a.example", "", quiet);
    BOOST_TEST(quiet.headers.empty());

    Cors const listed({"https://a.example"});
    Response known;
    listed.decorate("https://a.example", "", known);
    BOOST_TEST(header(known, "Access-Control-Allow-Origin") == "https://a.example");
    BOOST_TEST(header(known, "Vary") == "Origin");
    BOOST_TEST(header(known, "Access-Control-Allow-Methods") == "");
    Response unknown;
    listed.decorate("https://b.example", "", unknown);
    BOOST_TEST(header(unknown, "Access-Control-Allow-Origin") == "");
    BOOST_TEST(header(unknown, "Vary") == "Origin");
}

BOOST_AUTO_TEST_CASE(a_preflight_learns_methods_and_headers) {
    Response answer(204U);
    answer.add("Allow", "GET, HEAD, OPTIONS");
    Cors({"*"}).decorate("https://a.example", "GET", answer);
    BOOST_TEST(header(answer, "Access-Control-Allow-Origin") == "*");
    BOOST_TEST(header(answer, "Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS");
    BOOST_TEST(header(answer, "Access-Control-Max-Age") == "600");
    BOOST_TEST(header(answer, "Access-Control-Allow-Headers").find("Idempotency-Key") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
