// Rounds of load and faults, and what they came to.
#pragma once

#include <map>
#include <string>

#include "bench/chaos/round.hpp"
#include "bench/options.hpp"

namespace penstock::bench::chaos {

struct ChaosResult {
    std::string conditions;
    std::uint64_t seed = 0;
    unsigned rounds = 0;
    std::map<std::string, std::uint64_t> faults;
    RoundResult total;
    std::vector<std::string> surprises;
    double seconds = 0;

    bool sound() const { return total.sound() && surprises.empty(); }
};

/// Starts what it is to break, plays the rounds, and ends what it has started. One line for each
/// round goes to stderr. The first SIGINT or SIGTERM ends it after the round that is being played.
/// Throws Unusable when a server does not come back.
ChaosResult run_chaos(Options const& options);

std::string table(ChaosResult const& result);
std::string to_json(ChaosResult const& result);

}  // namespace penstock::bench::chaos
