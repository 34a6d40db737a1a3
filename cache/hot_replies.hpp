// What the scripts of hot ledgers answer with.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "cache/redis/error.hpp"
#include "cache/redis/reply.hpp"

namespace penstock::cache {

inline bool is_string(Reply const& reply) { return reply.kind == Reply::Kind::string; }

inline bool are_strings(std::vector<Reply> const& parts) {
    return !parts.empty() && std::all_of(parts.begin(), parts.end(), is_string);
}

/// What is no answer of our scripts: somebody else's bytes, or another version's.
inline Failure unexpected_reply() {
    return {Errc::refused_by_redis, "unexpected reply of a hot ledger's script"};
}

/// "17" or, as the journal names its entries, "17-0"; nullopt: neither.
inline std::optional<std::int64_t> read_position(std::string_view text) {
    std::int64_t position = 0;
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, position);
    std::string_view const rest(stop, static_cast<std::size_t>(end - stop));
    if (error != std::errc() || position < 0 || (!rest.empty() && rest != "-0"))
        return std::nullopt;
    return position;
}

}  // namespace penstock::cache
