#include "server/rate_limiter.hpp"

#include <functional>
#include <utility>

#include "domain/assert.hpp"

namespace penstock::server {

using cache::Admission;

RateLimiter::RateLimiter(reactor::Reactor& reactor, RateLimiterOptions options)
    : reactor_(reactor), options_(std::move(options)) {}

void RateLimiter::add_shard(cache::RedisClient* redis) {
    shards_.push_back(std::make_unique<Shard>(redis, options_));
}

asio::awaitable<RateStanding> RateLimiter::admit(std::size_t shard, RateClass rate_class,
                                                 std::string subject) {
    PENSTOCK_ASSERT(limits(rate_class));
    auto& here = *shards_.at(shard);
    std::string name(to_string(rate_class));
    name.append(1, ':').append(subject);
    RateStanding standing;
    standing.rate_class = rate_class;
    standing.limit = *options_.limits.of(rate_class);
    standing.admission = co_await judge(here, std::move(name), standing.limit);
    auto& count = here.metrics.classes[static_cast<std::size_t>(rate_class)];
    (standing.admission.allowed ? count.allowed : count.refused).add();
    co_return standing;
}

asio::awaitable<Admission> RateLimiter::judge(Shard& here, std::string name,
                                              cache::RateLimit limit) {
    if (here.shared) {
        auto const asked_at = steady_now();
        // A schedule only moves ahead, whoever moves it: what was refused until some moment is
        // refused until then, and a client that does not wait costs Redis nothing.
        auto const foreseen = here.local.foresee(name, limit, asked_at);
        if (!foreseen.allowed) {
            here.metrics.by_memory.add();
            co_return foreseen;
        }
        auto const judged = co_await here.shared->admit(name, limit);
        here.metrics.breaker_openings.set(here.shared->breaker_openings());
        if (judged) {
            here.metrics.by_redis.add();
            here.local.learn(name, judged->backlog, asked_at);
            here.metrics.subjects.set(here.local.subjects());
            co_return *judged;
        }
    }
    here.metrics.by_process.add();
    // One shard judges a subject, so that it has one quota however its connections are spread.
    auto const place = std::hash<std::string>{}(name) % shards_.size();
    auto& owner = *shards_[place];
    auto visit = [this, &owner, name = std::move(name), limit]() mutable {
        return judge_alone(owner, std::move(name), limit);
    };
    co_return co_await reactor_.on(place, std::move(visit));
}

asio::awaitable<Admission> RateLimiter::judge_alone(Shard& owner, std::string name,
                                                    cache::RateLimit limit) {
    auto const admission = owner.local.admit(name, limit, steady_now());
    owner.metrics.subjects.set(owner.local.subjects());
    co_return admission;
}

}  // namespace penstock::server
