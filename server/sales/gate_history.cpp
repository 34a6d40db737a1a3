#include "server/sales/gate_history.hpp"

namespace penstock::server {
namespace {

/// Generations are moments as decimal numbers.
bool is_earlier(std::string const& one, std::string const& other) {
    return one.size() != other.size() ? one.size() < other.size() : one < other;
}

}  // namespace

bool GateHistory::follows(domain::ProductId sale, std::string const& generation,
                          std::int64_t changes) {
    if (generation.empty()) return true;
    if (places_.size() >= sales_max && !places_.contains(sale)) places_.clear();
    auto& place = places_[sale];
    if (place.generation == generation) {
        // Behind it stays until another gate takes its place, or it has come as far by itself.
        if (changes < place.changes) return false;
        place.changes = changes;
        return true;
    }
    // Said once: the gate that is built in its place may be called older as well, by the clock of
    // another Redis.
    bool const earlier = is_earlier(generation, place.generation);
    place = {generation, changes};
    return !earlier;
}

}  // namespace penstock::server
