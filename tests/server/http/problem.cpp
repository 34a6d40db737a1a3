#include "server/http/problem.hpp"

#include <boost/test/unit_test.hpp>

#include "server/http/json_writer.hpp"

namespace penstock::server {
namespace {

BOOST_AUTO_TEST_SUITE(http_problem)

BOOST_AUTO_TEST_CASE(codes_are_found_by_their_spelling) {
    BOOST_TEST((code_named("insufficient_funds") == Code::insufficient_funds));
    BOOST_TEST(status_of(Code::insufficient_funds) == 402U);
    BOOST_TEST(!code_named("no_such_code"));
    for (int i = 0; i <= static_cast<int>(Code::deadline_exceeded); ++i) {
        auto const code = static_cast<Code>(i);
        BOOST_TEST((code_named(to_string(code)) == code));
        BOOST_TEST(status_of(code) >= 400U);
        BOOST_TEST(!row_of(code).title.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_problem_says_what_where_and_for_which_request) {
    Problem problem(Code::invalid_request, "Two faults",
                    {{Fault::Where::pointer, "/amount", "is required"},
                     {Fault::Where::parameter, "limit", "is \"odd\""}});
    problem.add("starts_at", "null");
    auto const response = render(problem, "r-1");
    BOOST_TEST(response.status == 400U);
    BOOST_TEST(response.content_type == "application/problem+json");
    BOOST_TEST(response.body ==
               R"({"type":"urn:penstock:problem:invalid_request",)"
               R"("title":"The request is not valid","status":400,"detail":"Two faults",)"
               R"("code":"invalid_request","request_id":"r-1",)"
               R"("errors":[{"pointer":"/amount","detail":"is required"},)"
               R"({"parameter":"limit","detail":"is \"odd\""}],"starts_at":null})");
}

BOOST_AUTO_TEST_CASE(a_problem_inside_a_bulk_has_no_request_id) {
    std::string out;
    JsonWriter json(out);
    write(json, Problem(Code::insufficient_funds));
    BOOST_TEST(out.find("request_id") == std::string::npos);
    BOOST_TEST(out.find("\"status\":402") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(retry_after_and_the_challenge_are_headers) {
    Problem busy(Code::overloaded);
    busy.retry_after_s = 2;
    auto const response = render(busy, "r");
    BOOST_REQUIRE_EQUAL(response.headers.size(), 1U);
    BOOST_TEST(response.headers[0].name == "Retry-After");
    BOOST_TEST(response.headers[0].value == "2");
    BOOST_TEST(render(Problem(Code::unauthenticated), "r").headers.at(0).value == "Bearer");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
