#include "server/http/response_text.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

Framing framing() {
    Framing framing;
    framing.date = "D";
    framing.request_id = "r-1";
    return framing;
}

std::string text(Response const& response, Framing const& how) {
    std::string out;
    append_response(out, response, how);
    return out;
}

class Endless final : public BodySource {
public:
    asio::awaitable<Result<std::string>> next() override { co_return std::string(); }
};

BOOST_AUTO_TEST_SUITE(http_response_text)

BOOST_AUTO_TEST_CASE(a_response_is_head_and_body) {
    Response response(201U, "{}");
    response.add("Location", "/x");
    BOOST_TEST(text(response, framing()) ==
               "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Type: application/json\r\n"
               "Content-Length: 2\r\nX-Request-Id: r-1\r\nX-Content-Type-Options: nosniff\r\n"
               "Location: /x\r\n\r\n{}");
}

BOOST_AUTO_TEST_CASE(head_gives_the_length_and_no_body) {
    auto how = framing();
    how.head_only = true;
    auto const out = text(Response(200U, "12345"), how);
    BOOST_TEST(out.find("Content-Length: 5\r\n") != std::string::npos);
    BOOST_TEST(out.ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(no_content_and_not_modified_have_neither_body_nor_type) {
    for (unsigned const status : {204U, 304U}) {
        auto const out = text(Response(status, "ignored"), framing());
        BOOST_TEST(out.find("Content-Type:") == std::string::npos);
        BOOST_TEST(out.find("Content-Length:") == std::string::npos);
        BOOST_TEST(out.ends_with("\r\n\r\n"));
    }
}

BOOST_AUTO_TEST_CASE(the_connection_header_follows_the_version) {
    auto how = framing();
    how.keep_alive = false;
    BOOST_TEST(text(Response(), how).find("Connection: close\r\n") != std::string::npos);
    how.keep_alive = true;
    how.http10 = true;
    BOOST_TEST(text(Response(), how).find("Connection: keep-alive\r\n") != std::string::npos);
    how.http10 = false;
    BOOST_TEST(text(Response(), how).find("Connection:") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_header_with_a_line_break_is_not_sent) {
    Response response;
    response.add("X-Bad", "a\r\nSet-Cookie: b").add("X-Good", "a\tb");
    auto const out = text(response, framing());
    BOOST_TEST(out.find("X-Bad") == std::string::npos);
    BOOST_TEST(out.find("X-Good: a\tb\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_shared_body_is_sent_like_any_other) {
    Response response;
    response.shared_body = std::make_shared<std::string const>("shared");
    BOOST_TEST(text(response, framing()).ends_with("\r\n\r\nshared"));
    BOOST_TEST(body_size(response) == 6U);
}

BOOST_AUTO_TEST_CASE(a_source_is_chunked_in_http_1_1_only) {
    Response response;
    response.source = std::make_unique<Endless>();
    BOOST_TEST(text(response, framing()).find("Transfer-Encoding: chunked\r\n") !=
               std::string::npos);
    auto how = framing();
    how.http10 = true;
    auto const old = text(response, how);
    BOOST_TEST(old.find("Transfer-Encoding") == std::string::npos);
    BOOST_TEST(old.find("Content-Length") == std::string::npos);
    std::string out;
    append_chunk(out, std::string(26, 'x'));
    BOOST_TEST(out == "1a\r\n" + std::string(26, 'x') + "\r\n");
}

BOOST_AUTO_TEST_CASE(a_line_can_be_inserted_later) {
    std::string out = "before";
    auto const at = append_response(out, Response(200U, "body"), framing());
    out.insert(at, connection_close_line);
    BOOST_TEST(out.ends_with("nosniff\r\nConnection: close\r\n\r\nbody"));
}

BOOST_AUTO_TEST_CASE(dates_are_imf_fixdates) {
    BOOST_TEST(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(http_date(1795251600) == "Sat, 21 Nov 2026 09:00:00 GMT");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
