// Is a ledger of credits as its acknowledged operations leave it: every row of history, every lot,
// every balance and total. Pure.
#pragma once

#include <map>
#include <utility>

#include "bench/books.hpp"
#include "bench/credits/books.hpp"

namespace penstock::bench::credits {

/// A row of the history as the API shows it.
struct SeenRow {
    std::string id;
    std::string kind;
    std::string reference;
    std::string address;
    std::int64_t index = 0;
    Amount amount = 0;
    std::int64_t expires_ms = never_ms;
    std::int64_t created_ms = 0;
};

/// An address as the API shows it.
struct SeenPurse {
    Amount balance = 0;
    std::vector<Lot> lots;
    std::vector<std::pair<std::int64_t, Amount>> expiring;  ///< the soonest first
};

/// What there must be at an instant, by playing every acknowledged operation in the order in which
/// the ledger decided them: the order of their ids. Lives no longer than the books.
class Expected {
public:
    Expected(CreditBooks const& books, std::int64_t at_ms);

    /// Rows of the whole history, newest first.
    void see(SeenRow const& row);
    /// Rows of one address, newest first, and then that these were all.
    void see_of(Address address, SeenRow const& row);
    void end_of(Address address);
    /// Of the list of balances, in the order of the list.
    void see_balance(std::string const& address, Amount balance);
    void see_purse(Address address, SeenPurse const& seen);
    void see_counts(std::int64_t all, std::int64_t with_something);
    void see_totals(std::map<std::string, Total> const& totals);

    /// After the whole history: no row is missing, and each address's rows add up to what it has
    /// and what it lost by expiry.
    void end_of_history();
    void end_of_balances();

    Amount expired() const;
    std::uint64_t expired_lots() const;
    /// Everything that is off so far.
    std::vector<std::string> take() { return std::exchange(off_, {}); }

private:
    void replay();
    /// The operation that the row is of, if the row says what its answer said.
    std::optional<std::uint32_t> match(SeenRow const& row);
    std::string describe(SeenRow const& row) const;
    void note(std::string difference);

    CreditBooks const& books_;
    std::vector<std::uint32_t> order_;            ///< of decision: numbers of operations
    std::vector<Purse> purses_;                   ///< by address
    std::vector<Amount> history_;                 ///< seen, by address
    std::vector<std::uint32_t> rows_of_address_;  ///< expected
    std::vector<std::int64_t> rows_left_;         ///< by operation: still to be seen
    std::uint32_t rows_seen_ = 0;                 ///< of one address
    std::string last_id_;
    std::string last_listed_;
    std::vector<bool> listed_;
    std::vector<std::string> off_;
};

}  // namespace penstock::bench::credits
