// Holds: money reserved now, taken later, in part or not at all.
#pragma once

#include <string>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// The feed's record of a hold's last state.
Event make_hold_event(WorkingSet& set, Ledger const& ledger, Hold const& hold, std::uint64_t nonce);

/// Why a hold in that state cannot be "captured" or "voided".
Refusal refuse_transition(std::string const& action, std::string const& state);

/// A command's share of add_keys_of().
void add_keys(PlaceHold const& command, Envelope const& envelope, KeySet& keys);
void add_keys(CaptureHold const& command, Envelope const& envelope, KeySet& keys);
void add_keys(VoidHold const& command, Envelope const& envelope, KeySet& keys);
void add_keys(ExpireHolds const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
/// Refusals in this order: ledger, self, payer, payee, funds, overflow.
Outcome apply(WorkingSet& set, Envelope const& envelope, PlaceHold const& command);
/// A hold that is due is expired, whether or not the server has come round to it: it can be
/// neither captured nor voided. In this order: ledger, hold, its state, amount, overflow.
Outcome apply(WorkingSet& set, Envelope const& envelope, CaptureHold const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, VoidHold const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, ExpireHolds const& command);

}  // namespace penstock::domain
