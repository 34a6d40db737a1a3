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

/// Every list that has cursors: the first byte of a cursor says which list it goes on with, so that
/// another refuses it. A client may hold a cursor while the server is upgraded: new lists come
/// last.
enum class CursorKind : std::uint8_t {
    accounts = 1,
    entries,
    activity,
    credit_balances,
    credit_history,
    holds,
    jobs,
    ledgers,
    orders,
    organizations,
    api_keys,
    products,
    purchases,
    reports,
    transfers,
    account_transfers,  ///< by their place in one account's history
    streams,
    exports,
    export_audit,
    // Where the reading of an export goes on: clients never see these.
    transfers_export,
    orders_export,
    credit_history_export,
    streams_export,
    activity_export,
};

/// Packs the stable key of a list's last item:
///
///     CursorWriter(CursorKind::orders).id(uuid).text()
class CursorWriter {
public:
    explicit CursorWriter(CursorKind kind) : packed_(1, static_cast<char>(kind)) {}
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
    CursorReader(CursorKind kind, std::string_view cursor);
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
