// Purchases: who gets what of a price, to the hundredth of a cent, and how that is taken back.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// Author's and platform's shares of a price, in minor units, and the author's fraction after it
/// (centi-cents, 0…99). Shares add up to the price; neither is negative.
struct Shares {
    Amount author = 0;
    Amount platform = 0;
    std::int16_t fraction = 0;

    bool operator==(Shares const&) const = default;
};

/// n = price·percent; whole cents go to the author now, the rest waits in its fraction until it
/// makes another cent. price 1…amount_max, percent 0…100, fraction 0…99.
Shares share_price(Amount price, std::int16_t percent, std::int16_t fraction);

/// The same backwards, from the fraction as it is now: so that in any order of purchases and
/// refunds 100·(royalties) + fraction = Σ price·percent of what is not refunded.
Shares share_refund(Amount price, std::int16_t percent, std::int16_t fraction);

/// A purchase booked, whoever asked for it: its legs, the author's fraction, its row. Refusals in
/// this order: self, buyer, author, funds, overflow.
std::variant<Purchase, Refusal> buy(WorkingSet& set, Ledger const& ledger,
                                    MakePurchase const& command, std::uint64_t nonce,
                                    std::optional<KeyUse> const& key_use);

/// The whole purchase refunded; it was not before. Refusals: funds (author's, then the platform's),
/// overflow.
std::variant<Purchase, Refusal> give_back(WorkingSet& set, Ledger const& ledger, Purchase purchase,
                                          std::uint64_t nonce);

/// What both of them touch.
void add_purchase_keys(LedgerId ledger, std::string const& buyer, std::string const& author,
                       KeySet& keys);

/// A command's share of add_keys_of().
void add_keys(MakePurchase const& command, Envelope const& envelope, KeySet& keys);
void add_keys(RefundPurchase const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
/// Refusals in this order: ledger, self, buyer, author, funds, overflow.
Outcome apply(WorkingSet& set, Envelope const& envelope, MakePurchase const& command);
/// In this order: ledger, purchase, refunded already, funds (author's, then the platform's).
Outcome apply(WorkingSet& set, Envelope const& envelope, RefundPurchase const& command);

}  // namespace penstock::domain
