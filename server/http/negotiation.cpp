// WHAT the headers of a request ask for.
#include "server/http/negotiation.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::server {
namespace {

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Cuts `text` at the first separator: the part before it is returned, the rest stays.
std::string_view next_part(std::string_view& text, char separator) {
    auto const end = std::min(text.find(separator), text.size());
    auto const part = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool is_visible(char c) { return c >= 0x21 && c <= 0x7E; }

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_zero(std::string_view digits) {
    return std::all_of(digits.begin(), digits.end(), [](char c) { return c == '0'; });
}

/// How closely a range of Accept names the type: 3 exactly, 2 "text/*", 1 "*/*", 0 not at all.
int specificity(std::string_view range, std::string_view type) {
    if (same(range, type)) return 3;
    if (range == "*/*") return 1;
    auto const slash = type.find('/');
    bool const whole_family = range.size() == slash + 2 && range.substr(slash) == "/*";
    return whole_family && same(range.substr(0, slash), type.substr(0, slash)) ? 2 : 0;
}

bool quality_is_zero(std::string_view parameters) {
    while (!parameters.empty()) {
        auto const parameter = next_part(parameters, ';');
        if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        auto const value = parameter.substr(2);
        return std::all_of(value.begin(), value.end(), [](char c) { return c == '0' || c == '.'; });
    }
    return false;
}

bool is_preflight_answer(std::string_view preflight, Response const& response) {
    return !preflight.empty() && response.status == 204;
}

std::string_view header_of(Response const& response, std::string_view name) {
    for (auto const& header : response.headers)
        if (header.name == name) return header.value;
    return {};
}

}  // namespace

bool is_json(std::string_view content_type) {
    if (!same(next_part(content_type, ';'), "application/json")) return false;
    while (!content_type.empty()) {
        auto parameter = next_part(content_type, ';');
        if (parameter.empty()) continue;
        auto const name = next_part(parameter, '=');
        if (parameter.size() >= 2 && parameter.front() == '"' && parameter.back() == '"')
            parameter = parameter.substr(1, parameter.size() - 2);
        if (!same(name, "charset") || !same(parameter, "utf-8")) return false;
    }
    return true;
}

bool accepts(std::string_view accept, std::string_view type) {
    if (trim(accept).empty()) return true;
    int closest = 0;
    bool allowed = false;
    while (!accept.empty()) {
        auto parameters = next_part(accept, ',');
        auto const range = next_part(parameters, ';');
        int const found = specificity(range, type);
        if (found == 0 || found < closest) continue;
        bool const offered = !quality_is_zero(parameters);
        allowed = found == closest ? allowed || offered : offered;
        closest = found;
    }
    return allowed;
}

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), is_visible);
}

bool is_idempotency_key(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), is_visible);
}

std::optional<Traceparent> parse_traceparent(std::string_view text) {
    constexpr std::size_t size = 55;  // 00-<32>-<16>-<2>
    if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return std::nullopt;
    auto const version = text.substr(0, 2);
    auto const trace = text.substr(3, 32);
    auto const parent = text.substr(36, 16);
    auto const flags = text.substr(53, 2);
    for (auto const part : {version, trace, parent, flags})
        if (!std::all_of(part.begin(), part.end(), is_lower_hex)) return std::nullopt;
    if (version == "ff" || is_zero(trace) || is_zero(parent)) return std::nullopt;
    if (text.size() > size && (version == "00" || text[size] != '-')) return std::nullopt;
    Traceparent result;
    result.trace_id = trace;
    result.parent_id = parent;
    std::from_chars(flags.data(), flags.data() + flags.size(), result.flags, 16);
    return result;
}

std::optional<milliseconds> parse_timeout(std::string_view text) {
    std::int32_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const whole = error == std::errc{} && end == text.data() + text.size();
    if (!whole || value < 1 || value > 600'000 || text.front() == '-') return std::nullopt;
    return milliseconds{value};
}

std::optional<std::string_view> bearer(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size()) return std::nullopt;
    if (!same(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    auto const secret = trim(authorization.substr(scheme.size()));
    if (secret.empty() || !std::all_of(secret.begin(), secret.end(), is_visible))
        return std::nullopt;
    return secret;
}

Cors::Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {
    any_ = std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
}

bool Cors::allows(std::string_view origin) const {
    return any_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

void Cors::decorate(std::string_view origin, std::string_view preflight, Response& response) const {
    if (!enabled()) return;
    if (!any_) response.add("Vary", "Origin");
    if (origin.empty() || !allows(origin)) return;
    response.add("Access-Control-Allow-Origin", any_ ? "*" : std::string(origin));
    response.add("Access-Control-Expose-Headers",
                 "Idempotent-Replayed, Penstock-Stale, X-Request-Id, RateLimit, RateLimit-Policy, "
                 "Retry-After");
    if (!is_preflight_answer(preflight, response)) return;
    response.add("Access-Control-Allow-Methods", std::string(header_of(response, "Allow")));
    response.add("Access-Control-Allow-Headers",
                 "Authorization, Content-Type, Idempotency-Key, X-Request-Id, "
                 "Request-Timeout-Ms, Last-Event-ID, traceparent");
    response.add("Access-Control-Max-Age", "600");
}

}  // namespace penstock::server
