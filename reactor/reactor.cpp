#include "reactor/reactor.hpp"

namespace penstock::reactor {

Reactor::Reactor(std::size_t shards) {
    PENSTOCK_ASSERT(shards > 0);
    for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>());
}

Reactor::~Reactor() = default;

void Reactor::run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < shards_.size(); ++i)
        threads.emplace_back([this, i] { shards_[i]->context.run(); });
    shards_[0]->context.run();
}

void Reactor::release() {
    for (auto& shard : shards_) shard->work.reset();
}

}  // namespace penstock::reactor
