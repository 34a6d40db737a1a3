// WHICH lane a command takes, on whichever shard that lane lives.
#include "server/engine.hpp"

#include <algorithm>

#include "domain/assert.hpp"

namespace penstock::server {
namespace {

/// What a command concerns: everything of one ledger is decided in one place. What has no ledger
/// yet goes by its organization.
struct Place {
    domain::OrganizationId const& organization;

    std::size_t by(domain::LedgerId const& id) const { return domain::UuidHash{}(id); }
    /// A product with its payments' ledger; without payments it stands for itself.
    template <class OnProduct>
    std::size_t by(OnProduct const& command) const {
        return command.payment ? by(command.payment->ledger) : domain::UuidHash{}(command.product);
    }
    std::size_t by_organization() const { return domain::UuidHash{}(organization); }

    std::size_t operator()(domain::CreateOrganization const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateApiKey const&) const { return by_organization(); }
    std::size_t operator()(domain::RevokeApiKey const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateLedger const&) const { return by_organization(); }
    std::size_t operator()(domain::RetryJob const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateProduct const& command) const {
        return command.payment ? by(command.payment->ledger) : by_organization();
    }
    std::size_t operator()(domain::RestockProduct const& command) const { return by(command); }
    std::size_t operator()(domain::PlaceOrder const& command) const { return by(command); }
    std::size_t operator()(domain::CancelOrder const& command) const { return by(command); }
    template <class OnLedger>
    std::size_t operator()(OnLedger const& command) const {
        return by(command.ledger);
    }
};

std::size_t place_of(domain::Envelope const& envelope) {
    std::size_t const hash = std::visit(Place{envelope.organization}, envelope.command);
    // Mixed, because a UUID's hash is its random bits and the lanes are few.
    return (hash * 0x9e3779b97f4a7c15ULL) >> 32;
}

}  // namespace

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
    auto visit = [&lane, envelope = std::move(envelope), deadline]() mutable {
        return lane.submit(std::move(envelope), deadline);
    };
    co_return co_await reactor_.on(shard, std::move(visit));
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
