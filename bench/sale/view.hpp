// A sale seen through its API: how products are made, and how a sale is read back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/client.hpp"
#include "bench/sale/books.hpp"
#include "bench/sale/clock.hpp"
#include "bench/sale/payments.hpp"

namespace penstock::bench::sale {

struct PaidInto {
    std::string ledger;
    std::string seller;
};

/// Makes a product by these terms, whose id is not known yet: it is what comes back.
asio::awaitable<std::string> make_product(Client& client, std::string name, Terms terms,
                                          std::optional<PaidInto> payment);

std::string sale_path(std::string const& product);

/// What time it is there: of several answers the best.
asio::awaitable<ServerClock> read_clock(Client& client, std::string product);

/// What reconciliation says as soon as no unit is reserved any more and nothing had to be repaired,
/// or after a minute and a half. A reservation that nobody confirms or releases ends with its
/// lease: that is how long this may take.
asio::awaitable<SeenGate> observe_gate(Client& client, std::string product);

/// The product, every order of it, and its gate when that is quiet.
asio::awaitable<SeenSale> observe_sale(Client& client, std::string product);

asio::awaitable<std::vector<SeenPurchase>> list_purchases(Client& client, std::string ledger);

/// `{purchased, quantity}` of one user.
struct SeenUser {
    bool purchased = false;
    std::int64_t quantity = 0;
};
asio::awaitable<SeenUser> observe_user(Client& client, std::string product, std::string user);

/// One element of a list of orders; throws what boost::json throws when a member is missing.
SeenOrder order_of(boost::json::value row);

}  // namespace penstock::bench::sale
