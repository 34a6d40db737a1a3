// HOW text is escaped in JSON.
#include "server/http/json_writer.hpp"

#include <algorithm>
#include <array>

namespace penstock::server {
namespace {

/// By byte: every text of every answer is looked through.
constexpr auto escaped = [] {
    std::array<bool, 256> table{};
    std::fill_n(table.begin(), 0x20, true);
    table['"'] = table['\\'] = true;
    return table;
}();

bool needs_escape(char c) { return escaped[static_cast<unsigned char>(c)]; }

void append_escape(std::string& out, char c) {
    constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    out += "\\u00";
    out += hex[static_cast<unsigned char>(c) >> 4];
    out += hex[static_cast<unsigned char>(c) & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!needs_escape(text[i])) continue;
        out += text.substr(plain, i - plain);
        append_escape(out, text[i]);
        plain = i + 1;
    }
    out += text.substr(plain);
    out += '"';
}

void append_uuid(std::string& out, std::array<std::uint8_t, 16> const& id) {
    constexpr char hex[] = "0123456789abcdef";
    char text[36];
    auto* at = text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
        *at++ = hex[id[i] >> 4];
        *at++ = hex[id[i] & 15];
    }
    out.append(text, sizeof text);
}

}  // namespace penstock::server
