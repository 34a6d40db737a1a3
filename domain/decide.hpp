// The one door to the rules: which rows a command needs, and what it comes to on them.
#pragma once

#include <chrono>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// Adds to `keys` what deciding `envelope` needs to see.
void add_keys_of(Envelope const& envelope, KeySet& keys);

/// Decides one command on the working set: all or nothing. In this order: the idempotency key
/// (a replay, or 422 when it was used for something else), then the command's own rules in the
/// order that the API documents. Pure: same inputs, same outcome.
///
/// A 2xx with a key is recorded in the same Changes: in the transfer's own row where the command
/// makes exactly one, else as an Answer whose body the caller renders before commit.
Outcome decide(WorkingSet& set, Envelope const& envelope);

/// Codes and ids: a bulk's results without its text.
void add_items(BulkReceipt const& receipt, Answer& answer);

}  // namespace penstock::domain
