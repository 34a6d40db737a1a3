// The mock's credits: lots, history, balances; and how they can be off.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mock_answer.hpp"
#include "mock_server.hpp"

namespace penstock::tests {

/// Its clock is its own: it ticks with every request, so that nothing expires unawares.
class MockCredits {
public:
    explicit MockCredits(CreditMischief mischief) : mischief_(mischief) {}

    /// Nothing: that is no route of credits.
    std::optional<MockAnswer> post(std::string const& path, boost::json::object const& body,
                                   bool apply);
    std::optional<MockAnswer> get(MockRequest const& request);

private:
    struct MockLot {
        std::string reference;
        std::int64_t index = 0;
        std::int64_t amount = 0;
        std::int64_t remaining = 0;
        std::int64_t granted_ms = 0;
        std::optional<std::int64_t> expires_ms;
        bool is_recorded = false;  ///< as expired
    };
    struct MockPoints {
        bool soonest_first = false;
        std::map<std::string, std::vector<MockLot>> lots;  ///< by address, by granting
        std::vector<boost::json::object> history;
        std::map<std::string, std::pair<std::int64_t, std::int64_t>> totals;
    };

    MockAnswer act(MockPoints& points, std::string const& kind, boost::json::object const& body,
                   bool apply);
    std::vector<MockLot*> payers(MockPoints& points, std::string const& address) const;
    std::int64_t balance(MockPoints& points, std::string const& address) const;
    void drain(MockPoints& points, std::string const& address, std::int64_t amount) const;
    void record_expiries(MockPoints& points) const;
    MockAnswer page(MockPoints& points, MockRequest const& request) const;
    MockAnswer purse(MockPoints& points, std::string const& address) const;

    CreditMischief mischief_;
    std::map<std::string, MockPoints> ledgers_;
    std::int64_t now_ms_ = 1'795'000'000'000;
    std::int64_t operations_ = 0;
};

}  // namespace penstock::tests
