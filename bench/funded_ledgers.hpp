// Ledgers whose accounts have money: the ground that the synthetic loads stand on.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/client.hpp"
#include "bench/hot/lags.hpp"
#include "bench/options.hpp"
#include "bench/random.hpp"

namespace penstock::bench {

/// Makes `count` ledgers of `accounts` funded accounts each, and chooses who pays whom.
class FundedLedgers {
public:
    FundedLedgers(std::string name, Options const& options);

    asio::awaitable<void> setup(Client& client);

    /// A small transfer between two accounts of one ledger, by the pattern.
    Posting choose();
    /// The same, but in that ledger.
    Posting choose(std::uint32_t ledger);
    std::uint32_t choose_ledger();
    AccountIndex choose_account();

    Books& books(std::uint32_t ledger) { return ledgers_[ledger]; }
    std::size_t size() const { return ledgers_.size(); }

    asio::awaitable<std::vector<std::string>> check(Client& client);

    /// Hot ledgers: looks how far behind PostgreSQL is, until `over`. Throws nothing.
    asio::awaitable<void> watch(Client& client, std::stop_token over);
    /// Hot ledgers: until all is in PostgreSQL. In words: what does not get there.
    asio::awaitable<std::vector<std::string>> come_home(Client& client);
    /// Hot ledgers: how far behind it was, and how long it took to come home.
    Figures figures() const;

private:
    AccountIndex account(std::size_t number) const;
    asio::awaitable<void> look(Client& client);

    Pattern pattern_;
    unsigned accounts_;
    Random random_;
    std::unique_ptr<Zipf> zipf_;
    std::vector<Books> ledgers_;
    Posted posted_;
    std::chrono::duration<double> settle_;
    hot::Lags lags_;
    std::uint64_t failed_looks_ = 0;
    std::optional<double> home_after_s_;
};

}  // namespace penstock::bench
