// HOW a request's text becomes values: header lookup and strict decoding of the target.
#include "server/http/request.hpp"

#include <algorithm>

namespace penstock::server {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_control(char c) {
    auto const byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
}

enum class Plus { is_plus, is_space };

/// The text says what is wrong.
std::optional<std::string_view> decode(std::string_view raw, Plus plus, std::string& out) {
    // Nearly always there is nothing to decode.
    auto const special = plus == Plus::is_space ? std::string_view("%+") : std::string_view("%");
    if (raw.find_first_of(special) == std::string_view::npos) {
        out = raw;
        return std::nullopt;
    }
    out.clear();
    out.reserve(raw.size());
    bool escaped = false;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        char c = raw[i];
        if (c == '%') {
            int const high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
            int const low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0) return "the target has a bad percent-encoding";
            c = static_cast<char>(high * 16 + low);
            if (is_control(c)) return "the target encodes a control character";
            i += 2;
            escaped = true;
        } else if (c == '+' && plus == Plus::is_space) {
            c = ' ';
        }
        out += c;
    }
    if (escaped && !is_utf8(out)) return "the target is not UTF-8";
    return std::nullopt;
}

std::optional<std::string_view> parse_path(std::string_view path, Target& target) {
    std::size_t start = 1;
    for (;;) {
        auto const end = std::min(path.find('/', start), path.size());
        if (target.segments.size() == target_segments_max) return "the path is too long";
        auto& segment = target.segments.emplace_back();
        auto const fault = decode(path.substr(start, end - start), Plus::is_plus, segment);
        if (fault) return fault;
        if (end == path.size()) return std::nullopt;
        start = end + 1;
    }
}

std::optional<std::string_view> parse_query(std::string_view query, Target& target) {
    while (!query.empty()) {
        auto const end = std::min(query.find('&'), query.size());
        auto const pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        if (target.query.size() == target_parameters_max) return "the query is too long";
        auto const equals = std::min(pair.find('='), pair.size());
        QueryParameter parameter;
        auto fault = decode(pair.substr(0, equals), Plus::is_space, parameter.name);
        if (fault) return fault;
        auto const value = pair.substr(std::min(equals + 1, pair.size()));
        fault = decode(value, Plus::is_space, parameter.value);
        if (fault) return fault;
        if (target.parameter(parameter.name)) return "a query parameter is given twice";
        target.query.push_back(std::move(parameter));
    }
    return std::nullopt;
}

/// How many bytes a sequence that starts so has; 0: none does.
std::size_t utf8_length(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

/// Overlong forms, surrogates and what lies above U+10FFFF show in the second byte.
bool second_byte_fits(unsigned char first, unsigned char second) {
    switch (first) {
        case 0xE0:
            return second >= 0xA0 && second <= 0xBF;
        case 0xED:
            return second >= 0x80 && second <= 0x9F;
        case 0xF0:
            return second >= 0x90 && second <= 0xBF;
        case 0xF4:
            return second >= 0x80 && second <= 0x8F;
        default:
            return second >= 0x80 && second <= 0xBF;
    }
}

}  // namespace

std::string_view to_string(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::delete_:
            return "DELETE";
        case Method::options:
            return "OPTIONS";
        case Method::other:
            return "OTHER";
    }
    return "OTHER";
}

void Headers::add(std::string_view name, std::string_view value) {
    if (fields_.empty()) {
        text_.reserve(512);
        fields_.reserve(16);
    }
    Field field{};
    field.name = static_cast<std::uint32_t>(text_.size());
    field.name_size = static_cast<std::uint32_t>(name.size());
    text_ += name;
    field.value = static_cast<std::uint32_t>(text_.size());
    field.value_size = static_cast<std::uint32_t>(value.size());
    text_ += value;
    fields_.push_back(field);
}

std::string_view Headers::name_of(Field const& field) const {
    return std::string_view(text_).substr(field.name, field.name_size);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    for (auto const& field : fields_)
        if (same_name(name_of(field), name))
            return std::string_view(text_).substr(field.value, field.value_size);
    return std::nullopt;
}

std::string_view Headers::get(std::string_view name) const {
    return find(name).value_or(std::string_view{});
}

std::size_t Headers::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(fields_.begin(), fields_.end(),
                      [&](Field const& field) { return same_name(name_of(field), name); }));
}

std::string_view Target::path() const {
    auto const text = std::string_view(raw);
    return text.substr(0, std::min(text.find('?'), text.size()));
}

std::optional<std::string_view> Target::parameter(std::string_view name) const {
    for (auto const& one : query)
        if (one.name == name) return one.value;
    return std::nullopt;
}

std::optional<std::string_view> parse_target(std::string_view raw, Target& target) {
    target.raw = raw;
    target.segments.clear();
    target.query.clear();
    if (raw.empty() || raw.front() != '/') return "the target must begin with /";
    for (char const c : raw) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || c == '#')
            return "the target has a character that must be percent-encoded";
    }
    auto const mark = std::min(raw.find('?'), raw.size());
    auto const path = raw.substr(0, mark);
    target.segments.reserve(8);
    auto const fault = parse_path(path, target);
    if (fault) return fault;
    return parse_query(raw.substr(std::min(mark + 1, raw.size())), target);
}

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        auto const first = static_cast<unsigned char>(text[i]);
        auto const length = utf8_length(first);
        if (length == 0 || text.size() - i < length) return false;
        for (std::size_t k = 1; k < length; ++k) {
            auto const byte = static_cast<unsigned char>(text[i + k]);
            if (k == 1 ? !second_byte_fits(first, byte) : (byte & 0xC0) != 0x80) return false;
        }
        i += length;
    }
    return true;
}

}  // namespace penstock::server
