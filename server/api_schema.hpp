// What is a schema of the API: a name and a JSON text that live as long as the program.
#pragma once

#include <string_view>

namespace penstock::server {

/// One file of server/schemas. "new_ledger" is NewLedger in the OpenAPI document.
struct ApiSchema {
    std::string_view name;
    std::string_view text;
};

}  // namespace penstock::server
