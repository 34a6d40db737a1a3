// MAY this subject make one more request: asked of Redis, where all servers count together.
#pragma once

#include <string>

#include "cache/breaker.hpp"
#include "cache/gcra.hpp"
#include "cache/redis/error.hpp"

namespace penstock::cache {

class RedisClient;

struct LimiterOptions {
    /// How long a request may wait for Redis before its server judges it alone.
    milliseconds wait{5};
    /// Redis that does not answer in time soon costs one request in a while that wait, not each.
    BreakerLimits breaker{.failures_in_a_row = 3};
};

/// One per shard, on that shard's client, which outlives it.
class Limiter {
public:
    Limiter(RedisClient& redis, LimiterOptions options)
        : redis_(redis), wait_(options.wait), breaker_(options.breaker) {}
    Limiter(Limiter&&) = delete;

    /// Counts one request of `subject`, in one round trip. A failure says nothing about the
    /// subject: Redis is away, slow, full or not what it should be.
    asio::awaitable<Answer<Admission>> admit(std::string subject, RateLimit limit);

    std::uint64_t breaker_openings() const { return breaker_.openings(); }

private:
    RedisClient& redis_;
    milliseconds wait_;
    Breaker breaker_;
};

}  // namespace penstock::cache
