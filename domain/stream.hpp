// Payment streams: what has vested at a moment, and what each action does in each state.
#pragma once

#include <variant>
#include <vector>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// floor(total · elapsed / duration), pauses excluded; never falls, never more than total.
Amount vested(Stream const& stream, Instant at);
/// vested − released: what a withdrawal can move.
Amount withdrawable(Stream const& stream, Instant at);
/// What is possible and would change something, in the order of StreamAction.
std::vector<StreamAction> next_actions(Stream const& stream, Instant at);

/// The total of `amount` per `interval` over `duration`, all ≥ 1. `precision` where it does not
/// come out whole, amount_overflow where it is more than one movement may be.
std::variant<Amount, Refusal> total_of_rate(Amount amount, std::chrono::seconds interval,
                                            std::chrono::seconds duration);

/// The address of a stream's own account.
std::string escrow_address(StreamId id);

/// A command's share of add_keys_of().
void add_keys(CreateStream const& command, Envelope const& envelope, KeySet& keys);
void add_keys(ActOnStream const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
/// Refusals in this order: ledger, self_transfer, sender, recipient.
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateStream const& command);
/// In this order: ledger, stream, illegal_transition, nothing_to_withdraw, over_withdraw, those of
/// a transfer.
Outcome apply(WorkingSet& set, Envelope const& envelope, ActOnStream const& command);

}  // namespace penstock::domain
