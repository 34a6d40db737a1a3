// The mock's flash sales: products, orders, what reconciliation says; and how they can be off.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mock_answer.hpp"
#include "mock_server.hpp"

namespace penstock::tests {

class MockSales {
public:
    /// Buyer, author, price in a ledger: the purchase's id, empty if it could not be paid.
    using Pay =
        std::function<std::string(std::string const& ledger, boost::json::object const& purchase)>;
    using Refund = std::function<void(std::string const& ledger, std::string const& purchase)>;

    MockSales(SaleMischief mischief, Pay pay, Refund refund)
        : mischief_(mischief), pay_(std::move(pay)), refund_(std::move(refund)) {}

    /// Nothing: that is no route of a sale.
    std::optional<MockAnswer> post(std::string const& path, boost::json::object const& body,
                                   bool apply);
    std::optional<MockAnswer> get(MockRequest const& request) const;

private:
    struct Product {
        boost::json::object terms;
        std::int64_t stock = 0;
        std::int64_t sold = 0;
        std::int64_t starts_ms = 0;
        std::vector<boost::json::object> orders;
        std::vector<std::string> purchases;  ///< of each order, empty if it was for nothing
        std::map<std::string, std::int64_t> held;
    };

    MockAnswer make(boost::json::object const& body);
    MockAnswer order(Product& product, boost::json::object const& body, bool apply);
    MockAnswer cancel(Product& product, std::string const& id, bool apply);
    static MockAnswer restock(Product& product, std::int64_t quantity, bool apply);
    std::optional<MockAnswer> refuse(Product const& product, std::string const& user,
                                     std::int64_t quantity) const;
    MockAnswer reconcile() const;
    static boost::json::object show(Product const& product);
    static MockAnswer page(Product const& product, std::string const& query);

    SaleMischief mischief_;
    Pay pay_;
    Refund refund_;
    std::map<std::string, Product> products_;
};

}  // namespace penstock::tests
