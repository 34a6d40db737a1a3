// WHICH part of a download a request asks for.
#include "server/http/range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace penstock::server {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    auto const* const last = text.data() + text.size();
    auto const [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc() || end != last) return std::nullopt;
    return value;
}

ByteRange part(std::uint64_t first, std::uint64_t size) {
    return {ByteRange::What::part, first, size};
}

}  // namespace

ByteRange parse_range(std::string_view header, std::uint64_t size) {
    ByteRange const whole{ByteRange::What::whole, 0, size};
    ByteRange const none{ByteRange::What::none, 0, 0};
    constexpr std::string_view unit = "bytes=";
    if (!header.starts_with(unit)) return whole;
    auto const asked = header.substr(unit.size());
    auto const dash = asked.find('-');
    if (dash == asked.npos) return whole;
    auto const behind = number(asked.substr(dash + 1));
    bool const is_open = dash + 1 == asked.size();
    if (!behind && !is_open) return whole;
    if (dash == 0) {
        if (is_open) return whole;
        if (*behind == 0 || size == 0) return none;
        auto const wanted = std::min(*behind, size);
        return part(size - wanted, wanted);
    }
    auto const first = number(asked.substr(0, dash));
    if (!first || (behind && *behind < *first)) return whole;
    if (*first >= size) return none;
    auto const last = std::min(behind.value_or(size - 1), size - 1);
    return part(*first, last - *first + 1);
}

}  // namespace penstock::server
