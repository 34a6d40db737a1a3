// WHERE a list goes on: base64url both ways, and the packing of keys.
#include "server/http/cursor.hpp"

#include "domain/assert.hpp"

namespace penstock::server {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_values() {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}
constexpr auto values_of = make_values();

}  // namespace

std::string to_base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t pending = 0;
    int bits = 0;
    for (char const c : bytes) {
        pending = (pending << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(pending >> (bits - 6)) & 63];
    }
    if (bits > 0) text += alphabet[(pending << (6 - bits)) & 63];
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    int bits = 0;
    for (char const c : text) {
        int const value = values_of[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        pending = (pending << 6) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((pending >> bits) & 0xFF);
    }
    if ((pending & ((1U << bits) - 1)) != 0) return std::nullopt;
    return bytes;
}

CursorWriter& CursorWriter::integer(std::int64_t value) {
    auto const bits = static_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8)
        packed_ += static_cast<char>((bits >> shift) & 0xFF);
    return *this;
}

CursorWriter& CursorWriter::id(std::array<std::uint8_t, 16> const& uuid) {
    for (auto const byte : uuid) packed_ += static_cast<char>(byte);
    return *this;
}

CursorWriter& CursorWriter::string(std::string_view value) {
    PENSTOCK_ASSERT(value.size() <= 255);
    packed_ += static_cast<char>(value.size());
    packed_ += value;
    return *this;
}

std::string CursorWriter::text() const { return to_base64url(packed_); }

CursorReader::CursorReader(CursorKind kind, std::string_view cursor) {
    if (cursor.size() > cursor_bytes_max) return;
    auto bytes = from_base64url(cursor);
    if (!bytes || bytes->empty() || bytes->front() != static_cast<char>(kind)) return;
    packed_ = std::move(*bytes);
    position_ = 1;
    valid_ = true;
}

std::string_view CursorReader::take(std::size_t size) {
    if (!valid_ || packed_.size() - position_ < size) {
        valid_ = false;
        return {};
    }
    auto const bytes = std::string_view(packed_).substr(position_, size);
    position_ += size;
    return bytes;
}

std::int64_t CursorReader::integer() {
    std::uint64_t bits = 0;
    for (char const c : take(8)) bits = (bits << 8) | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(bits);
}

std::array<std::uint8_t, 16> CursorReader::id() {
    std::array<std::uint8_t, 16> uuid{};
    std::size_t i = 0;
    for (char const c : take(16)) uuid[i++] = static_cast<std::uint8_t>(c);
    return uuid;
}

std::string CursorReader::string() {
    auto const size = take(1);
    if (size.empty()) return {};
    return std::string(take(static_cast<unsigned char>(size.front())));
}

}  // namespace penstock::server
