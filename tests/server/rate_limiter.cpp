// One quota per subject in a process of several shards, with Redis and without.
#include "server/rate_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include "cache/redis_client.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/run_on.hpp"

using namespace penstock;
using namespace penstock::server;
using namespace std::chrono_literals;
using tests::run_on;

namespace {

RateLimiterOptions three_an_hour() {
    RateLimiterOptions options;
    options.limits.set(RateClass::write, cache::RateLimit{1h, 3});
    options.redis.wait = milliseconds{5'000};
    options.subjects_max = 100;
    return options;
}

/// How many of so many requests on that shard are allowed.
asio::awaitable<int> allowed_of(RateLimiter& limiter, std::size_t shard, std::string subject,
                                int requests) {
    int allowed = 0;
    for (int i = 0; i < requests; ++i) {
        auto const standing = co_await limiter.admit(shard, RateClass::write, subject);
        allowed += standing.admission.allowed;
    }
    co_return allowed;
}

asio::awaitable<int> allowed_on(reactor::Reactor& reactor, RateLimiter& limiter, std::size_t shard,
                                std::string subject, int requests) {
    auto visit = [&limiter, shard, subject, requests] {
        return allowed_of(limiter, shard, subject, requests);
    };
    co_return co_await reactor.on(shard, visit);
}

std::uint64_t over_shards(RateLimiter const& limiter, std::size_t shards,
                          reactor::Count RateLimiterMetrics::*count) {
    std::uint64_t sum = 0;
    for (std::size_t shard = 0; shard < shards; ++shard)
        sum += (limiter.metrics(shard).*count).get();
    return sum;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_AUTO_TEST_CASE(without_redis_a_subject_has_one_quota_on_all_shards_together) {
    reactor::Reactor reactor(3);
    RateLimiter limiter(reactor, three_an_hour());
    for (int shard = 0; shard < 3; ++shard) limiter.add_shard(nullptr);
    BOOST_TEST(limiter.limits(RateClass::write));
    BOOST_TEST(!limiter.limits(RateClass::read));
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 20; ++i) {
            int allowed = 0;
            for (std::size_t shard = 0; shard < 3; ++shard) {
                auto const subject = "ann" + std::to_string(i);
                int const here = co_await allowed_on(reactor, limiter, shard, subject, 2);
                allowed += here;
            }
            BOOST_TEST(allowed == 3);
        }
    };
    run_on(reactor, body);
    BOOST_TEST(over_shards(limiter, 3, &RateLimiterMetrics::by_process) == 120U);
    BOOST_TEST(over_shards(limiter, 3, &RateLimiterMetrics::by_redis) == 0U);
    BOOST_TEST(over_shards(limiter, 3, &RateLimiterMetrics::subjects) == 20U);
    auto const& writes = limiter.metrics(0).classes[static_cast<std::size_t>(RateClass::write)];
    BOOST_TEST(writes.allowed.get() == 40U);
    BOOST_TEST(
        limiter.metrics(1).classes[static_cast<std::size_t>(RateClass::write)].refused.get() ==
        20U);
}

BOOST_AUTO_TEST_CASE(what_redis_refused_is_refused_from_memory_and_stays_so_without_redis) {
    tests::RedisServer server;
    reactor::Reactor reactor(1);
    cache::RedisClientOptions options;
    options.address.socket_path = server.socket_path();
    options.patience = milliseconds{5'000};
    cache::RedisClient redis(reactor.executor(0), options, [] { return 7U; });
    RateLimiter limiter(reactor, three_an_hour());
    limiter.add_shard(&redis);
    auto body = [&]() -> asio::awaitable<void> {
        reactor::TaskGroup tasks(reactor.executor(0));
        tasks.spawn(redis.run());
        bool const up = co_await redis.up_before(steady_now() + 10s);
        BOOST_TEST(up);
        int const first = co_await allowed_of(limiter, 0, "ann", 2);
        BOOST_TEST(first == 2);
        int const second = co_await allowed_of(limiter, 0, "ann", 50);
        BOOST_TEST(second == 1);
        // Three were judged by Redis, and not one of the 49 above the quota.
        BOOST_TEST(limiter.metrics(0).by_redis.get() == 3U);
        BOOST_TEST(limiter.metrics(0).by_memory.get() == 49U);
        int const bobs = co_await allowed_of(limiter, 0, "bob", 1);
        BOOST_TEST(bobs == 1);
        server.kill();
        int const later = co_await allowed_of(limiter, 0, "ann", 5);
        BOOST_TEST(later == 0);
        int const bobs_rest = co_await allowed_of(limiter, 0, "bob", 5);
        BOOST_TEST(bobs_rest == 2);
        BOOST_TEST(limiter.metrics(0).by_process.get() > 0U);
        tasks.cancel();
        co_await tasks.join();
    };
    run_on(reactor, body);
}

BOOST_AUTO_TEST_SUITE_END()
