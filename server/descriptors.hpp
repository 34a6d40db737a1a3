// How many clients fit into the file descriptors that the system grants.
#pragma once

#include <cstddef>

#include "server/options.hpp"

namespace penstock::server {

/// Raises the soft limit to the hard one. Returns what is granted now.
std::size_t claim_descriptors();

/// What the program opens beside its clients, generously: a shortage must cost clients, not the
/// way to the database.
std::size_t descriptors_reserved(Options const& options);

/// --connections-max, or as many as `granted` has room for; per thread, at least one.
std::size_t connections_within(std::size_t granted, Options const& options);

}  // namespace penstock::server
