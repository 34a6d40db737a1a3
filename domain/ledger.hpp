// Money: accounts, and how it moves between them.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// A command's share of add_keys_of().
void add_keys(CreateAccount const& command, Envelope const& envelope, KeySet& keys);
void add_keys(MoveMoney const& command, Envelope const& envelope, KeySet& keys);
void add_keys(MoveInBulk const& command, Envelope const& envelope, KeySet& keys);
void add_keys(RevertTransfer const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key. May leave writes behind when it refuses.
Outcome apply(WorkingSet& set, Envelope const& envelope, CreateAccount const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, MoveMoney const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, MoveInBulk const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, RevertTransfer const& command);

/// A rejection's code as it stands on the wire.
char const* name_of(Rejection code);

}  // namespace penstock::domain
