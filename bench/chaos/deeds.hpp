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

/// Plain transfers; transfers, deposits and holds; or everything that a shop does, purchases and
/// refunds too.
enum class Trade { transfers, money, shop };

class Deeds {
public:
    Deeds(FundedLedgers& ledgers, Log& log, Trade trade, std::uint64_t seed)
        : ledgers_(ledgers), log_(log), trade_(trade), random_(seed) {}

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
    Trade trade_;
    Random random_;
};

}  // namespace penstock::bench::chaos
