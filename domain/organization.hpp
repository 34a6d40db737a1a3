// Who owns what: organizations, their API keys and their ledgers.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// A command's share of add_keys_of().
void add_keys(CreateOrganization const& command, Envelope const& envelope, KeySet& keys);
void add_keys(CreateApiKey const& command, Envelope const& envelope, KeySet& keys);
void add_keys(RevokeApiKey const& command, Envelope const& envelope, KeySet& keys);
void add_keys(CreateLedger const& command, Envelope const& envelope, KeySet& keys);
void add_keys(ChangeLedger const& command, Envelope const& envelope, KeySet& keys);
void add_keys(DeleteLedger const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateOrganization const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateApiKey const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, RevokeApiKey const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateLedger const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, ChangeLedger const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, DeleteLedger const& command);

/// The envelope's organization's ledger; nullptr for everybody else's.
Ledger const* find_own_ledger(WorkingSet const& set, Envelope const& envelope, LedgerId id);

}  // namespace penstock::domain
