// Do the options that change how a server is reached and watched work in the whole program?
#include <atomic>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "tests/e2e/api.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/tls.hpp"

namespace penstock::tests {
namespace {

std::string redis_status(HttpAnswer const& ready) {
    auto const document = ready.document();
    return std::string(document.at("dependencies").at("redis").at("status").as_string());
}

std::string status_of(HttpAnswer const& ready) {
    return std::string(ready.document().at("status").as_string());
}

BOOST_AUTO_TEST_SUITE(options_at_work)

BOOST_AUTO_TEST_CASE(with_a_certificate_the_server_speaks_tls_and_nothing_else) {
    Identity const identity;
    ServerProcess server(
        {"--tls-certificate", identity.certificate(), "--tls-key", identity.private_key()});
    std::string const body = R"({"name":"main","asset":{"code":"EUR","scale":2}})";
    std::string const request =
        "POST /v1/ledgers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Idempotency-Key: k\r\nConnection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        HttpClient client(server.port());
        auto const answer = ask_over_tls(client.fd(), request, version, &identity);
        BOOST_TEST(answer.starts_with("HTTP/1.1 201 "), answer);
    }
    HttpClient old(server.port());
    BOOST_TEST(ask_over_tls(old.fd(), request, TLS1_1_VERSION, &identity) == "");
    Identity const another;
    HttpClient wary(server.port());
    BOOST_TEST(ask_over_tls(wary.fd(), request, TLS1_3_VERSION, &another) == "");
    HttpClient plain(server.port());
    BOOST_CHECK_THROW(plain.request("GET", "/healthz"), ConnectionEnded);
}

BOOST_AUTO_TEST_CASE(a_page_of_an_allowed_origin_may_ask_and_read) {
    constexpr char const* origin = "https://shop.example";
    ServerProcess server({"--cors-origins", std::string(origin) + ",https://other.example"});
    HttpClient client(server.port());
    auto const preflight = client.request("OPTIONS", "/v1/ledgers", std::nullopt,
                                          {{"Origin", origin},
                                           {"Access-Control-Request-Method", "POST"},
                                           {"Access-Control-Request-Headers", "idempotency-key"}});
    BOOST_TEST(preflight.status == 204U);
    BOOST_TEST(preflight.header("access-control-allow-origin") == origin);
    BOOST_TEST(preflight.header("access-control-allow-methods").find("POST") != std::string::npos);
    BOOST_TEST(preflight.header("access-control-allow-headers").find("Idempotency-Key") !=
               std::string::npos);
    BOOST_TEST(!preflight.header("access-control-max-age").empty());

    Api shop(server);
    auto const made = shop.with("Origin", origin)
                          .post("/v1/ledgers", R"({"name":"a","asset":{"code":"EUR","scale":2}})");
    BOOST_TEST(made.status == 201U, made.body);
    BOOST_TEST(made.header("access-control-allow-origin") == origin);
    BOOST_TEST(made.header("vary") == "Origin");
    BOOST_TEST(made.header("access-control-expose-headers").find("Idempotent-Replayed") !=
               std::string::npos);
    // A refusal can be read as well.
    auto const missing = shop.get("/v1/ledgers/none");
    BOOST_TEST(missing.status == 404U);
    BOOST_TEST(missing.header("access-control-allow-origin") == origin);

    auto const foreign = Api(server).with("Origin", "https://evil.example").get("/v1/ledgers");
    BOOST_TEST(foreign.status == 200U);
    BOOST_TEST(foreign.header("access-control-allow-origin").empty());
    BOOST_TEST(foreign.header("vary") == "Origin");
}

BOOST_AUTO_TEST_CASE(a_port_that_another_server_listens_on_is_not_shared) {
    ServerProcess server({});
    auto const place = "127.0.0.1:" + std::to_string(server.port());
    auto const second = ServerProcess::run({"serve", "--listen", place, "--log-level", "error"});
    BOOST_TEST(second.code == 1);
    BOOST_TEST(second.output.find("another program listens there") != std::string::npos,
               second.output);
    BOOST_TEST(second.output.find(std::to_string(server.port())) != std::string::npos);
    Api api(server);
    BOOST_TEST(api.get("/healthz").status == 200U);
    // Where a server has just been, with a client that is still connected, is no obstacle.
    server.kill();
    ServerProcess next({}, place);
    BOOST_TEST(next.port() == server.port());
}

BOOST_AUTO_TEST_CASE(of_two_servers_that_start_at_the_same_moment_one_gets_the_port) {
    for (int round = 0; round < 3; ++round) {
        auto const port = ServerProcess({}).port();
        auto const place = "127.0.0.1:" + std::to_string(port);
        std::atomic<int> settled{0};
        std::atomic<int> started{0};
        std::atomic<int> answered{0};
        // A server ends with the thread that started it, so that one asks it, too.
        auto const start = [&] {
            std::unique_ptr<ServerProcess> server;
            try {
                server = std::make_unique<ServerProcess>(std::vector<std::string>{}, place);
                ++started;
            } catch (std::runtime_error const&) {  // it said so and ended
            }
            for (++settled; settled < 2;) std::this_thread::yield();
            // The one that has the port has all of it: no client is lost to the other.
            for (int i = 0; server && i < 20; ++i)
                if (Api(*server).get("/healthz").status == 200) ++answered;
        };
        {
            std::jthread const one(start);
            std::jthread const two(start);
        }
        BOOST_TEST(started == 1);
        BOOST_TEST(answered == 20);
    }
}

BOOST_AUTO_TEST_CASE(losing_redis_degrades_a_server_and_its_return_mends_it) {
    RedisServer redis;
    ServerProcess server({"--redis-url", "unix://" + redis.socket_path()});
    Api api(server);
    await_that([&] { return status_of(api.get("/readyz")) == "ok"; }, "readiness");
    BOOST_TEST(redis_status(api.get("/readyz")) == "ok");
    auto const ledger = ledger_with_ann(server);

    redis.kill();
    auto const degraded = api.get("/readyz");
    BOOST_TEST(degraded.status == 200U);
    BOOST_TEST(status_of(degraded) == "degraded");
    BOOST_TEST(redis_status(degraded) == "unavailable");
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 201U);

    redis.start();
    await_that([&] { return status_of(api.get("/readyz")) == "ok"; }, "Redis");
    BOOST_TEST(api.get("/readyz").status == 200U);
}

BOOST_AUTO_TEST_CASE(the_documented_options_are_those_that_the_program_has) {
    std::ifstream file(PENSTOCK_SOURCE_DIR "/docs/options.md");
    std::ostringstream documented;
    documented << file.rdbuf();
    auto const printed = ServerProcess::run({"options", "--format", "markdown"});
    BOOST_TEST(printed.code == 0);
    BOOST_TEST(printed.output == documented.str(),
               "write docs/options.md again: penstock options --format markdown");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
