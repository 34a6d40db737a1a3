// What the API looks like to people.
#pragma once

#include <span>
#include <string>

#include "server/http/router.hpp"

namespace penstock::server {

/// One HTML page without scripts or foreign resources. Every route must be described
/// (server/operations.cpp).
std::string reference_page(std::span<Route const> routes);

}  // namespace penstock::server
