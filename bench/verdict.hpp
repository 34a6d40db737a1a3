// What does an answer say about its request's effect: applied, not applied, or unknown. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bench/response_parser.hpp"

namespace penstock::bench {

enum class Verdict {
    accepted,  ///< the expected status: applied, and it counts
    refused,   ///< load shed or rate limited: not applied
    unclear,   ///< may have been applied: only the same key tells
    wrong,     ///< refused for a reason that this load never gives, or another 2xx or 3xx
};

/// The expected status may be a refusal: a load that is there to be refused. 503 `overloaded` and
/// 429 were turned away at the door. Any other 5xx may hide an effect, and
/// so does a key in flight.
Verdict judge(Response const& response, int expected_status);

/// The problem's `code`; "?" when the body has none.
std::string problem_code(std::string_view body);

/// The text of a string member anywhere in compact JSON, empty when it is not there or holds an
/// escape. Enough for answers whose form is known; whoever needs certainty parses.
std::string_view text_member(std::string_view body, std::string_view name);

/// The first integer under that name in compact JSON.
std::optional<std::int64_t> integer_member(std::string_view body, std::string_view name);

/// Whether compact JSON has `"name":value` with exactly that integer.
bool has_integer(std::string_view body, std::string_view name, std::int64_t value);
bool has_text(std::string_view body, std::string_view name, std::string_view value);

}  // namespace penstock::bench
