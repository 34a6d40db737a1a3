#include "bench/sale/payments.hpp"

#include <map>
#include <tuple>

namespace penstock::bench::sale {
namespace {

/// Who paid what, and whether it stands.
using Payment = std::tuple<std::string, Amount, bool>;

std::string text(Payment const& payment) {
    auto const& [buyer, price, stands] = payment;
    return buyer + " for " + std::to_string(price) + (stands ? "" : ", taken back");
}

}  // namespace

std::vector<std::string> compare_payments(std::vector<SeenOrder> const& orders,
                                          std::vector<SeenPurchase> const& purchases,
                                          std::string const& seller) {
    std::vector<std::string> found;
    std::map<Payment, std::int64_t> owed;
    for (auto const& order : orders) {
        if (order.total > 0) owed[{order.user, order.total, order.completed}] += 1;
    }
    for (auto const& purchase : purchases) {
        owed[{purchase.buyer, purchase.price, purchase.completed}] -= 1;
        if (purchase.author != seller)
            found.push_back("a purchase by " + purchase.buyer + " from " + purchase.author);
    }
    for (auto const& [payment, count] : owed) {
        if (count > 0) found.push_back("not paid: an order by " + text(payment));
        if (count < 0) found.push_back("paid without an order: by " + text(payment));
    }
    return found;
}

}  // namespace penstock::bench::sale
