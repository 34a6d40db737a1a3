// WHAT can be told of a hot ledger: how far it is, and whether the store has what Redis has.
#pragma once

#include <optional>
#include <vector>

#include "cache/hot_audit.hpp"
#include "cache/hot_journal.hpp"
#include "db/store.hpp"
#include "server/hot/status.hpp"

namespace penstock::server {

struct HotInspectorOptions {
    /// How long what is on its way to the store may take before that is a failure.
    milliseconds rest_max{10'000};
    milliseconds pause{50};  ///< between two looks
    int scans_max = 5;       ///< of the store, while posts go on
    std::size_t page = 500;
    milliseconds step_max{5'000};
};

/// Reads only. It may compare while posts go on: an account is compared at a moment at which it was
/// at rest in Redis before the store was read, and the same afterwards.
class HotInspector {
public:
    /// `redis` and `store`, of the database that decides, outlive it.
    HotInspector(db::Store& store, cache::RedisClient& redis, domain::Uuid database,
                 HotInspectorOptions options = {});
    HotInspector(HotInspector&&) = delete;

    /// nullopt: its books are to be opened first.
    asio::awaitable<cache::Answer<std::optional<cache::HotStanding>>> look(domain::LedgerId ledger,
                                                                           SteadyTime deadline) {
        return journal_.look(ledger, deadline);
    }

    /// The store's own checks once the ledger is at rest, and those of the two against each other.
    /// Failures: the store's. Redis that does not answer is a check that failed.
    asio::awaitable<Result<std::vector<db::Check>>> verify(domain::LedgerId ledger,
                                                           SteadyTime deadline);

private:
    struct Comparison;
    using Booked = std::vector<cache::BookedAccount>;

    asio::awaitable<Result<std::vector<db::Check>>> check_store(domain::LedgerId ledger,
                                                                SteadyTime deadline);
    asio::awaitable<db::Check> check_books(domain::LedgerId ledger, SteadyTime deadline);
    asio::awaitable<db::Check> check_accounts(domain::LedgerId ledger, SteadyTime deadline);
    asio::awaitable<std::optional<cache::HotStanding>> rest(domain::LedgerId ledger,
                                                            SteadyTime deadline);
    asio::awaitable<bool> scan(domain::LedgerId ledger, Comparison& comparison,
                               SteadyTime deadline);
    asio::awaitable<bool> wait(domain::LedgerId ledger, Comparison& comparison,
                               SteadyTime deadline);
    asio::awaitable<bool> compare(domain::LedgerId ledger, Booked booked, Comparison& comparison,
                                  SteadyTime deadline);
    SteadyTime step_until(SteadyTime deadline) const;

    db::Store& store_;
    cache::HotJournal journal_;
    cache::HotAudit audit_;
    HotInspectorOptions options_;
};

}  // namespace penstock::server
