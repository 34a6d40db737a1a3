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
    /// Buyer, author, price in a ledger: whether it was paid.
    using Pay = std::function<bool(std::string const& ledger, boost::json::object const& purchase)>;

    MockSales(SaleMischief mischief, Pay pay) : mischief_(mischief), pay_(std::move(pay)) {}

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
        std::map<std::string, std::int64_t> held;
    };

    MockAnswer make(boost::json::object const& body);
    MockAnswer order(Product& product, boost::json::object const& body, bool apply);
    std::optional<MockAnswer> refuse(Product const& product, std::string const& user,
                                     std::int64_t quantity) const;
    MockAnswer reconcile() const;
    static boost::json::object show(Product const& product);
    static MockAnswer page(Product const& product, std::string const& query);

    SaleMischief mischief_;
    Pay pay_;
    std::map<std::string, Product> products_;
};

}  // namespace penstock::tests
