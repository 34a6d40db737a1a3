// Credits: lots that are granted, drained, passed on, and that expire.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

void add_keys(GrantCredits const& command, Envelope const& envelope, KeySet& keys);
void add_keys(SpendCredits const& command, Envelope const& envelope, KeySet& keys);
void add_keys(TransferCredits const& command, Envelope const& envelope, KeySet& keys);
void add_keys(ExpireLots const& command, Envelope const& envelope, KeySet& keys);

/// Refusals in this order: the ledger, the reference, then entry by entry (expiry in the past,
/// overflow). One lot per entry.
Outcome apply(WorkingSet& set, Envelope const& envelope, GrantCredits const& command);
/// Drains the lots that are valid at the batch's instant in the ledger's order. All or nothing,
/// unless `allow_partial`: then what is there, and how much was not.
Outcome apply(WorkingSet& set, Envelope const& envelope, SpendCredits const& command);
/// The recipient gets, for each portion drained, a lot that does not outlive it. An issuer is
/// not debited: its recipients get what was asked for, until when it was asked for.
Outcome apply(WorkingSet& set, Envelope const& envelope, TransferCredits const& command);
/// Records what is over: lots that are open and have expired at the batch's instant.
Outcome apply(WorkingSet& set, Envelope const& envelope, ExpireLots const& command);

}  // namespace penstock::domain
