// What must the ledger hold after everything that it acknowledged: the oracle. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/call.hpp"

namespace penstock::bench {

struct Total {
    std::uint64_t count = 0;
    Amount amount = 0;

    bool operator==(Total const&) const = default;
};

/// A ledger as its API shows it.
struct Observed {
    std::map<std::string, Total> totals;                   ///< by kind
    std::vector<std::pair<std::string, Amount>> balances;  ///< @world and @platform included
    bool verified = false;
    std::vector<std::string> failed_checks;  ///< what `verify` found
};

/// One ledger's expected state. Amounts are added with overflow checks; an overflow is our own
/// fault and stops the bench.
class Books {
public:
    static constexpr AccountIndex world = 0;

    explicit Books(std::string ledger);

    std::string const& ledger() const { return ledger_; }
    AccountIndex open(std::string address);  ///< the same index for the same address
    std::string const& address(AccountIndex account) const { return addresses_[account]; }
    Amount balance(AccountIndex account) const { return balances_[account]; }
    Total total(Kind kind) const { return totals_[static_cast<std::size_t>(kind)]; }
    std::size_t accounts() const { return addresses_.size(); }

    /// The ledger was not empty when we came: what is there now is where we start from.
    void start_from(Observed const& observed);

    void acknowledge(Posting const& posting);

    /// Every way in which the ledger is not what it must be, in words; empty when the books agree.
    std::vector<std::string> differences(Observed const& observed) const;

private:
    std::string ledger_;
    std::vector<std::string> addresses_;
    std::unordered_map<std::string, AccountIndex> indexes_;
    std::vector<Amount> balances_;
    std::array<Total, kinds> totals_{};
    std::map<std::string, Total> other_totals_;  ///< kinds that we never make
};

}  // namespace penstock::bench
