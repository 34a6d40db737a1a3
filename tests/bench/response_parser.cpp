#include "bench/response_parser.hpp"

#include <boost/test/unit_test.hpp>

namespace penstock::bench {
namespace {

ParseState parse_whole(std::string const& bytes) {
    ResponseParser parser;
    return parser.parse(bytes);
}

std::string with_head(std::string const& headers, std::string const& rest = {}) {
    return "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + rest;
}

/// Feeds every prefix, as if each byte came alone.
void feed_byte_by_byte(ResponseParser& parser, std::string const& bytes) {
    for (std::size_t n = 1; n < bytes.size(); ++n) {
        BOOST_REQUIRE(parser.parse({bytes.data(), n}) == ParseState::incomplete);
    }
    BOOST_REQUIRE(parser.parse(bytes) == ParseState::complete);
}

BOOST_AUTO_TEST_SUITE(response_parser)

BOOST_AUTO_TEST_CASE(a_body_with_a_length_is_complete_at_its_last_byte) {
    std::string const bytes =
        "HTTP/1.1 201 Created\r\ncontent-LENGTH:  5 \r\nX-Other: 1\r\n\r\nhello";
    ResponseParser parser;
    feed_byte_by_byte(parser, bytes);
    BOOST_TEST(parser.response().status == 201);
    BOOST_TEST(parser.response().body == "hello");
    BOOST_TEST(parser.response().keep_alive);
    BOOST_TEST(parser.size() == bytes.size());
}

BOOST_AUTO_TEST_CASE(chunks_are_joined_wherever_the_bytes_are_cut) {
    std::string const bytes = with_head("Transfer-Encoding: chunked\r\n",
                                        "5\r\nhello\r\nA;x=1\r\n, 12345678\r\n0\r\n\r\n");
    ResponseParser parser;
    feed_byte_by_byte(parser, bytes);
    BOOST_TEST(parser.response().body == "hello, 12345678");
    BOOST_TEST(parser.size() == bytes.size());
}

BOOST_AUTO_TEST_CASE(what_follows_an_answer_is_not_part_of_it) {
    ResponseParser parser;
    std::string const first = with_head("Content-Length: 2\r\n", "{}");
    BOOST_REQUIRE(parser.parse(first + "HTTP/1.1 ") == ParseState::complete);
    BOOST_TEST(parser.size() == first.size());
}

BOOST_AUTO_TEST_CASE(the_headers_that_matter_are_read) {
    ResponseParser parser;
    auto const bytes =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nConnection: close\r\n"
        "Idempotent-Replayed: true\r\nContent-Length: 0\r\n\r\n";
    BOOST_REQUIRE(parser.parse(bytes) == ParseState::complete);
    BOOST_TEST(parser.response().retry_after_s.value() == 3u);
    BOOST_TEST(!parser.response().keep_alive);
    BOOST_TEST(parser.response().replayed);
}

BOOST_AUTO_TEST_CASE(a_204_needs_no_length) {
    BOOST_TEST((parse_whole("HTTP/1.1 204 No Content\r\n\r\n") == ParseState::complete));
}

BOOST_AUTO_TEST_CASE(after_reset_the_next_answer_starts_clean) {
    ResponseParser parser;
    BOOST_REQUIRE(parser.parse(with_head("Transfer-Encoding: chunked\r\nRetry-After: 9\r\n",
                                         "1\r\nx\r\n0\r\n\r\n")) == ParseState::complete);
    parser.reset();
    std::string const second = with_head("Content-Length: 1\r\n", "y");
    BOOST_REQUIRE(parser.parse(second) == ParseState::complete);
    BOOST_TEST(parser.response().body == "y");
    BOOST_TEST(!parser.response().retry_after_s.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_malformed) {
    for (auto const& bytes : {
             std::string("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
             std::string("HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n"),
             std::string("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
             std::string("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"),
             std::string("garbage\r\n\r\n"),
             with_head(""),  // would end with the connection
             with_head("Content-Length: -1\r\n"),
             with_head("Content-Length: 1x\r\n"),
             with_head("Content-Length: 99999999999999999999\r\n"),
             with_head("Content-Length: 1\r\nContent-Length: 1\r\n"),
             with_head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
             with_head("Transfer-Encoding: gzip\r\n"),
             with_head("no colon\r\n"),
             with_head(": empty name\r\n"),
             with_head("Transfer-Encoding: chunked\r\n", "zz\r\n"),
             with_head("Transfer-Encoding: chunked\r\n", "1\r\nxyz\r\n"),
             with_head("Transfer-Encoding: chunked\r\n", "fffffffffff\r\n"),
         }) {
        BOOST_TEST_CONTEXT(bytes) { BOOST_CHECK(parse_whole(bytes) == ParseState::malformed); }
    }
}

BOOST_AUTO_TEST_CASE(a_head_without_end_is_malformed_at_its_limit) {
    std::string const endless = "HTTP/1.1 200 OK\r\nX: " + std::string(80'000, 'x');
    BOOST_TEST((parse_whole(endless) == ParseState::malformed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
