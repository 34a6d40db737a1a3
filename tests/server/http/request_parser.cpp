#include "server/http/request_parser.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::server {
namespace {

constexpr std::size_t header_max = 1024;
constexpr std::size_t fields_max = 20;

/// Feeds a whole message and gives the status it is refused with, 0 while incomplete, 200 when
/// it is a request.
unsigned judge(std::string_view message, std::size_t body_max = 100) {
    RequestParser parser(header_max, fields_max);
    for (;;) {
        std::size_t consumed = 0;
        auto const progress = parser.advance(message, consumed);
        message.remove_prefix(consumed);
        switch (progress) {
            case Progress::need_more:
                return 0;
            case Progress::complete:
                return 200;
            case Progress::refused:
                return status_of(parser.refusal().code);
            case Progress::head:
                if (!parser.body_max(body_max)) return 413;
                break;
        }
    }
}

std::string post(std::string_view headers, std::string_view body) {
    return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

BOOST_AUTO_TEST_SUITE(http_request_parser)

BOOST_AUTO_TEST_CASE(well_formed_messages_are_requests) {
    for (auto const& message :
         {std::string("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
          std::string("\r\n\r\nGET /a HTTP/1.1\r\nHost:\r\n\r\n"),
          std::string("GET /a HTTP/1.0\r\n\r\n"),
          std::string("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n"), post("Content-Length: 2\r\n", "{}"),
          post("Content-Length: 0\r\n", ""),
          post("Transfer-Encoding: Chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
          post("Transfer-Encoding: chunked\r\n", "2;x=y\r\n{}\r\n0\r\nTrailer: x\r\n\r\n")})
        BOOST_TEST(judge(message) == 200U, message);
}

BOOST_AUTO_TEST_CASE(what_two_programs_could_read_differently_is_refused) {
    for (auto const& message :
         {post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
          post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "0\r\n\r\n"),
          post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
          post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
          post("Content-Length: 2, 3\r\n", "{}"),
          post("Content-Length: +2\r\n", "{}"),
          post("Content-Length: -2\r\n", "{}"),
          post("Content-Length: 0x2\r\n", "{}"),
          post("Content-Length: 99999999999999999999\r\n", "{}"),
          post("Content-Length : 2\r\n", "{}"),
          post("Content-Length:\r\n", "{}"),
          post("Transfer-Encoding: gzip\r\n", ""),
          post("Transfer-Encoding: gzip, chunked\r\n", ""),
          post("Transfer-Encoding: chunked, gzip\r\n", ""),
          post("Transfer-Encoding: xchunked\r\n", ""),
          post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
          post("Transfer-Encoding: chunked\r\n", "x\r\n"),
          post("Transfer-Encoding: chunked\r\n", "2\r\n{}x\r\n0\r\n\r\n"),
          post("Transfer-Encoding: chunked\r\n", "-1\r\n"),
          std::string("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          std::string("GET /a HTTP/1.1\r\n\r\n"),
          std::string("GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
          std::string("GET /a HTTP/1.1\r\nHost: a b\r\n\r\n"),
          std::string("GET /a HTTP/1.1\nHost: a\n\n")})
        BOOST_TEST(judge(message) == 400U, message);
}

BOOST_AUTO_TEST_CASE(other_forms_versions_and_garbage_are_refused) {
    for (auto const* message :
         {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
          "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET /a HTTP/1.2\r\nHost: h\r\n\r\n", "GET /a HTTP/0.9\r\nHost: h\r\n\r\n",
          "GET /a\r\n\r\n", "GET /a H\r\n\r\n", "GET /a HTTP/1.\r\n\r\n", "GET /a \r\n\r\n",
          "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET /a HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
          "GET /a HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n",
          "GET /a HTTP/1.1\r\nHost: h\r\nX: a\x01\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
          "{\"json\":1}\r\n\r\n"})
        BOOST_TEST(judge(message) == 400U, message);
}

BOOST_AUTO_TEST_CASE(large_headers_are_431) {
    auto const filler = std::string(header_max, 'x');
    BOOST_TEST(judge("GET /a HTTP/1.1\r\nHost: h\r\nX: " + filler + "\r\n\r\n") == 431U);
    BOOST_TEST(judge("GET /a HTTP/1.1\r\nHost: h\r\nX: " + filler) == 431U);
    BOOST_TEST(judge("GET /" + filler + " HTTP/1.1\r\nHost: h\r\n\r\n") == 431U);
    auto const half = std::string(header_max * 2 / 3, 'x');
    BOOST_TEST(judge("GET /" + half + " HTTP/1.1\r\nHost: h\r\nX: " + half + "\r\n\r\n") == 431U);
    std::string many = "GET /a HTTP/1.1\r\nHost: h\r\n";
    for (std::size_t i = 0; i < fields_max; ++i) many += "X: y\r\n";
    BOOST_TEST(judge(many + "\r\n") == 431U);
}

BOOST_AUTO_TEST_CASE(large_bodies_are_413_before_they_are_read) {
    BOOST_TEST(judge(post("Content-Length: 101\r\n", "")) == 413U);
    BOOST_TEST(judge(post("Transfer-Encoding: chunked\r\n", "65\r\n")) == 413U);
    BOOST_TEST(judge(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n")) == 413U);
    auto const part = "40\r\n" + std::string(64, 'x') + "\r\n";
    BOOST_TEST(judge(post("Transfer-Encoding: chunked\r\n", part + part)) == 413U);
}

BOOST_AUTO_TEST_CASE(a_message_may_come_byte_by_byte) {
    auto const message =
        post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n");
    RequestParser parser(header_max, fields_max);
    std::string buffer;
    auto last = Progress::need_more;
    for (char const c : message) {
        buffer += c;
        do {
            std::size_t consumed = 0;
            last = parser.advance(buffer, consumed);
            buffer.erase(0, consumed);
            if (last == Progress::head) BOOST_TEST(parser.body_max(100));
        } while (last == Progress::head);
    }
    BOOST_REQUIRE(last == Progress::complete);
    auto const request = parser.take();
    BOOST_TEST(request.body == "abcde");
    BOOST_TEST(!request.headers.find("T"));
    BOOST_TEST(!parser.started());
}

BOOST_AUTO_TEST_CASE(requests_in_one_buffer_are_taken_one_by_one) {
    std::string buffer = post("Content-Length: 1\r\n", "a") + post("Content-Length: 1\r\n", "b");
    RequestParser parser(header_max, fields_max);
    std::string bodies;
    while (!buffer.empty()) {
        std::size_t consumed = 0;
        auto const progress = parser.advance(buffer, consumed);
        buffer.erase(0, consumed);
        if (progress == Progress::head) BOOST_TEST(parser.body_max(100));
        BOOST_REQUIRE(progress != Progress::refused);
        std::size_t more = 0;
        if (parser.head_complete() && parser.advance("", more) == Progress::complete)
            bodies += parser.take().body;
    }
    BOOST_TEST(bodies == "ab");
}

BOOST_AUTO_TEST_CASE(keep_alive_follows_version_and_header) {
    auto keeps = [](std::string_view message) {
        RequestParser parser(header_max, fields_max);
        std::size_t consumed = 0;
        BOOST_REQUIRE(parser.advance(message, consumed) == Progress::head);
        return parser.request().keep_alive;
    };
    BOOST_TEST(keeps("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"));
    BOOST_TEST(!keeps("GET /a HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"));
    BOOST_TEST(!keeps("GET /a HTTP/1.0\r\nHost: h\r\n\r\n"));
    BOOST_TEST(keeps("GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
