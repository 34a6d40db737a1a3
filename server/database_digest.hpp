// WHICH database do keys in Redis belong to.
#pragma once

#include <string>

#include "domain/ids.hpp"

namespace penstock::server {

/// What tells this database's keys in Redis from another's.
domain::Uuid digest_of(std::string const& database_identity);

}  // namespace penstock::server
