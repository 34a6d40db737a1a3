#include "bench/target.hpp"

#include <charconv>

namespace penstock::bench {
namespace {

constexpr std::string_view scheme = "http://";

std::string common_headers(Target const& target) {
    std::string headers = "Host: " + target.authority + "\r\nAccept: application/json\r\n";
    if (!target.api_key.empty()) headers += "Authorization: Bearer " + target.api_key + "\r\n";
    return headers;
}

bool is_port(std::string_view text) {
    unsigned value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value > 0 && value < 65536;
}

}  // namespace

std::optional<Target> Target::parse(std::string_view url) {
    if (!url.starts_with(scheme)) return std::nullopt;
    auto rest = url.substr(scheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.empty() || rest.find_first_of("/?#@ \r\n") != rest.npos) return std::nullopt;
    Target target;
    target.url = url;
    target.authority = rest;
    target.port = "80";
    auto const bracket = rest.find(']');
    auto const colon = rest.rfind(':');
    bool const has_port = colon != rest.npos && (bracket == rest.npos || colon > bracket);
    if (has_port) {
        target.port = rest.substr(colon + 1);
        if (!is_port(target.port)) return std::nullopt;
        rest = rest.substr(0, colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) return std::nullopt;
    target.host = rest;
    return target;
}

PostRoute::PostRoute(Target const& target, std::string_view path) {
    head_ = "POST ";
    head_ += path;
    head_ += " HTTP/1.1\r\n";
    head_ += common_headers(target);
    head_ += "Content-Type: application/json\r\nIdempotency-Key: ";
}

void PostRoute::write(std::string& out, std::string_view body, Random& keys) const {
    out.assign(head_);
    append_uuid4(out, keys);
    out += "\r\nContent-Length: ";
    append_number(out, static_cast<std::int64_t>(body.size()));
    out += "\r\n\r\n";
    out += body;
}

void write_get(std::string& out, Target const& target, std::string_view path) {
    out.assign("GET ");
    out += path;
    out += " HTTP/1.1\r\n";
    out += common_headers(target);
    out += "\r\n";
}

void append_number(std::string& out, std::int64_t value) {
    char text[24];
    auto const [end, error] = std::to_chars(text, text + sizeof text, value);
    (void)error;  // 24 characters hold every int64
    out.append(text, end);
}

}  // namespace penstock::bench
