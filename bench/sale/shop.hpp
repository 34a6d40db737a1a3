// What a load needs of flash sales: products, buyers with money, requests; and all of it checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/client.hpp"
#include "bench/options.hpp"
#include "bench/sale/books.hpp"
#include "bench/sale/clock.hpp"
#include "bench/sale/view.hpp"
#include "bench/target.hpp"

namespace penstock::bench::sale {

class Shop {
public:
    Shop(std::string name, SaleOptions const& options, Target target, std::uint64_t key_seed);

    /// With `--paid`: a ledger, the seller's account in it, and so many users with money.
    asio::awaitable<void> prepare(Client& client, std::uint32_t buyers);

    /// What time it is on the server: from a sale of nothing.
    asio::awaitable<ServerClock> read_clock(Client& client);

    /// Makes a product; what is said of it from now on is said by its number: 0, 1 …
    asio::awaitable<void> open(Client& client, std::int64_t stock, std::int64_t per_user_limit,
                               std::string starts_at);
    std::size_t products() const { return sales_.size(); }
    SaleBooks& books(std::size_t product = 0) { return sales_[product].books; }
    SaleBooks const& books(std::size_t product = 0) const { return sales_[product].books; }

    /// The whole request of an attempt, under a new key. Replaces `out`.
    void write(std::string& out, std::size_t product, std::uint32_t attempt);

    /// Cancels the order of an acknowledged attempt; adds units to the stock. The same otherwise.
    void write_cancel(std::string& out, std::size_t product, std::uint32_t attempt);
    void write_restock(std::string& out, std::size_t product, std::uint32_t quantity);

    /// Every product's orders, figures and gate, and the ledger's purchases and balances.
    asio::awaitable<SaleJudgement> check(Client& client, Returns returns);

private:
    struct Sale {
        SaleBooks books;
        PostRoute route;
    };

    asio::awaitable<void> check_users(Client& client, std::size_t product, SeenSale const& seen,
                                      SaleJudgement& judgement);
    asio::awaitable<void> check_payments(Client& client, std::vector<SeenOrder> orders,
                                         SaleJudgement& judgement);

    std::string name_;
    SaleOptions options_;
    Target target_;
    Random keys_;
    std::vector<Sale> sales_;
    std::unique_ptr<Books> ledger_;  ///< nothing is paid without one
    std::string clock_;              ///< the product that is asked for the time
    std::string body_;
};

}  // namespace penstock::bench::sale
