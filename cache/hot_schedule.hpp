// WHOSE balance does the store have an older state of: claimed, written elsewhere, and released.
#pragma once

#include <string>
#include <vector>

#include "cache/hot_keys.hpp"
#include "cache/journal_text.hpp"
#include "cache/redis/error.hpp"

namespace penstock::cache {

class RedisClient;

/// An account as it stood when it was claimed.
struct Claim {
    std::string address;
    std::string line;                   ///< as the books have it; empty: they have none
    std::optional<HotAccount> account;  ///< nullopt: a dead letter
};

struct Claims {
    std::int64_t drained = 0;  ///< what the store had of the journal then
    std::vector<Claim> items;
};

/// The schedules of all hot ledgers as one shard sees them. `owner`: a token that nobody else has.
class HotSchedule {
public:
    HotSchedule(RedisClient& redis, domain::Uuid database);
    HotSchedule(HotSchedule&&) = delete;

    /// Accounts that changed at `due_until` or before, the longest due first. nullopt: the books
    /// are of another epoch.
    asio::awaitable<Answer<std::optional<Claims>>> claim(
        domain::LedgerId ledger, std::int64_t epoch, std::string owner, domain::Instant now,
        domain::Instant due_until, std::size_t limit, milliseconds lease, SteadyTime deadline);

    /// Those that are no longer the owner's.
    asio::awaitable<Answer<std::vector<std::string>>> renew(domain::LedgerId ledger,
                                                            std::string owner,
                                                            domain::Instant until,
                                                            std::vector<std::string> addresses,
                                                            SteadyTime deadline);

    /// `is_written`: the store has them as they were claimed. Who has changed since is due again,
    /// and so is everyone who was not written. How many are clean.
    asio::awaitable<Answer<std::int64_t>> release(domain::LedgerId ledger, std::string owner,
                                                  domain::Instant now, std::vector<Claim> claims,
                                                  bool is_written, SteadyTime deadline);

    /// False: the claim was no longer the owner's.
    asio::awaitable<Answer<bool>> bury(domain::LedgerId ledger, std::string owner, Claim claim,
                                       std::string why, domain::Instant now, SteadyTime deadline);

    /// Every account of the store was looked at, for books of that base. False: they are others by
    /// now.
    asio::awaitable<Answer<bool>> mended(domain::LedgerId ledger, std::int64_t base,
                                         SteadyTime deadline);

private:
    RedisClient& redis_;
    HotKeys keys_;
};

}  // namespace penstock::cache
