// MAY this request go on: judged by Redis for all servers, or by this process when Redis is away.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cache/limiter.hpp"
#include "cache/local_limiter.hpp"
#include "reactor/counters.hpp"
#include "reactor/reactor.hpp"
#include "server/rate_limits.hpp"

namespace penstock::server {

struct RateLimiterOptions {
    RateLimits limits;
    cache::LimiterOptions redis;
    std::size_t subjects_max = 0;  ///< remembered per shard
};

/// One per shard.
struct RateLimiterMetrics {
    struct OfClass {
        reactor::Count allowed;
        reactor::Count refused;
    };
    std::array<OfClass, rate_classes.size()> classes;
    reactor::Count by_redis;
    /// Refused without asking: Redis had said that it would be so.
    reactor::Count by_memory;
    reactor::Count by_process;  ///< without Redis
    reactor::Count subjects;    ///< a gauge
    reactor::Count breaker_openings;
};

/// The limits of all shards. Built before the shards run; afterwards each part is touched by its
/// shard only.
class RateLimiter {
public:
    RateLimiter(reactor::Reactor& reactor, RateLimiterOptions options);
    RateLimiter(RateLimiter&&) = delete;

    /// The next shard; `redis` is its client, or null.
    void add_shard(cache::RedisClient* redis);

    bool limits(RateClass rate_class) const { return options_.limits.of(rate_class).has_value(); }

    /// Counts one request of `subject` in a class that is limited. Called on `shard`.
    asio::awaitable<RateStanding> admit(std::size_t shard, RateClass rate_class,
                                        std::string subject);

    RateLimiterMetrics const& metrics(std::size_t shard) const { return shards_[shard]->metrics; }

private:
    struct Shard {
        Shard(cache::RedisClient* redis, RateLimiterOptions const& options)
            : local(options.subjects_max) {
            if (redis != nullptr) shared = std::make_unique<cache::Limiter>(*redis, options.redis);
        }
        std::unique_ptr<cache::Limiter> shared;  ///< null: without Redis
        /// What Redis last said, and the schedules of the subjects that this shard judges.
        cache::LocalLimiter local;
        RateLimiterMetrics metrics;
    };

    asio::awaitable<cache::Admission> judge(Shard& here, std::string name, cache::RateLimit limit);
    asio::awaitable<cache::Admission> judge_alone(Shard& owner, std::string name,
                                                  cache::RateLimit limit);

    reactor::Reactor& reactor_;
    RateLimiterOptions options_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace penstock::server
