// What must the ledger hold after everything that it acknowledged: the oracle. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
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

enum class Verified { yes, no, not_asked };

/// A ledger as its API shows it.
struct Observed {
    std::map<std::string, Total> totals;                   ///< by kind
    std::vector<std::pair<std::string, Amount>> balances;  ///< @world and @platform included
    Verified verified = Verified::no;
    std::vector<std::string> failed_checks;   ///< what `verify` found
    std::map<std::string, Amount> fractions;  ///< centi-cents on their way, where there are any
    std::optional<Amount> royalty_percent{};  ///< of the ledger
};

/// One ledger's expected state. Amounts are added with overflow checks; an overflow is our own
/// fault and stops the bench.
///
/// An author has earned the royalty percentage of all prices that were not refunded: whole cents
/// are on the balance, the rest is the fraction. In which order they came does not matter for
/// that, so it needs no look at the answers; how many legs there were does.
class Books {
public:
    static constexpr AccountIndex world = 0;
    static constexpr AccountIndex platform = 1;
    static constexpr Amount royalty_percent_default = 70;

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

    /// What a purchase was divided into. A leg of nothing is not written.
    void acknowledge_legs(Amount author_amount, Amount platform_amount);

    Amount royalty_percent() const { return royalty_percent_; }
    Amount fraction(AccountIndex author) const;  ///< centi-cents, 0 … 99

    /// Every way in which the ledger is not what it must be, in words; empty when the books agree.
    std::vector<std::string> differences(Observed const& observed) const;

private:
    using Differences = std::vector<std::string>;

    void divide(AccountIndex author, Amount price);
    void compare_totals(Observed const& observed, Differences& found) const;
    void compare_balances(Observed const& observed, Differences& found) const;
    void compare_fractions(Observed const& observed, Differences& found) const;

    std::string ledger_;
    std::vector<std::string> addresses_;
    std::unordered_map<std::string, AccountIndex> indexes_;
    std::vector<Amount> balances_;
    std::unordered_map<AccountIndex, Amount> accrued_;  ///< centi-cents earned since we look
    Amount royalty_percent_ = royalty_percent_default;
    std::array<Total, kinds> totals_{};
    Total author_legs_;
    Total platform_legs_;
    std::uint64_t refunds_ = 0;                  ///< ours: each of one leg or two
    std::map<std::string, Total> other_totals_;  ///< kinds that we never make
};

}  // namespace penstock::bench
