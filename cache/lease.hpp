// WHO of many servers does what only one should do: a lease in Redis, with its owner's token.
#pragma once

#include <string>

#include "reactor/result.hpp"

namespace penstock::cache {

class RedisClient;

/// It spares work and guards nothing: Redis may lose it, and a server that stands still may think
/// that it has it. What is done under it must be harmless when two do it.
class Lease {
public:
    Lease(RedisClient& redis, std::string name, std::string token, milliseconds length)
        : redis_(redis), name_(std::move(name)), token_(std::move(token)), length_(length) {}

    /// Takes it if it is free, renews it if it is ours. False: somebody else's, or unknown.
    asio::awaitable<bool> hold(SteadyTime deadline);

    /// Gives it back, if it is ours; nobody waits for that.
    void give_up();

private:
    RedisClient& redis_;
    std::string name_;
    std::string token_;
    milliseconds length_;
};

}  // namespace penstock::cache
