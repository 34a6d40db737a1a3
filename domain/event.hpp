// What the activity feed is told of a change that no row of its own records.
#pragma once

#include "domain/working_set.hpp"

namespace penstock::domain {

/// An event of the batch's instant, in the ledger's feed and in those of both parties. Not yet
/// added to the set: whoever makes it says more where there is more to say.
Event make_event(WorkingSet& set, Ledger const& ledger, EventType type, Uuid subject,
                 Party const& account, Party const& counterparty, std::uint64_t nonce);

}  // namespace penstock::domain
