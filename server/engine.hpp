// WHICH lane a command takes, on whichever shard that lane lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "reactor/reactor.hpp"
#include "reactor/task_group.hpp"
#include "server/lane.hpp"

namespace penstock::server {

/// How commands become commits: batches by lane, or each alone over a pool of writers, as an
/// ordinary backend would (the baseline that the bench compares with).
enum class CommitMode { batch, single };

struct EngineOptions {
    CommitMode mode = CommitMode::batch;
    std::size_t lanes_per_shard = 2;     ///< batch mode
    std::size_t single_connections = 8;  ///< single mode, over all shards
    LaneOptions lane;
};

/// The lanes of all shards. Built before the shards run; afterwards each lane is touched by its
/// shard only.
class Engine {
public:
    Engine(reactor::Reactor& reactor, EngineOptions options);
    Engine(Engine&&) = delete;

    /// Makes the lanes of one shard. `store` and `clock` are that shard's.
    void add_shard(std::size_t shard, db::Store& store, Clock& clock);

    /// Any shard.
    asio::awaitable<Result<domain::Outcome>> submit(domain::Envelope envelope, SteadyTime deadline);

    /// Spawns the lanes of a shard into its group, on that shard.
    void spawn(std::size_t shard, reactor::TaskGroup& tasks);
    /// No new commands on that shard; its lanes end when all queued ones are answered.
    void close(std::size_t shard);

    std::vector<std::unique_ptr<Lane>> const& lanes(std::size_t shard) const {
        return lanes_.at(shard);
    }

private:
    Lane& lane_of(domain::Envelope const& envelope, std::size_t& shard);

    reactor::Reactor& reactor_;
    EngineOptions options_;
    std::vector<std::vector<std::unique_ptr<Lane>>> lanes_;
    std::atomic<std::size_t> turn_{0};
};

}  // namespace penstock::server
