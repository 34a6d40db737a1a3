// HOW an instant is spelled: RFC 3339 in UTC with milliseconds, and nothing looser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::server {

/// The instants that have a spelling, in milliseconds since 1970: years 0000 … 9999.
inline constexpr std::int64_t instant_ms_min = -62'167'219'200'000;
inline constexpr std::int64_t instant_ms_max = 253'402'300'799'999;

/// "2026-11-21T09:00:00.000Z". Values outside the range above are clamped to it.
void append_instant(std::string& out, std::int64_t ms);
std::string instant_text(std::int64_t ms);

/// RFC 3339 with any offset and 0–9 digits of fraction, cut to milliseconds. Nothing for a day
/// that does not exist, a leap second, lower-case letters or a missing offset.
std::optional<std::int64_t> parse_instant(std::string_view text);

}  // namespace penstock::server
