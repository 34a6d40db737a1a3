// Times as the API writes them: RFC 3339 in UTC with milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::bench {

/// Milliseconds since 1970 of "2026-11-21T09:00:00.000Z"; nothing for any other form.
std::optional<std::int64_t> instant_of(std::string_view text);

std::string text_of_instant(std::int64_t at);

}  // namespace penstock::bench
