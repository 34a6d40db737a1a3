// Do a ledger's purchases say the same as the orders that were paid with them. Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/sale/books.hpp"

namespace penstock::bench::sale {

/// A purchase as its ledger lists it.
struct SeenPurchase {
    std::string buyer;
    std::string author;
    Amount price = 0;
    Amount author_amount = 0;
    Amount platform_amount = 0;
    bool completed = true;
};

/// Every order that costs something is one purchase by its user from the seller for its total,
/// refunded if and only if the order was cancelled; and there are no others.
std::vector<std::string> compare_payments(std::vector<SeenOrder> const& orders,
                                          std::vector<SeenPurchase> const& purchases,
                                          std::string const& seller);

}  // namespace penstock::bench::sale
