// WHERE a command is decided: what must be decided in one place, has one number.
#pragma once

#include <cstddef>

#include "domain/command.hpp"

namespace penstock::server {

/// The same for everything of one ledger, the products that are paid into it included, and for
/// everything of one product that is not paid for.
std::size_t place_of(domain::Envelope const& envelope);

}  // namespace penstock::server
