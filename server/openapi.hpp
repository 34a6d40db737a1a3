// What the API looks like to machines and to people: both documents follow from the routing table.
#pragma once

#include <span>
#include <string>

#include "server/http/router.hpp"

namespace penstock::server {

/// The OpenAPI 3.1 document.
std::string openapi_document(std::span<Route const> routes);

/// One HTML page without scripts or foreign resources.
std::string reference_page(std::span<Route const> routes);

}  // namespace penstock::server
