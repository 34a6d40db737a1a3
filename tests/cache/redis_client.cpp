#include "cache/redis_client.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "cache/scripts.hpp"
#include "reactor/deadline.hpp"
#include "tests/cache/support.hpp"

using namespace penstock;
using namespace penstock::cache;
using namespace penstock::tests;

namespace {

RedisClientOptions options_for(RedisServer const& server) {
    RedisClientOptions options;
    options.address = on_socket(server.socket_path());
    options.patience = milliseconds{5'000};
    return options;
}

asio::awaitable<Reply> value_of(RedisClient& client, Command command) {
    auto const answer = co_await client.command(std::move(command), patient());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error());
    co_return *answer;
}

asio::awaitable<Reply> released(RedisClient& client, std::string key, std::string token) {
    std::vector<std::string> keys(1, key);
    std::vector<std::string> arguments(1, token);
    auto const answer =
        co_await client.eval(scripts::compare_and_delete, keys, arguments, patient());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error());
    co_return *answer;
}

asio::awaitable<Failure> failure_of_command(RedisClient& client, Command command) {
    auto const answer = co_await client.command(std::move(command), patient());
    BOOST_REQUIRE(answer.has_error());
    co_return answer.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_client)

BOOST_AUTO_TEST_CASE(a_lease_is_released_by_its_owner_only) {
    RedisServer server;
    with_client(options_for(server), [](RedisClient& client) -> asio::awaitable<void> {
        co_await value_of(client, Command("SET", "lease", "mine", "NX", "PX", 60'000));
        auto const stranger = co_await released(client, "lease", "theirs");
        BOOST_TEST(stranger == Reply::of(0));
        auto const kept = co_await value_of(client, Command("GET", "lease"));
        BOOST_TEST(kept == Reply::string("mine"));
        auto const owner = co_await released(client, "lease", "mine");
        BOOST_TEST(owner == Reply::of(1));
        auto const gone = co_await released(client, "lease", "mine");
        BOOST_TEST(gone == Reply::of(0));
        // A key of another type is nobody's lease.
        co_await value_of(client, Command("LPUSH", "list", "mine"));
        auto const wrong = co_await released(client, "list", "mine");
        BOOST_TEST(wrong == Reply::of(0));
        auto const length = co_await value_of(client, Command("LLEN", "list"));
        BOOST_TEST(length == Reply::of(1));
    });
}

BOOST_AUTO_TEST_CASE(a_script_is_sent_once_and_again_after_a_flush) {
    RedisServer server;
    with_client(options_for(server), [](RedisClient& client) -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) co_await released(client, "lease", "mine");
        BOOST_TEST(client.metrics().scripts_sent.get() == 1U);
        co_await value_of(client, Command("SCRIPT", "FLUSH"));
        for (int i = 0; i < 3; ++i) co_await released(client, "lease", "mine");
        BOOST_TEST(client.metrics().scripts_sent.get() == 2U);
        BOOST_TEST(client.metrics().failed_refused.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(what_redis_refuses_is_quoted_and_opens_no_breaker) {
    RedisServer server;
    with_client(options_for(server), [](RedisClient& client) -> asio::awaitable<void> {
        co_await value_of(client, Command("LPUSH", "list", "x"));
        for (int i = 0; i < 30; ++i) {
            auto const failure = co_await failure_of_command(client, Command("INCR", "list"));
            BOOST_REQUIRE(failure.code == Errc::refused_by_redis);
            BOOST_REQUIRE(failure.text.starts_with("WRONGTYPE Operation against a key"));
        }
        BOOST_TEST(client.breaker_state() == BreakerState::closed);
        BOOST_TEST(client.metrics().failed_refused.get() == 30U);
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_refuses_writes_and_still_reads) {
    RedisServer server;
    with_client(options_for(server), [](RedisClient& client) -> asio::awaitable<void> {
        co_await value_of(client, Command("SET", "k", "v"));
        co_await value_of(client, Command("CONFIG", "SET", "maxmemory", "1"));
        auto const failure = co_await failure_of_command(client, Command("SET", "k", "w"));
        BOOST_TEST(failure.code == error_code(Errc::refused_by_redis));
        BOOST_TEST(failure.text.starts_with("OOM "));
        auto const kept = co_await value_of(client, Command("GET", "k"));
        BOOST_TEST(kept == Reply::string("v"));
    });
}

BOOST_AUTO_TEST_CASE(a_demoted_master_is_left_for_a_new_connection) {
    RedisServer server;
    with_client(options_for(server), [](RedisClient& client) -> asio::awaitable<void> {
        co_await value_of(client, Command("REPLICAOF", "127.0.0.1", "1"));
        auto const failure = co_await failure_of_command(client, Command("SET", "k", "v"));
        BOOST_TEST(failure.code == error_code(Errc::unavailable));
        BOOST_TEST(failure.text.starts_with("READONLY "));
        auto const limit = patient();
        while (client.metrics().reconnects.get() == 0 && steady_now() < limit)
            co_await reactor::sleep_until(in(milliseconds{1}));
        BOOST_TEST(client.metrics().reconnects.get() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_costs_a_few_callers_patience_and_the_rest_nothing) {
    RedisServer server;
    auto options = options_for(server);
    options.patience = milliseconds{50};
    options.breaker.failures_in_a_row = 3;
    // Longer than all of the patience, also when a busy machine adds to it.
    options.connection.response_max = milliseconds{2'000};
    options.connection.connect_max = milliseconds{2'000};
    with_client(options, [&](RedisClient& client) -> asio::awaitable<void> {
        server.freeze();
        for (int i = 0; i < 3; ++i) {
            auto const failure = co_await failure_of_command(client, Command("PING"));
            BOOST_TEST(failure.code == error_code(reactor::Errc::deadline_exceeded));
        }
        BOOST_TEST(client.breaker_state() == BreakerState::open);
        auto const began = steady_now();
        int waited = 0;
        for (int i = 0; i < 100; ++i) {
            auto const failure = co_await failure_of_command(client, Command("PING"));
            waited += failure.code != Errc::unavailable;
        }
        // A probe after each pause, the one that had begun already included.
        BOOST_TEST(waited <= 1 + (steady_now() - began) / options.breaker.cool_down_first);
        // Frozen for as long as it takes to give the connection up.
        auto const limit = patient();
        while (client.up() && steady_now() < limit)
            co_await reactor::sleep_until(in(milliseconds{5}));
        BOOST_TEST(!client.up());
        server.thaw();
        bool answered = false;
        while (!answered && steady_now() < limit) {
            auto const error = co_await client.ping(patient());
            answered = !error;
            co_await reactor::sleep_until(in(milliseconds{5}));
        }
        BOOST_TEST(answered);
        BOOST_TEST(client.breaker_state() == BreakerState::closed);
        BOOST_TEST(client.metrics().breaker_openings.get() >= 1U);
        BOOST_TEST(client.metrics().failed_late.get() >= 3U);
    });
}

BOOST_AUTO_TEST_CASE(a_caller_who_leaves_early_blames_nobody) {
    RedisServer server;
    auto options = options_for(server);
    options.breaker.failures_in_a_row = 1;
    with_client(options, [](RedisClient& client) -> asio::awaitable<void> {
        auto const late =
            co_await client.command(Command("BLPOP", "nothing", "0.05"), in(milliseconds{1}));
        BOOST_TEST(late.error().code == error_code(reactor::Errc::deadline_exceeded));
        BOOST_TEST(client.breaker_state() == BreakerState::closed);
        auto const error = co_await client.ping(patient());
        BOOST_TEST(!error);
    });
}

BOOST_AUTO_TEST_CASE(a_killed_redis_is_unavailable_and_comes_back_without_help) {
    RedisServer server;
    with_client(options_for(server), [&](RedisClient& client) -> asio::awaitable<void> {
        for (int round = 0; round < 2; ++round) {
            server.kill();
            auto const limit = patient();
            while (client.up() && steady_now() < limit)
                co_await reactor::sleep_until(in(milliseconds{1}));
            auto const failure = co_await failure_of_command(client, Command("PING"));
            BOOST_TEST(failure.code == error_code(Errc::unavailable));
            server.start();
            bool const up = co_await client.up_before(patient());
            BOOST_REQUIRE(up);
            auto const error = co_await client.ping(patient());
            BOOST_TEST(!error);
        }
        BOOST_TEST(client.metrics().reconnects.get() == 2U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
