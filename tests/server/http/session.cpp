#include "server/http/session.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/server/http/http_server.hpp"

namespace penstock::tests {
namespace {

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

BOOST_AUTO_TEST_SUITE(http_session)

BOOST_AUTO_TEST_CASE(a_connection_serves_one_request_after_the_other) {
    TestServer server;
    Client client(server.port());
    for (int i = 0; i < 5; ++i) BOOST_TEST(client.get("/name/a").body == "a");
    client.send(post_request(R"({"a":1})"));
    BOOST_TEST(client.read().body == R"({"a":1})");
    BOOST_TEST(server.observer.lines().at(5) == "POST /echo echo 200 7 7");
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order_with_few_writes) {
    TestServer server;
    Client client(server.port());
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += get_request("/name/" + std::to_string(i));
    client.send(requests);
    for (int i = 0; i < 100; ++i) BOOST_REQUIRE_EQUAL(client.read().body, std::to_string(i));
    BOOST_TEST(server.listener.metrics().writes.get() < 50U);
    BOOST_TEST(server.listener.metrics().requests.get() == 100U);
}

BOOST_AUTO_TEST_CASE(a_request_may_arrive_byte_by_byte) {
    TestServer server;
    Client client(server.port());
    auto const request = post_request("{}");
    for (char const c : request) client.send(std::string_view(&c, 1));
    BOOST_TEST(client.read().body == "{}");
}

BOOST_AUTO_TEST_CASE(half_a_request_behind_a_whole_one_does_not_hold_its_answer) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/name/a") + "GET /name/b HT");
    BOOST_TEST(client.read().body == "a");
    client.send("TP/1.1\r\nHost: h\r\n\r\n");
    BOOST_TEST(client.read().body == "b");
}

BOOST_AUTO_TEST_CASE(a_client_that_closes_its_side_still_gets_its_answers) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/name/a") + get_request("/name/b"));
    ::shutdown(client.fd(), SHUT_WR);
    BOOST_TEST(count(client.read_to_end(), "HTTP/1.1 200 OK") == 2U);
}

BOOST_AUTO_TEST_CASE(garbage_is_400_and_the_connection_is_closed) {
    TestServer server;
    for (auto const* garbage :
         {"\x16\x03\x01garbage\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
          "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
        Client client(server.port());
        client.send(std::string(garbage) + get_request("/name/never"));
        auto const text = client.read_to_end();
        BOOST_TEST(count(text, "HTTP/1.1 ") == 1U);
        BOOST_TEST(text.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        BOOST_TEST(text.find("Connection: close\r\n") != std::string::npos);
        BOOST_TEST(text.find("\"code\":\"invalid_request\"") != std::string::npos);
    }
    BOOST_TEST(server.listener.metrics().bad_requests.get() == 5U);
}

BOOST_AUTO_TEST_CASE(what_came_before_the_garbage_is_answered) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/name/a") + "garbage\r\n\r\n");
    BOOST_TEST(client.read().body == "a");
    BOOST_TEST(client.read().status == 400U);
}

BOOST_AUTO_TEST_CASE(a_body_above_the_limit_is_413_without_a_reset) {
    TestServer server;
    for (bool const chunked : {false, true}) {
        Client client(server.port());
        auto const size = server::body_default_max + 1;
        std::string body(size, 'x');
        auto const framing = chunked ? std::string("Transfer-Encoding: chunked")
                                     : "Content-Length: " + std::to_string(size);
        if (chunked) body.insert(0, "100001\r\n");
        client.send("POST /echo HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n\r\n");
        client.send(body);
        auto const text = client.read_to_end();
        BOOST_TEST(text.starts_with("HTTP/1.1 413 "));
        BOOST_TEST(text.find("payload_too_large") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_body_of_exactly_the_limit_is_taken) {
    TestServer server;
    Client client(server.port());
    std::string const body = "\"" + std::string(server::body_default_max - 2, 'x') + "\"";
    client.send(post_request(body));
    BOOST_TEST((client.read().body == body));
}

BOOST_AUTO_TEST_CASE(a_chunked_body_is_put_together) {
    TestServer server;
    Client client(server.port());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=1\r\n\":1}\r\n0\r\n\r\n" +
        get_request("/name/next"));
    BOOST_TEST(client.read().body == "{\"a\":1}");
    BOOST_TEST(client.read().body == "next");
}

BOOST_AUTO_TEST_CASE(expect_100_continue_is_honoured) {
    TestServer server;
    Client client(server.port());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(client.read(true).status == 100U);
    client.send("{}");
    BOOST_TEST(client.read().body == "{}");

    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n"
        "Expect: 100-continue\r\n\r\n");
    BOOST_TEST(client.read().status == 413U);
}

BOOST_AUTO_TEST_CASE(a_header_above_the_limit_is_431) {
    TestServer server;
    Client client(server.port());
    client.send("GET /name/a HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x'));
    auto const text = client.read_to_end();
    BOOST_TEST(text.starts_with("HTTP/1.1 431 "));
    BOOST_TEST(text.find("headers_too_large") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(refusals_of_the_router_keep_the_connection) {
    TestServer server;
    Client client(server.port());
    BOOST_TEST(client.get("/nowhere").status == 404U);
    BOOST_TEST(client.get("/echo").status == 405U);
    BOOST_TEST(client.get("/name/a?y=1").status == 400U);
    BOOST_TEST(client.get("/name/a", "Accept: text/html\r\n").status == 406U);
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
    BOOST_TEST(client.read().status == 415U);
    client.send("OPTIONS /name/a HTTP/1.1\r\nHost: h\r\n\r\n");
    auto const options = client.read();
    BOOST_TEST(options.status == 204U);
    BOOST_TEST(options.has("Allow: GET, HEAD, OPTIONS"));
    BOOST_TEST(client.get("/name/a").body == "a");
}

BOOST_AUTO_TEST_CASE(head_and_204_have_no_body) {
    TestServer server;
    Client client(server.port());
    client.send("HEAD /name/abc HTTP/1.1\r\nHost: h\r\n\r\n" + get_request("/empty") +
                get_request("/name/next"));
    BOOST_TEST(client.read(true).has("Content-Length: 3"));
    BOOST_TEST(client.read().status == 204U);
    BOOST_TEST(client.read().body == "next");
}

BOOST_AUTO_TEST_CASE(request_ids_are_echoed_or_made) {
    TestServer server;
    Client client(server.port());
    BOOST_TEST(client.get("/name/a").has("Date: Sat, 21 Nov 2026 09:00:00 GMT"));
    BOOST_TEST(client.get("/name/a", "X-Request-Id: mine\r\n").has("X-Request-Id: mine"));
    BOOST_TEST(client.get("/name/a", "X-Request-Id: a b\r\n").has("X-Request-Id: made-here"));
    auto const lost = client.get("/nowhere", "X-Request-Id: mine\r\n");
    BOOST_TEST(lost.body.find("\"request_id\":\"mine\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_is_500_and_tells_only_the_observer) {
    TestServer server;
    Client client(server.port());
    auto const reply = client.get("/boom");
    BOOST_TEST(reply.status == 500U);
    BOOST_TEST(reply.body.find("\"code\":\"internal\"") != std::string::npos);
    BOOST_TEST(reply.body.find("secret") == std::string::npos);
    BOOST_TEST(client.get("/name/a").body == "a");
    BOOST_TEST(server.observer.lines().at(0) == "failed the secret reason");
}

BOOST_AUTO_TEST_CASE(a_streamed_body_is_chunked_and_the_connection_goes_on) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/stream") + get_request("/name/a", "Connection: close\r\n"));
    auto const text = client.read_to_end();
    BOOST_TEST(text.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    BOOST_TEST(text.find("\r\n\r\n8\r\npiece 1\n\r\n8\r\npiece 2\n\r\n8\r\npiece 3\n\r\n0\r\n\r\n"
                         "HTTP/1.1 200 OK\r\n") != std::string::npos);
    BOOST_TEST(server.observer.lines().at(0) == "GET /stream stream 200 0 24");
}

BOOST_AUTO_TEST_CASE(a_source_that_fails_leaves_a_body_without_end) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/torn"));
    auto const text = client.read_to_end();
    BOOST_TEST(text.ends_with("8\r\npiece 3\n\r\n"));
}

BOOST_AUTO_TEST_CASE(http_1_0_is_closed_unless_it_asks_otherwise) {
    TestServer server;
    Client once(server.port());
    once.send("GET /name/a HTTP/1.0\r\n\r\n");
    BOOST_TEST(once.read_to_end().ends_with("\r\n\r\na"));
    Client kept(server.port());
    kept.send("GET /name/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(kept.read().has("Connection: keep-alive"));
    kept.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(kept.read_to_end().ends_with("\r\n\r\npiece 1\npiece 2\npiece 3\n"));
}

BOOST_AUTO_TEST_CASE(slow_clients_are_timed_out_in_every_phase) {
    struct {
        char const* beginning;
        milliseconds server::HttpLimits::*limit;
        reactor::Count server::HttpMetrics::*timeouts;
    } const phases[] = {
        {"", &server::HttpLimits::idle_timeout, &server::HttpMetrics::timeouts_idle},
        {"GET /na", &server::HttpLimits::header_timeout, &server::HttpMetrics::timeouts_header},
        {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n{",
         &server::HttpLimits::body_timeout, &server::HttpMetrics::timeouts_body},
    };
    for (auto const& phase : phases) {
        // The others are long: a busy machine does not mistake one for another.
        auto options = quick_options();
        options.limits.*phase.limit = 20ms;
        TestServer server(std::move(options));
        Client client(server.port());
        client.send(phase.beginning);
        BOOST_TEST(client.is_ended(), phase.beginning);
        BOOST_TEST((server.listener.metrics().*phase.timeouts).get() == 1U, phase.beginning);
    }
}

BOOST_AUTO_TEST_CASE(a_dripping_header_does_not_extend_its_deadline) {
    auto options = quick_options();
    options.limits.header_timeout = 100ms;
    TestServer server(std::move(options));
    Client client(server.port());
    bool ended = false;
    for (int drops = 0; drops < 5000 && !ended; ++drops) {
        ::send(client.fd(), "G", 1, MSG_NOSIGNAL);
        ended = client.readable(2ms);
    }
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_cut_off) {
    auto options = quick_options();
    options.limits.write_timeout = 30ms;
    options.limits.rate_min = 1 << 30;
    TestServer server(std::move(options));
    Client client(server.port(), 4096);
    client.send(get_request("/large"));
    auto const& timeouts = server.listener.metrics().timeouts_write;
    BOOST_TEST(eventually([&] { return timeouts.get() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_large_answer_arrives_whole) {
    TestServer server;
    Client client(server.port());
    BOOST_TEST(client.get("/large").body.size() == TestApp::large_bytes);
}

BOOST_AUTO_TEST_CASE(a_connection_may_be_limited_to_a_number_of_requests) {
    auto options = quick_options();
    options.limits.requests_per_connection_max = 2;
    TestServer server(std::move(options));
    Client client(server.port());
    client.send(get_request("/name/a") + get_request("/name/b") + get_request("/name/c"));
    BOOST_TEST(!client.read().has("Connection: close"));
    BOOST_TEST(client.read().has("Connection: close"));
    BOOST_TEST(client.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(a_browser_gets_its_cors_headers_on_errors_too) {
    auto options = quick_options();
    options.cors = server::Cors({"https://shop.example"});
    TestServer server(std::move(options));
    Client client(server.port());
    auto const lost = client.get("/nowhere", "Origin: https://shop.example\r\n");
    BOOST_TEST(lost.has("Access-Control-Allow-Origin: https://shop.example"));
    client.send(
        "OPTIONS /echo HTTP/1.1\r\nHost: h\r\nOrigin: https://shop.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n");
    auto const preflight = client.read();
    BOOST_TEST(preflight.status == 204U);
    BOOST_TEST(preflight.has("Access-Control-Allow-Methods: POST, OPTIONS"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
