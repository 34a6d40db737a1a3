// WHICH lane a command takes, on whichever shard that lane lives.
#include "server/engine.hpp"

#include <algorithm>

#include "server/place.hpp"

namespace penstock::server {

Engine::Engine(reactor::Reactor& reactor, EngineOptions options)
    : reactor_(reactor), options_(options), lanes_(reactor.size()) {}

void Engine::add_shard(std::size_t shard, db::Store& store, Clock& clock) {
    auto lane = options_.lane;
    std::size_t count = options_.lanes_per_shard;
    if (options_.mode == CommitMode::single) {
        count = std::max<std::size_t>(1, options_.single_connections / reactor_.size());
        lane.batch.items_max = 1;
    }
    for (std::size_t i = 0; i < count; ++i)
        lanes_.at(shard).push_back(
            std::make_unique<Lane>(reactor_.executor(shard), store, clock, lane));
}

asio::awaitable<Result<domain::Outcome>> Engine::submit(domain::Envelope envelope,
                                                        SteadyTime deadline) {
    std::size_t shard = 0;
    auto& lane = lane_of(envelope, shard);
    // Every frame that a command waits in is memory of its own: with one loop there is no journey.
    if (reactor_.size() == 1) return lane.submit(std::move(envelope), deadline);
    auto visit = [&lane, envelope = std::move(envelope), deadline]() mutable {
        return lane.submit(std::move(envelope), deadline);
    };
    return reactor_.on(shard, std::move(visit));
}

void Engine::spawn(std::size_t shard, reactor::TaskGroup& tasks) {
    for (auto& lane : lanes_.at(shard)) tasks.spawn(lane->run());
}

void Engine::close(std::size_t shard) {
    for (auto& lane : lanes_.at(shard)) lane->close();
}

Lane& Engine::lane_of(domain::Envelope const& envelope, std::size_t& shard) {
    if (options_.mode == CommitMode::batch) {
        auto const place = place_of(envelope);
        shard = place % lanes_.size();
        auto& lanes = lanes_[shard];
        return *lanes[place / lanes_.size() % lanes.size()];
    }
    // A pool: shards in turn, and the lane with the shortest queue on it.
    shard = turn_.fetch_add(1, std::memory_order_relaxed) % lanes_.size();
    auto& lanes = lanes_[shard];
    auto const shorter = [](auto const& a, auto const& b) { return a->queued() < b->queued(); };
    return **std::min_element(lanes.begin(), lanes.end(), shorter);
}

}  // namespace penstock::server
