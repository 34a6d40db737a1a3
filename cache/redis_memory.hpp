// HOW much memory does Redis have left, and what does it do when there is none.
#pragma once

#include <cstdint>
#include <string>

#include "cache/redis/error.hpp"

namespace penstock::cache {

class RedisClient;

struct RedisMemory {
    std::uint64_t used = 0;
    std::uint64_t most = 0;  ///< 0: as much as there is
    std::string policy;      ///< of eviction

    bool evicts() const { return policy != "noeviction"; }
    bool is_above(unsigned percent) const { return most > 0 && used / percent > most / 100; }
};

asio::awaitable<Answer<RedisMemory>> memory_of(RedisClient& redis, SteadyTime deadline);

}  // namespace penstock::cache
