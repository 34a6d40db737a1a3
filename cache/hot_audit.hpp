// WHAT do the books of a hot ledger say of everyone: read in pages, beside whoever posts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/hot_keys.hpp"
#include "cache/journal_text.hpp"
#include "cache/redis/error.hpp"

namespace penstock::cache {

class RedisClient;

struct BookedAccount {
    std::string address;
    std::string line;                   ///< as the books have it
    std::optional<HotAccount> account;  ///< nullopt: the line is none
};

struct BookedPage {
    std::vector<BookedAccount> accounts;
    std::string next;  ///< "0": that was the last one
};

class HotAudit {
public:
    HotAudit(RedisClient& redis, domain::Uuid database) : redis_(redis), keys_(database) {}
    HotAudit(HotAudit&&) = delete;

    /// From "0" on, about so many each time. Who is there all the time is met at least once.
    asio::awaitable<Answer<BookedPage>> scan(domain::LedgerId ledger, std::string cursor,
                                             std::size_t about, SteadyTime deadline);

    /// In the order of the addresses; the line is empty where there is none.
    asio::awaitable<Answer<std::vector<BookedAccount>>> find(domain::LedgerId ledger,
                                                             std::vector<std::string> addresses,
                                                             SteadyTime deadline);

private:
    RedisClient& redis_;
    HotKeys keys_;
};

}  // namespace penstock::cache
