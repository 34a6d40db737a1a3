// Who spends and who is granted next, so that nobody is ever short: with a hundred requests in
// flight only what was acknowledged may be spent, and what may be spent may not be spent twice.
// Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/credits/books.hpp"
#include "bench/options.hpp"
#include "bench/random.hpp"

namespace penstock::bench::credits {

/// A grant is as large as the expenses between two grants, so that an address keeps a few lots
/// and the load can go on for ever; none is large enough that it would never be drained.
class PursePlan {
public:
    PursePlan(Options const& options, std::uint64_t seed);

    struct Choice {
        Deed deed = Deed::grant;
        Address address = 0;
        Amount amount = 0;
        enum class Life : std::uint8_t { without_end, long_, short_ } life = Life::without_end;
    };
    Choice choose();

    /// What an address is granted before the load, in so many lots.
    Amount lot() const { return lot_; }
    unsigned lots_at_first() const { return lots_at_first_; }
    bool is_used(Address address) const { return pattern_ != Pattern::hot || address == 0; }

    /// Credits that do not expire while the load runs are there to be spent.
    void granted(Address address, Amount amount) { certain_[address] += amount; }
    /// An expense that was not applied.
    void not_spent(Address address, Amount amount) { certain_[address] += amount; }

private:
    Address choose_address();
    Choice grant(Address address);

    Pattern pattern_;
    CreditOptions options_;
    Random random_;
    std::unique_ptr<Zipf> zipf_;
    Amount lot_ = 0;
    unsigned lots_at_first_ = 0;
    std::vector<Amount> certain_;  ///< by address: acknowledged and not asked for
};

}  // namespace penstock::bench::credits
