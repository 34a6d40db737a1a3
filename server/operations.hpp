// WHAT each route takes, gives and is for: the part of its description that the routing table
// does not say.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/router.hpp"

namespace penstock::server {

/// One row per route. Schemas by the name of their file in server/schemas; "": no body.
struct Operation {
    std::string_view route;
    std::string_view summary;
    std::string_view request;
    std::string_view answer;  ///< of a list: of its items
    unsigned status = 200;
    std::string_view text_type = "text/plain";  ///< of an answer that is no JSON
};

/// Asserts that the route is described: a new route needs its row.
Operation const& operation_of(Route const& route);

/// These routes come in these groups, in this order.
std::vector<std::string_view> operation_groups(std::span<Route const> routes);
std::string_view group_of(Route const& route);

/// Lists are paged, and a page is {"data": […], "next_cursor": …}.
bool is_list(Route const& route);

std::string_view name_of(Scope scope);

/// "new_ledger" -> "NewLedger".
std::string schema_title(std::string_view name);

}  // namespace penstock::server
