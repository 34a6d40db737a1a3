// One request of a scenario: its bytes, and what it means when the server says yes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/amount.hpp"

namespace penstock::bench {

using domain::Amount;
using AccountIndex = std::uint32_t;

/// A purchase goes from buyer to author, a refund back; the amount is the price.
enum class Kind : std::uint8_t { deposit, transfer, purchase, refund, capture };
inline constexpr std::size_t kinds = 5;
/// As the ledger's totals name it.
char const* name_of(Kind kind);

/// One movement, in the terms of the books: indexes, not addresses.
struct Posting {
    std::uint32_t book = 0;
    AccountIndex from = 0;
    AccountIndex to = 0;
    Kind kind = Kind::transfer;
    Amount amount = 0;

    bool operator==(Posting const&) const = default;
};

/// The bytes stay until the fate of the request is known: an unanswered one is sent again as it
/// was, under the same idempotency key.
struct Call {
    std::string bytes;
    std::size_t route = 0;  ///< index into Scenario::routes()
    int expected_status = 201;
    std::uint64_t units = 1;        ///< what it counts for: transfers in a bulk
    std::uint64_t tag = 0;          ///< the scenario's own
    std::vector<Posting> postings;  ///< the money that it moves
    bool keeps = false;             ///< it changes something else than balances

    /// Whether it matters what became of it.
    bool changes() const { return keeps || !postings.empty(); }
};

}  // namespace penstock::bench
