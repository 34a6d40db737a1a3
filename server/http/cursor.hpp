// WHERE a list goes on: opaque cursors, strict in both directions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::server {

/// RFC 4648 §5 without padding.
std::string to_base64url(std::string_view bytes);

/// Only what to_base64url makes: no padding, no other alphabet, unused bits zero.
std::optional<std::string> from_base64url(std::string_view text);

inline constexpr std::size_t cursor_bytes_max = 512;

/// Packs the stable key of a list's last item. `kind` names the list, so that the cursor of one
/// list is refused by another:
///
///     CursorWriter('t').integer(created_at_ms).id(uuid).text()
class CursorWriter {
public:
    explicit CursorWriter(char kind) : packed_(1, kind) {}
    CursorWriter& integer(std::int64_t value);
    CursorWriter& id(std::array<std::uint8_t, 16> const& uuid);
    CursorWriter& string(std::string_view value);  ///< at most 255 bytes, asserted
    std::string text() const;

private:
    std::string packed_;
};

/// Unpacks in the same order. Every getter gives a zero value once something was wrong; ask
/// complete() after the last one: malformed, of another kind, or with bytes left over is false,
/// and the answer then is 400 `invalid_cursor`.
class CursorReader {
public:
    CursorReader(char kind, std::string_view cursor);
    std::int64_t integer();
    std::array<std::uint8_t, 16> id();
    std::string string();
    bool complete() const { return valid_ && position_ == packed_.size(); }

private:
    std::string_view take(std::size_t size);

    std::string packed_;
    std::size_t position_ = 0;
    bool valid_ = false;
};

}  // namespace penstock::server
