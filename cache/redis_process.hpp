// WHICH process of Redis answers: one that was started again, or another one after a failover, may
// have lost what its predecessor had acknowledged.
#pragma once

#include <string>

#include "cache/redis/error.hpp"
#include "cache/redis/script.hpp"

namespace penstock::cache {

class RedisClient;

/// One per shard, on that shard's client, which outlives it. A connection never changes its
/// process, so it is asked once per connection; scripts are loaded with it, because a script that
/// is sent again by its text after a NOSCRIPT might go to a process that was not asked for.
class RedisProcess {
public:
    explicit RedisProcess(RedisClient& redis) : redis_(redis) {}
    RedisProcess(RedisProcess&&) = delete;

    /// Its name as long as the connection stands on which it was learnt; else empty. Whoever says
    /// it to Redis does so without waiting in between.
    std::string const& name() const;

    /// Asks for it, and loads the script.
    asio::awaitable<Answer<std::string>> learn(Script const& script, SteadyTime deadline);

    /// The process forgot the script: it is to be asked again.
    void forget() { name_.clear(); }

private:
    RedisClient& redis_;
    std::string name_;
    std::uint64_t connection_ = 0;
};

}  // namespace penstock::cache
