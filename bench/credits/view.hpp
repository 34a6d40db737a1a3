// A ledger of credits seen through its API: how the bench makes one, and how it reads it back.
#pragma once

#include <string>
#include <vector>

#include "bench/client.hpp"
#include "bench/credits/books.hpp"

namespace penstock::bench::credits {

std::string credits_path(std::string const& ledger);

/// Returns what time it was on the server. Throws Unusable when the name is taken.
asio::awaitable<std::int64_t> create_credits(Client& client, std::string ledger, Drain drain);

/// Grants or expenses of 10,000 entries at most, each of which must be accepted.
asio::awaitable<void> post_all(Client& client, CreditBooks& books, Deed deed,
                               std::vector<Entry> entries);

/// How much is read back one by one.
struct CheckLimits {
    std::uint64_t rows_max = 1'000'000;  ///< of a longer history that of some addresses is read
    std::size_t histories_max = 100;     ///< of so many
    std::size_t purses_max = 1000;       ///< addresses whose lots are looked at
};

/// Everything in which the ledger is not what it acknowledged. Waits until every lot is over that
/// expires within the next day, and is recorded as expired: then nothing moves any more.
asio::awaitable<std::vector<std::string>> check_credits(Client& client, CreditBooks const& books,
                                                        CheckLimits limits);
inline asio::awaitable<std::vector<std::string>> check_credits(Client& client,
                                                               CreditBooks const& books) {
    return check_credits(client, books, CheckLimits{});
}

}  // namespace penstock::bench::credits
