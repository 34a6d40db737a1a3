#include "server/http/listener.hpp"

#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <optional>
#include <thread>

#include "server/commands.hpp"
#include "server/options.hpp"
#include "tests/server/http/http_server.hpp"
#include "tests/support/tls.hpp"

namespace penstock::tests {
namespace {

server::ListenerOptions tls_options(Identity const& identity) {
    auto options = quick_options();
    options.tls = server::make_tls(identity.certificate(), identity.private_key());
    return options;
}

/// Two requests on one connection over TLS; "" when the handshake fails.
std::string ask_over_tls(Client& client, int version) {
    auto const requests = get_request("/name/a") + get_request("/name/b", "Connection: close\r\n");
    return penstock::tests::ask_over_tls(client.fd(), requests, version);
}

BOOST_AUTO_TEST_SUITE(http_listener)

BOOST_AUTO_TEST_CASE(the_bound_port_is_known_and_may_be_shared_by_shards) {
    TestServer first;
    BOOST_TEST(first.port() != 0);
    auto options = quick_options();
    options.port = first.port();
    options.joins = true;
    TestServer second(std::move(options));
    BOOST_TEST(second.port() == first.port());
    Client client(first.port());
    BOOST_TEST(client.get("/name/a").body == "a");
}

server::ListenerOptions at(std::string address, std::uint16_t port) {
    auto options = quick_options();
    options.address = std::move(address);
    options.port = port;
    return options;
}

BOOST_AUTO_TEST_CASE(a_port_is_free_until_somebody_listens_there_and_again_afterwards) {
    std::uint16_t port = 0;
    {
        TestServer server;
        port = server.port();
        Client client(port);
        BOOST_TEST(client.get("/name/a").body == "a");
        for (auto const* address : {"127.0.0.1", "0.0.0.0"})
            BOOST_CHECK_THROW(TestServer second(at(address, port)), std::runtime_error);
        TestServer const elsewhere(at("127.0.0.1", 0));
        BOOST_TEST(elsewhere.port() != port);
    }
    TestServer const next(at("127.0.0.1", port));
    BOOST_TEST(next.port() == port);
}

BOOST_AUTO_TEST_CASE(an_address_that_cannot_be_bound_is_an_error_at_once) {
    BOOST_CHECK_THROW(TestServer server(at("203.0.113.1", 0)), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(of_two_who_want_a_port_at_the_same_moment_one_gets_it) {
    std::uint16_t const port = TestServer().port();
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> ready{0};
        std::atomic<int> done{0};
        std::atomic<int> won{0};
        auto const race = [&] {
            std::optional<TestServer> server;
            for (++ready; ready < 2;) std::this_thread::yield();
            try {
                server.emplace(at("127.0.0.1", port));
                ++won;
            } catch (std::runtime_error const&) {  // the other one was first
            }
            for (++done; done < 2;) std::this_thread::yield();
        };
        {
            std::jthread const one(race);
            std::jthread const two(race);
        }
        BOOST_REQUIRE_EQUAL(won, 1);
    }
}

BOOST_AUTO_TEST_CASE(a_thousand_idle_connections_are_held_and_still_served) {
    TestServer server;
    std::vector<Client> clients;
    clients.reserve(1000);
    for (int i = 0; i < 1000; ++i) clients.emplace_back(server.port());
    for (auto& client : clients) client.send(get_request("/name/a"));
    for (auto& client : clients) BOOST_REQUIRE_EQUAL(client.read().body, "a");
    BOOST_TEST(server.listener.metrics().connections_open.get() == 1000U);
}

BOOST_AUTO_TEST_CASE(connections_above_the_limit_are_told_503) {
    auto options = quick_options();
    options.limits.connections_max = 1;
    TestServer server(std::move(options));
    Client first(server.port());
    BOOST_TEST(first.get("/name/a").status == 200U);
    Client second(server.port());
    auto const text = second.read_to_end();
    BOOST_TEST(text.starts_with("HTTP/1.1 503 "));
    BOOST_TEST(text.find("Retry-After: 1\r\n") != std::string::npos);
    BOOST_TEST(first.get("/name/a").status == 200U);
}

BOOST_AUTO_TEST_CASE(drain_answers_what_was_read_and_says_close) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/name/a") + get_request("/gate") + get_request("/name/b") +
                get_request("/name/c"));
    server.app.at_gate.get_future().wait();
    auto drained = server.drain(15s);
    server.on_loop([&] { server.app.gate.notify(); });
    BOOST_TEST(client.read().body == "a");
    BOOST_TEST(!client.read().has("Connection: close"));
    BOOST_TEST(client.read().body == "b");
    auto const last = client.read();
    BOOST_TEST(last.body == "c");
    BOOST_TEST(last.has("Connection: close"));
    BOOST_TEST(client.read_to_end() == "");
    ::shutdown(client.fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
}

BOOST_AUTO_TEST_CASE(drain_answers_who_was_let_in_before_it) {
    TestServer server;
    std::optional<Client> client;
    std::future<bool> drained;
    // While the loop is here, only the kernel knows of a new connection.
    server.on_loop([&] {
        client.emplace(server.port());
        client->send(get_request("/name/a"));
        drained = server.drain(15s);
    });
    auto const reply = client->read();
    BOOST_TEST(reply.body == "a");
    BOOST_TEST(reply.has("Connection: close"));
    BOOST_TEST(client->read_to_end() == "");
    ::shutdown(client->fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
}

BOOST_AUTO_TEST_CASE(drain_closes_idle_connections_and_refuses_new_ones) {
    TestServer server;
    Client idle(server.port());
    BOOST_TEST(idle.get("/name/a").status == 200U);
    auto drained = server.drain(15s);
    BOOST_TEST(idle.read_to_end() == "");
    ::shutdown(idle.fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
    BOOST_TEST(server.listener.sessions() == 0U);
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_TEST(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0);
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(drain_waits_for_a_request_that_has_begun) {
    TestServer server;
    Client client(server.port());
    auto const request = post_request(R"({"a":1})");
    client.send(get_request("/name/a"));
    BOOST_TEST(client.read().body == "a");
    client.send(request.substr(0, request.size() - 3));
    auto const& read = server.listener.metrics().bytes_read;
    BOOST_TEST(eventually([&] { return read.get() > request.size(); }));
    auto drained = server.drain(15s);
    client.send(request.substr(request.size() - 3));
    auto const reply = client.read();
    BOOST_TEST(reply.body == R"({"a":1})");
    BOOST_TEST(reply.has("Connection: close"));
    ::shutdown(client.fd(), SHUT_RDWR);
    BOOST_TEST(drained.get());
}

BOOST_AUTO_TEST_CASE(drain_cuts_off_what_outlives_its_deadline) {
    TestServer server;
    Client client(server.port());
    client.send(get_request("/gate"));
    server.app.at_gate.get_future().wait();
    BOOST_TEST(!server.drain(10ms).get());
    BOOST_TEST(client.is_ended());
}

BOOST_AUTO_TEST_CASE(tls_serves_1_2_and_1_3_and_nothing_older) {
    Identity const identity;
    TestServer server(tls_options(identity));
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Client client(server.port());
        auto const text = ask_over_tls(client, version);
        BOOST_TEST(text.find("\r\n\r\naHTTP/1.1 200 OK\r\n") != std::string::npos);
        BOOST_TEST(text.ends_with("\r\n\r\nb"));
    }
    Client old(server.port());
    BOOST_TEST(ask_over_tls(old, TLS1_1_VERSION) == "");
}

BOOST_AUTO_TEST_CASE(the_health_check_speaks_to_both_kinds_of_server) {
    TestServer plain;
    server::Options options;
    options.url = "http://127.0.0.1:" + std::to_string(plain.port()) + "/name/a";
    BOOST_TEST(server::healthcheck(options) == 0);
    options.url = "http://127.0.0.1:" + std::to_string(plain.port()) + "/nothing-here";
    BOOST_TEST(server::healthcheck(options) == 1);
    Identity const identity;
    TestServer secure(tls_options(identity));
    options.url = "https://127.0.0.1:" + std::to_string(secure.port()) + "/name/a";
    BOOST_TEST(server::healthcheck(options) == 0);
    options.url = "http://127.0.0.1:" + std::to_string(secure.port()) + "/name/a";
    BOOST_TEST(server::healthcheck(options) == 1);
}

BOOST_AUTO_TEST_CASE(a_handshake_has_a_deadline) {
    Identity const identity;
    auto options = tls_options(identity);
    options.limits.handshake_timeout = 20ms;
    TestServer server(std::move(options));
    Client silent(server.port());
    BOOST_TEST(silent.is_ended());
    Client plain(server.port());
    plain.send(get_request("/name/a"));
    BOOST_TEST(plain.read_to_end().find("HTTP/1.1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(unusable_certificates_are_an_error_that_names_the_file) {
    Identity const identity;
    try {
        server::make_tls("no-such-file.pem", identity.private_key());
        BOOST_ERROR("accepted");
    } catch (boost::system::system_error const& error) {
        BOOST_TEST(std::string(error.what()).find("no-such-file.pem") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
