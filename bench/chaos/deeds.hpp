// WHAT is asked for next in a round of faults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/chaos/log.hpp"
#include "bench/funded_ledgers.hpp"
#include "bench/random.hpp"

namespace penstock::bench::chaos {

/// A request without its key: where it goes below the ledger's path, and its body.
struct Wish {
    Entry entry;
    std::string route;
    std::string body;
};

class Deeds {
public:
    /// `purchases`: everything that a shop does, holds and deposits too; else plain transfers.
    Deeds(FundedLedgers& ledgers, Log& log, bool purchases, std::uint64_t seed)
        : ledgers_(ledgers), log_(log), purchases_(purchases), random_(seed) {}

    /// For the log's next entry.
    Wish next();

private:
    Wish pay(Deed deed);
    Wish buy();
    Wish hold();
    std::optional<Wish> refund();
    std::optional<Wish> end_hold();

    FundedLedgers& ledgers_;
    Log& log_;
    bool purchases_;
    Random random_;
};

}  // namespace penstock::bench::chaos
