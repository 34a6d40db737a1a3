// HOW a body that is pulled piece by piece reaches its client, and what ends it.
#include <boost/asio/ssl/context.hpp>
#include <boost/test/unit_test.hpp>
#include <future>

#include "tests/server/http/http_server.hpp"
#include "tests/support/tls.hpp"

namespace penstock::tests {
namespace {

/// Asks for the feed and waits until its source is waited for.
void open_feed(TestServer& server, Client& client) {
    auto& feeds = server.app.feeds;
    int const before = feeds.pulled;
    client.send(get_request("/feed"));
    BOOST_TEST(client.read(true).has("Transfer-Encoding: chunked"));
    BOOST_REQUIRE(eventually([&] { return feeds.pulled == before + 1; }));
}

bool has_no_stream(TestServer& server) {
    return eventually(
        [&] { return server.app.feeds.open == 0 && server.listener.metrics().streams.get() == 0; });
}

BOOST_AUTO_TEST_SUITE(http_streams)

BOOST_AUTO_TEST_CASE(a_source_of_known_length_is_not_chunked_and_the_connection_goes_on) {
    TestServer server;
    Client client(server.port());
    for (auto const* version : {"HTTP/1.1", "HTTP/1.0"}) {
        client.send(std::string("GET /sized ") + version +
                    "\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
        auto const reply = client.read();
        BOOST_TEST(reply.has("Content-Length: 24"));
        BOOST_TEST(reply.head.find("Transfer-Encoding") == std::string::npos);
        BOOST_TEST(reply.body == "piece 1\npiece 2\npiece 3\n");
    }
    BOOST_TEST(client.get("/name/a").body == "a");
    BOOST_TEST(server.observer.lines().at(0) == "GET /sized sized 200 0 24");
}

BOOST_AUTO_TEST_CASE(a_source_that_is_not_as_long_as_was_said_breaks_the_connection) {
    TestServer server;
    Client few(server.port());
    few.send(get_request("/short") + get_request("/name/never"));
    BOOST_TEST(few.read_to_end().ends_with("\r\n\r\npiece 1\npiece 2\npiece 3\n"));
    Client many(server.port());
    many.send(get_request("/long") + get_request("/name/never"));
    BOOST_TEST(many.read_to_end().ends_with("\r\n\r\npiece 1\npiece 2\n"));
}

BOOST_AUTO_TEST_CASE(head_of_a_stream_has_its_header_and_nothing_is_pulled) {
    TestServer server;
    Client client(server.port());
    client.send("HEAD /feed HTTP/1.1\r\nHost: h\r\n\r\n");
    BOOST_TEST(client.read(true).has("Transfer-Encoding: chunked"));
    client.send("HEAD /sized HTTP/1.1\r\nHost: h\r\n\r\n");
    BOOST_TEST(client.read(true).has("Content-Length: 24"));
    BOOST_TEST(client.get("/name/a").body == "a");
    BOOST_TEST(server.app.feeds.pulled == 0);
    BOOST_TEST(has_no_stream(server));
}

BOOST_AUTO_TEST_CASE(a_source_that_throws_breaks_the_body_and_tells_only_the_observer) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/throws"));
    auto const text = client.read_to_end();
    BOOST_TEST(text.ends_with("\r\n\r\n"));
    BOOST_TEST(text.find("secret") == std::string::npos);
    BOOST_TEST(server.observer.lines().at(0) == "failed the secret of the source");
}

BOOST_AUTO_TEST_CASE(a_piece_is_written_when_it_is_there) {
    TestServer server;
    Client client(server.port());
    open_feed(server, client);
    BOOST_TEST(server.listener.metrics().streams.get() == 1U);
    for (int i = 0; i < 3; ++i) {
        server.on_loop([&] { server.app.feeds.pushed.notify(); });
        BOOST_TEST(client.read_bytes(10) == "5\r\nnews\n\r\n");
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_or_closes_its_side_ends_an_endless_source) {
    TestServer server;
    {
        Client gone(server.port());
        open_feed(server, gone);
    }
    BOOST_TEST(has_no_stream(server));
    Client half(server.port());
    open_feed(server, half);
    ::shutdown(half.fd(), SHUT_WR);
    BOOST_TEST(has_no_stream(server));
    BOOST_TEST(server.app.feeds.cancelled == 2);
    BOOST_TEST(half.is_ended());
}

BOOST_AUTO_TEST_CASE(a_client_that_closes_its_side_gets_its_download_whole) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/gate") + get_request("/stream"));
    ::shutdown(client.fd(), SHUT_WR);
    server.app.at_gate.get_future().wait();
    server.on_loop([&] { server.app.gate.notify(); });
    BOOST_TEST(client.read_to_end().ends_with("8\r\npiece 3\n\r\n0\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(what_is_asked_behind_a_stream_waits_for_its_end) {
    TestServer server;
    Client client(server.port());
    open_feed(server, client);
    // More than the session holds: the rest waits in the sockets.
    constexpr int requests = 3000;
    std::string text;
    for (int i = 0; i < requests; ++i) text += get_request("/name/" + std::to_string(i));
    auto sent = std::async(std::launch::async, [&] { return client.is_sent(text); });
    auto const& read = server.listener.metrics().bytes_read;
    BOOST_TEST(eventually([&] { return read.get() > 60'000; }));
    BOOST_TEST(server.listener.metrics().requests.get() == 1U);
    server.on_loop([&] { server.app.feeds.end(); });
    BOOST_TEST(client.read_bytes(5) == "0\r\n\r\n");
    for (int i = 0; i < requests; ++i) BOOST_REQUIRE_EQUAL(client.read().body, std::to_string(i));
    BOOST_TEST(sent.get());
}

BOOST_AUTO_TEST_CASE(drain_ends_an_endless_stream_in_order) {
    TestServer server;
    Client client(server.port());
    open_feed(server, client);
    auto drained = server.drain(15s);
    BOOST_TEST(client.read_to_end() == "0\r\n\r\n");
    ::shutdown(client.fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
    BOOST_TEST(has_no_stream(server));
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_asked_for_while_draining_ends_at_once) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/gate") + get_request("/feed"));
    server.app.at_gate.get_future().wait();
    auto drained = server.drain(15s);
    server.on_loop([&] { server.app.gate.notify(); });
    BOOST_TEST(client.read_to_end().ends_with("\r\n\r\n0\r\n\r\n"));
    ::shutdown(client.fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_read_stops_the_source_and_is_cut_off) {
    auto options = quick_options();
    options.limits.write_timeout = 50ms;
    options.limits.rate_min = 1 << 30;
    TestServer server(std::move(options));
    Client client(server.port(), 4096);
    client.send(get_request("/flood"));
    auto const& timeouts = server.listener.metrics().timeouts_write;
    BOOST_TEST(eventually([&] { return timeouts.get() == 1; }));
    BOOST_TEST(has_no_stream(server));
    // What was pulled fits into the sockets' buffers and one piece.
    std::size_t const pulled = server.app.feeds.pulled;
    BOOST_TEST(pulled * FloodSource::piece_bytes < (std::size_t{32} << 20));
}

BOOST_AUTO_TEST_CASE(cancelling_the_sessions_ends_a_stream) {
    TestServer server;
    Client client(server.port());
    open_feed(server, client);
    // Its deadline has passed: whatever is open is cut off.
    BOOST_TEST(!server.drain(-1s).get());
    BOOST_TEST(has_no_stream(server));
}

BOOST_AUTO_TEST_CASE(a_connection_over_tls_goes_on_behind_a_stream) {
    Identity const identity;
    auto options = quick_options();
    options.tls = server::make_tls(identity.certificate(), identity.private_key());
    TestServer server(std::move(options));
    Client client(server.port());
    auto const requests = get_request("/stream") + get_request("/sized") +
                          get_request("/name/b", "Connection: close\r\n");
    auto const text = ask_over_tls(client.fd(), requests, TLS1_3_VERSION);
    BOOST_TEST(text.find("0\r\n\r\nHTTP/1.1 200 OK\r\n") != std::string::npos);
    BOOST_TEST(text.find("piece 3\nHTTP/1.1 200 OK\r\n") != std::string::npos);
    BOOST_TEST(text.ends_with("\r\n\r\nb"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
