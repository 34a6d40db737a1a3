// Flash sales: limited stock in a window of time, some of it for each user.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// What a product is at that instant. In this order: ended, upcoming, sold out, else active.
SaleStatus sale_status(Product const& product, Instant at);

/// Why nobody can order at that instant, whatever is left; nullopt: the window is open.
std::optional<Refusal> refuse_by_window(Product const& product, Instant at);

/// Why a user who has `bought` units cannot have `quantity` more at that instant. In this order:
/// the window, nothing left at all, the user's limit, not enough left for the quantity.
std::optional<Refusal> refuse_order(Product const& product, std::int64_t bought,
                                    std::int64_t quantity, Instant at);

/// A command's share of add_keys_of().
void add_keys(CreateProduct const& command, Envelope const& envelope, KeySet& keys);
void add_keys(RestockProduct const& command, Envelope const& envelope, KeySet& keys);
void add_keys(PlaceOrder const& command, Envelope const& envelope, KeySet& keys);
void add_keys(CancelOrder const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateProduct const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, RestockProduct const& command);
/// Refusals in this order: product, those of refuse_order(), overflow, those of a purchase.
Outcome apply(WorkingSet& set, Envelope const& envelope, PlaceOrder const& command);
/// Whether or not the sale has ended. In this order: product, order, cancelled already, those of
/// a refund.
Outcome apply(WorkingSet& set, Envelope const& envelope, CancelOrder const& command);

}  // namespace penstock::domain
