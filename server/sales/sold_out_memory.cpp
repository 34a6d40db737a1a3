#include "server/sales/sold_out_memory.hpp"

#include <utility>

namespace penstock::server {

bool SoldOutMemory::refuses(domain::ProductId sale, domain::IdempotencyKey key, SteadyTime now) {
    auto const place = sales_.find(sale);
    if (place == sales_.end()) return false;
    auto& memory = place->second;
    if (!memory.keys || now >= memory.believed_until || memory.keys->contains(key)) return false;
    if (now < memory.ask_at) return true;
    // This one asks, and the others believe what is known until it has an answer.
    memory.ask_at = memory.believed_until;
    return false;
}

bool SoldOutMemory::learn(domain::ProductId sale, cache::GateJudgement const& judgement,
                          SteadyTime asked_at) {
    if (!judgement.is_final() || limits_.believed == milliseconds{0}) return false;
    if (sales_.size() >= limits_.sales_max && !sales_.contains(sale)) {
        sales_.clear();
        keys_kept_ = 0;
    }
    auto& memory = sales_[sale];
    if (asked_at < memory.forgotten_at) return false;
    if (memory.generation != judgement.generation || memory.changes != judgement.changes) {
        drop_keys(memory);
        memory.generation = judgement.generation;
        memory.changes = judgement.changes;
        memory.fetching = false;
    }
    memory.ask_at = asked_at + limits_.believed * 4 / 5;
    memory.believed_until = asked_at + limits_.believed;
    if (memory.keys || memory.fetching) return false;
    memory.fetching = true;
    return true;
}

void SoldOutMemory::learn_keys(domain::ProductId sale, cache::GateJudgement const& judgement,
                               std::optional<Keys> keys) {
    auto const place = sales_.find(sale);
    if (place == sales_.end()) return;
    auto& memory = place->second;
    bool const same =
        memory.generation == judgement.generation && memory.changes == judgement.changes;
    if (!same || !memory.fetching) return;
    // Too many stay too many for as long as this state of the gate lasts: not asked for again.
    if (!keys) return;
    memory.fetching = false;
    make_room(sale, keys->size());
    keys_kept_ += keys->size();
    memory.keys = std::move(keys);
}

void SoldOutMemory::keys_failed(domain::ProductId sale) {
    if (auto const place = sales_.find(sale); place != sales_.end()) place->second.fetching = false;
}

void SoldOutMemory::forget(domain::ProductId sale, SteadyTime now) {
    auto const place = sales_.find(sale);
    if (place == sales_.end()) return;
    auto& memory = place->second;
    drop_keys(memory);
    memory = Memory();
    memory.forgotten_at = now;
}

void SoldOutMemory::drop_keys(Memory& memory) {
    if (memory.keys) keys_kept_ -= memory.keys->size();
    memory.keys.reset();
}

void SoldOutMemory::make_room(domain::ProductId sale, std::size_t keys) {
    if (keys_kept_ + keys <= limits_.keys_in_all) return;
    for (auto& [id, memory] : sales_)
        if (id != sale) drop_keys(memory);
}

}  // namespace penstock::server
