// What the API looks like to programs.
#pragma once

#include <span>
#include <string>

#include "server/http/router.hpp"

namespace penstock::server {

/// The OpenAPI 3.1 document. Every route must be described (server/operations.cpp).
std::string openapi_document(std::span<Route const> routes);

}  // namespace penstock::server
