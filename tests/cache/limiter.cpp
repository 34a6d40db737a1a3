#include "cache/limiter.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "reactor/deadline.hpp"
#include "tests/cache/support.hpp"

using namespace penstock;
using namespace penstock::cache;
using namespace penstock::tests;
using namespace std::chrono_literals;

namespace {

// Arrays of their own: g++ 12 loses the temporary of a braced list when its loop suspends.
constexpr std::chrono::hours aheads[] = {-1h, 0h, 1h, 2h, 3h, 4h, 1'000h};
constexpr char const* far_schedules[] = {"9007199254740991", "99999999999999999999999999"};
constexpr char const* garbages[] = {"", "nan", "inf", "-5", "1e300", "0x10", " 7", "12.5"};

/// Nothing comes back while a test runs.
constexpr RateLimit hourly{1h, 3};

RedisClientOptions options_for(RedisServer const& server) {
    RedisClientOptions options;
    options.address = on_socket(server.socket_path());
    options.patience = milliseconds{5'000};
    return options;
}

LimiterOptions patient_limiter() {
    LimiterOptions options;
    options.wait = milliseconds{5'000};
    return options;
}

asio::awaitable<Reply> value_of(RedisClient& client, Command command) {
    auto const answer = co_await client.command(std::move(command), patient());
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error());
    co_return *answer;
}

asio::awaitable<Admission> admitted(Limiter& limiter, std::string subject, RateLimit limit) {
    auto const answer = co_await limiter.admit(std::move(subject), limit);
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error());
    co_return *answer;
}

/// How many of `requests` are allowed.
asio::awaitable<int> allowed_of(Limiter& limiter, int requests) {
    int allowed = 0;
    for (int i = 0; i < requests; ++i) {
        auto const admission = co_await admitted(limiter, "ann", hourly);
        allowed += admission.allowed;
    }
    co_return allowed;
}

/// Microseconds on the clock of Redis.
asio::awaitable<std::int64_t> redis_now(RedisClient& client) {
    auto const time = co_await value_of(client, Command("TIME"));
    co_return std::stoll(time.elements[0].text) * 1'000'000 + std::stoll(time.elements[1].text);
}

/// `body(client, limiter)` on a Redis of its own.
template <class Body>
void with_limiter(RedisServer& server, LimiterOptions limits, Body body) {
    with_client(options_for(server), [&](RedisClient& client) -> asio::awaitable<void> {
        Limiter limiter(client, limits);
        co_await body(client, limiter);
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limiter)

BOOST_AUTO_TEST_CASE(a_subject_gets_its_burst_and_not_one_more) {
    RedisServer server;
    auto body = [](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        for (int i = 1; i <= 3; ++i) {
            auto const admission = co_await admitted(limiter, "ann", hourly);
            BOOST_TEST(admission.allowed);
            BOOST_TEST((admission.backlog <= 1h * i));
            BOOST_TEST((admission.backlog > 1h * i - 60s));
        }
        for (int i = 0; i < 3; ++i) {
            auto const admission = co_await admitted(limiter, "ann", hourly);
            BOOST_TEST(!admission.allowed);
            BOOST_TEST(remaining(hourly, admission.backlog) == 0U);
            BOOST_TEST((next_in(hourly, admission.backlog) > 1h - 60s));
        }
        auto const stranger = co_await admitted(limiter, "bob", hourly);
        BOOST_TEST(stranger.allowed);
        // One key per subject, gone when the quota is whole.
        auto const size = co_await value_of(client, Command("DBSIZE"));
        BOOST_TEST(size == Reply::of(2));
        auto const life = co_await value_of(client, Command("PTTL", "ps:rl:ann"));
        BOOST_TEST(life.number > 10'740'000);
        BOOST_TEST(life.number <= 10'800'000);
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(the_quota_comes_back_by_the_interval) {
    RedisServer server;
    auto body = [](RedisClient&, Limiter& limiter) -> asio::awaitable<void> {
        constexpr RateLimit quick{20ms, 2};
        auto const began = steady_now();
        int allowed = 0;
        while (allowed < 12) {
            auto const admission = co_await admitted(limiter, "ann", quick);
            allowed += admission.allowed;
            BOOST_REQUIRE((steady_now() - began < 20s));
        }
        // Two at once and ten that had to come back, each after 20 ms.
        BOOST_TEST((steady_now() - began >= 195ms));
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(two_servers_share_one_limit) {
    RedisServer server;
    auto body = [&](RedisClient& one, Limiter& first) -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        RedisClient two(executor, options_for(server), half);
        auto inner = [&]() -> asio::awaitable<void> {
            bool const up = co_await two.up_before(patient());
            BOOST_REQUIRE(up);
            Limiter second(two, patient_limiter());
            int allowed = 0;
            for (int i = 0; i < 4; ++i) {
                int const here = co_await allowed_of(first, 1);
                int const there = co_await allowed_of(second, 1);
                allowed += here + there;
            }
            BOOST_TEST(allowed == 3);
        };
        co_await beside(two.run(), inner);
        BOOST_TEST(one.up());
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(redis_and_the_process_judge_alike) {
    RedisServer server;
    auto body = [](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        for (auto const ahead : aheads) {
            // Half an interval aside, so that the moments in between do not matter.
            auto const backlog = microseconds{ahead} + 30min;
            auto const now = co_await redis_now(client);
            auto const schedule = std::to_string(now + backlog.count());
            co_await value_of(client, Command("SET", "ps:rl:ann", schedule));
            auto const judged = co_await admitted(limiter, "ann", hourly);
            auto const expected = judge(hourly, backlog);
            BOOST_TEST(judged.allowed == expected.allowed, ahead.count() << " h");
            BOOST_TEST((judged.backlog <= expected.backlog));
            BOOST_TEST((judged.backlog > expected.backlog - 60s));
        }
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(a_schedule_of_another_clock_locks_nobody_out_for_longer_than_the_window) {
    RedisServer server;
    auto body = [](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        for (auto const* far : far_schedules) {
            co_await value_of(client, Command("SET", "ps:rl:ann", far));
            auto const refused = co_await admitted(limiter, "ann", hourly);
            BOOST_TEST(refused == (Admission{false, 3h}));
            auto const kept = co_await value_of(client, Command("GET", "ps:rl:ann"));
            auto const now = co_await redis_now(client);
            BOOST_TEST(std::stoll(kept.text) <= now + microseconds{3h}.count());
            auto const life = co_await value_of(client, Command("PTTL", "ps:rl:ann"));
            BOOST_TEST(life.number > 0);
        }
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(a_key_that_holds_something_else_begins_anew) {
    RedisServer server;
    auto body = [](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        for (auto const* garbage : garbages) {
            co_await value_of(client, Command("SET", "ps:rl:ann", garbage));
            auto const allowed = co_await allowed_of(limiter, 5);
            BOOST_TEST(allowed == 3, garbage);
        }
        co_await value_of(client, Command("DEL", "ps:rl:ann"));
        co_await value_of(client, Command("LPUSH", "ps:rl:ann", "x"));
        auto const of_list = co_await allowed_of(limiter, 5);
        BOOST_TEST(of_list == 3);
        co_await value_of(client, Command("FLUSHALL"));
        auto const after_flush = co_await allowed_of(limiter, 5);
        BOOST_TEST(after_flush == 3);
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(a_request_is_one_command) {
    RedisServer server;
    auto body = [](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        co_await allowed_of(limiter, 1);  // sends the script
        auto const before = client.metrics().commands.get();
        co_await allowed_of(limiter, 10);
        BOOST_TEST(client.metrics().commands.get() - before == 10U);
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_costs_a_few_requests_the_wait_and_the_rest_nothing) {
    RedisServer server;
    LimiterOptions limits;
    limits.wait = milliseconds{10};
    auto body = [&](RedisClient&, Limiter& limiter) -> asio::awaitable<void> {
        server.freeze();
        for (int i = 0; i < 3; ++i) {
            auto const late = co_await limiter.admit("ann", hourly);
            BOOST_REQUIRE(late.has_error());
            BOOST_TEST(late.error().code == error_code(reactor::Errc::deadline_exceeded));
        }
        BOOST_TEST(limiter.breaker_openings() == 1U);
        auto const began = steady_now();
        int waited = 0;
        for (int i = 0; i < 100; ++i) {
            auto const refused = co_await limiter.admit("ann", hourly);
            BOOST_REQUIRE(refused.has_error());
            waited += refused.error().code == reactor::Errc::deadline_exceeded;
        }
        // A probe after each pause, the one that had begun already included.
        BOOST_TEST(waited <= 1 + (steady_now() - began) / limits.breaker.cool_down_first);
        server.thaw();
        bool judged = false;
        while (!judged) {
            auto const answer = co_await limiter.admit("ann", hourly);
            judged = answer.has_value();
            BOOST_REQUIRE((steady_now() - began < 20s));
            co_await reactor::sleep_until(in(milliseconds{5}));
        }
    };
    with_limiter(server, limits, body);
}

BOOST_AUTO_TEST_CASE(a_redis_that_cannot_count_is_no_judge) {
    RedisServer server;
    auto body = [&](RedisClient& client, Limiter& limiter) -> asio::awaitable<void> {
        co_await value_of(client, Command("CONFIG", "SET", "maxmemory", "1"));
        auto const full = co_await limiter.admit("ann", hourly);
        BOOST_REQUIRE(full.has_error());
        BOOST_TEST(full.error().code == error_code(Errc::refused_by_redis));
        co_await value_of(client, Command("CONFIG", "SET", "maxmemory", "0"));
        auto const allowed = co_await allowed_of(limiter, 5);
        BOOST_TEST(allowed == 3);
        server.kill();
        auto const limit = patient();
        while (client.up() && steady_now() < limit)
            co_await reactor::sleep_until(in(milliseconds{1}));
        auto const gone = co_await limiter.admit("ann", hourly);
        BOOST_REQUIRE(gone.has_error());
        BOOST_TEST(gone.error().code == error_code(Errc::unavailable));
    };
    with_limiter(server, patient_limiter(), body);
}

BOOST_AUTO_TEST_SUITE_END()
