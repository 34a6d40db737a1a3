// The pieces of a long set-up, many at a time, over connections of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "bench/client.hpp"

namespace penstock::bench {

struct CrewPlan {
    std::uint64_t pieces = 0;
    unsigned connections = 1;
    std::uint64_t key_seed = 0;
    /// After every piece, with how many are done. May be empty.
    std::function<void(std::uint64_t)> progress;
    std::chrono::seconds time_max = std::chrono::hours{1};
};

/// One piece, by its number, on a connection that is its alone meanwhile.
using Piece = std::function<asio::awaitable<void>(Client&, std::uint64_t)>;

/// Pieces 0 … n − 1, begun in this order, each once. Throws what the first piece that failed has
/// thrown, and Unusable past `time_max`; no new piece begins then, and those begun have ended.
asio::awaitable<void> work_through(Target target, CrewPlan plan, Piece piece);

}  // namespace penstock::bench
