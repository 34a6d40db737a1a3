// HOW a hot ledger's books are taken out of use: closed for everyone, then forgotten.
#pragma once

#include "cache/hot_books.hpp"

namespace penstock::cache {

/// The word in the place of a process of Redis: books that are whole, and that nobody posts to.
inline constexpr std::string_view closed_books = "closed";

class HotClosing {
public:
    HotClosing(RedisClient& redis, domain::Uuid database) : redis_(redis), keys_(database) {}
    HotClosing(HotClosing&&) = delete;

    /// As HotBooks::open(), for no process: every post is unready from now on, while the journal
    /// is drained and balances are synced in this epoch. Opening under a later epoch ends it.
    asio::awaitable<Answer<HotOpened>> close(domain::LedgerId ledger, std::int64_t epoch,
                                             std::int64_t drained, SteadyTime deadline);

    /// Of a ledger that was deleted: everything but the records of keys, which end by themselves.
    asio::awaitable<Answer<bool>> forget(domain::LedgerId ledger, SteadyTime deadline);

    /// The name of the lease that whoever opens or closes the ledger holds meanwhile.
    std::string opener(domain::LedgerId ledger) const { return keys_.part(ledger, "opener"); }

private:
    RedisClient& redis_;
    HotKeys keys_;
};

}  // namespace penstock::cache
