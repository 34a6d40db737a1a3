// MAY an attempt be refused without asking anybody: what the gates said a moment ago. Pure: `now`
// is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "cache/gate.hpp"

namespace penstock::server {

struct SoldOutLimits {
    /// How long "nothing is left, and nothing may come back" is believed; towards its end one
    /// attempt asks again. 0: nothing is remembered, and no keys are asked for.
    milliseconds believed{100};
    /// A repetition of an accepted order must reach the store, so its key must be known here: with
    /// more keys than these a sale is not remembered.
    std::size_t keys_max = 100'000;
    /// Over all sales; beyond that all but the newest are forgotten.
    std::size_t keys_in_all = 400'000;
    std::size_t sales_max = 1'000;
};

/// One per shard.
class SoldOutMemory {
public:
    using Keys = cache::Gate::Keys;

    explicit SoldOutMemory(SoldOutLimits limits) : limits_(limits) {}

    /// Nothing is left for this key, and its order is none that was accepted.
    bool refuses(domain::ProductId sale, domain::IdempotencyKey key, SteadyTime now);

    /// What a gate answered to a question of `asked_at`. True: its known keys are needed before
    /// this can be believed.
    bool learn(domain::ProductId sale, cache::GateJudgement const& judgement, SteadyTime asked_at);
    /// The known keys of that moment; nothing: they are too many, or it has passed.
    void learn_keys(domain::ProductId sale, cache::GateJudgement const& judgement,
                    std::optional<Keys> keys);
    /// They could not be had; the next answer asks for them again.
    void keys_failed(domain::ProductId sale);

    /// Something may have come back at `now`: no answer to an earlier question is believed.
    void forget(domain::ProductId sale, SteadyTime now);

    std::size_t keys_kept() const { return keys_kept_; }

private:
    /// One state of a gate, and what is known about it.
    struct Memory {
        std::string generation;
        std::int64_t changes = 0;
        std::optional<Keys> keys;
        bool fetching = false;
        SteadyTime ask_at{};  ///< from then on one attempt asks
        SteadyTime believed_until{};
        SteadyTime forgotten_at{};
    };

    void drop_keys(Memory& memory);
    void make_room(domain::ProductId sale, std::size_t keys);

    SoldOutLimits limits_;
    std::unordered_map<domain::ProductId, Memory, domain::UuidHash> sales_;
    std::size_t keys_kept_ = 0;
};

}  // namespace penstock::server
