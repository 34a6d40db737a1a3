#include "bench/verdict.hpp"

#include <charconv>

namespace penstock::bench {
namespace {

/// What follows `"name":`, any white space dropped; every occurrence in turn until one fits.
template <class Fits>
bool any_member(std::string_view body, std::string_view name, Fits fits) {
    for (std::size_t at = body.find(name); at != body.npos; at = body.find(name, at + 1)) {
        auto const end = at + name.size();
        if (at == 0 || body[at - 1] != '"' || !body.substr(end).starts_with("\":")) continue;
        auto const value = body.find_first_not_of(" \t\r\n", end + 2);
        if (value != body.npos && fits(body.substr(value))) return true;
    }
    return false;
}

/// The integer that a JSON text begins with; nothing when it is another number.
std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end == text.data() + text.size()) return std::nullopt;
    if (*end != ',' && *end != '}' && *end != ' ') return std::nullopt;
    return number;
}

}  // namespace

Verdict judge(Response const& response, int expected_status) {
    int const status = response.status;
    if (status < 400) return status == expected_status ? Verdict::accepted : Verdict::wrong;
    if (status == 429) return Verdict::refused;
    auto const code = text_member(response.body, "code");
    if (status == 503 && code == "overloaded") return Verdict::refused;
    bool const in_flight = status == 409 && code == "idempotency_in_flight";
    if (status >= 500 || in_flight) return Verdict::unclear;
    return status == expected_status ? Verdict::accepted : Verdict::wrong;
}

std::string problem_code(std::string_view body) {
    auto const code = text_member(body, "code");
    return code.empty() ? "?" : std::string(code);
}

std::string_view text_member(std::string_view body, std::string_view name) {
    std::string_view found;
    any_member(body, name, [&found](std::string_view value) {
        if (!value.starts_with('"')) return false;
        auto const end = value.find_first_of("\"\\", 1);
        if (end == value.npos || value[end] != '"') return false;
        found = value.substr(1, end - 1);
        return true;
    });
    return found;
}

std::optional<std::int64_t> integer_member(std::string_view body, std::string_view name) {
    std::optional<std::int64_t> found;
    any_member(body, name, [&found](std::string_view text) {
        found = whole_number(text);
        return found.has_value();
    });
    return found;
}

bool has_integer(std::string_view body, std::string_view name, std::int64_t value) {
    return any_member(body, name,
                      [value](std::string_view text) { return whole_number(text) == value; });
}

bool has_text(std::string_view body, std::string_view name, std::string_view value) {
    return any_member(body, name, [value](std::string_view text) {
        return text.size() > value.size() + 1 && text[0] == '"' &&
               text.substr(1).starts_with(value) && text[value.size() + 1] == '"';
    });
}

}  // namespace penstock::bench
