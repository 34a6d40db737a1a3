// How hot ledgers are brought home.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// A command's share of add_keys_of().
void add_keys(OpenAccounts const& command, Envelope const& envelope, KeySet& keys);
void add_keys(BeginEpoch const& command, Envelope const& envelope, KeySet& keys);
void add_keys(BookJournal const& command, Envelope const& envelope, KeySet& keys);
void add_keys(SyncBalances const& command, Envelope const& envelope, KeySet& keys);

/// The server speaks for no organization here. Refused only where there is no such hot ledger.
Outcome apply(WorkingSet& set, Envelope const& envelope, OpenAccounts const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, BeginEpoch const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, BookJournal const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, SyncBalances const& command);

}  // namespace penstock::domain
