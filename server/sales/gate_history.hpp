// HAS a gate gone back in time: a Redis that lost writes has an earlier one. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "domain/ids.hpp"

namespace penstock::server {

/// How far each gate was when it answered last. One per shard: answers come in the order in which
/// Redis gave them.
class GateHistory {
public:
    /// False: this gate, or a later one, was further on.
    bool follows(domain::ProductId sale, std::string const& generation, std::int64_t changes);

private:
    /// More sales than these at once are remembered from the beginning again.
    static constexpr std::size_t sales_max = 1'000;

    struct Place {
        std::string generation;
        std::int64_t changes = 0;
    };
    std::unordered_map<domain::ProductId, Place, domain::UuidHash> places_;
};

}  // namespace penstock::server
