#include "domain/ids.hpp"

namespace penstock::domain {
namespace {

constexpr std::uint64_t ordinal_bits = 18;
constexpr std::uint64_t ordinal_mask = (1u << ordinal_bits) - 1;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool dash_stands_before(std::size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

Uuid compose(Instant at, std::uint64_t ordinal, std::uint64_t nonce) {
    Uuid id;
    auto const ms = static_cast<std::uint64_t>(at.ms);
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    id.bytes[6] = static_cast<std::uint8_t>(0x70 | (ordinal >> 14));
    id.bytes[7] = static_cast<std::uint8_t>(ordinal >> 6);
    id.bytes[8] = static_cast<std::uint8_t>(0x80 | (ordinal & 0x3f));
    for (std::size_t i = 0; i < 7; ++i)
        id.bytes[9 + i] = static_cast<std::uint8_t>(nonce >> (48 - 8 * i));
    return id;
}

}  // namespace

std::string Uuid::to_string() const {
    constexpr char digits[] = "0123456789abcdef";
    std::string text(36, '-');
    std::size_t at = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (dash_stands_before(i)) ++at;
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 15];
    }
    return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (dash_stands_before(i) && text[at++] != '-') return std::nullopt;
        int const high = hex_value(text[at]);
        int const low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
        at += 2;
    }
    return id;
}

Uuid make_uuid7(Instant at, std::uint32_t ordinal, std::uint64_t nonce) {
    return compose(at, ordinal & ordinal_mask, nonce);
}

Uuid first_uuid7(Instant at) { return compose(at, 0, 0); }

Uuid last_uuid7(Instant at) { return compose(at, ordinal_mask, ~std::uint64_t{0}); }

Instant instant_of(Uuid const& id) {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
    return {ms};
}

std::uint32_t ordinal_of(Uuid const& id) {
    return (id.bytes[6] & 0x0fu) << 14 | static_cast<std::uint32_t>(id.bytes[7]) << 6 |
           (id.bytes[8] & 0x3fu);
}

}  // namespace penstock::domain
