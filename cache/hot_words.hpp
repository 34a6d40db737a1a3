// Which command of the domain is which post on a hot ledger, and what its answer means.
#pragma once

#include <optional>

#include "cache/hot_books.hpp"
#include "domain/command.hpp"
#include "domain/outcome.hpp"

namespace penstock::cache {

/// nullopt: a hot ledger does not do that. Of a hold only the id is looked at: the books know the
/// rest.
std::optional<HotPost> post_of(domain::Ledger const& ledger, domain::Envelope const& envelope,
                               domain::Instant now);

/// As the domain would have worded it.
domain::Refusal refusal_of(domain::Command const& command, HotRefused const& refused);

domain::Receipt receipt_of(HotPosted posted);

}  // namespace penstock::cache
