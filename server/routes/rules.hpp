// What texts of the API may look like.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/json_reader.hpp"

namespace penstock::server::routes {

inline constexpr std::size_t address_bytes_max = 128;
inline constexpr std::size_t reference_bytes_max = 255;
inline constexpr std::size_t name_bytes_max = 200;

inline bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// An address that a client may create.
inline bool is_client_address(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_word(c) || c == '.' || c == '_' || c == ':' || c == '-';
    });
}

/// An address that a client may name as payer or receiver.
inline bool is_payable_address(std::string_view text) {
    return text == "@platform" || is_client_address(text);
}

inline bool is_ledger_name(std::string_view text) {
    if (text.empty() || text.size() > 63 || text.front() == '-') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

inline bool is_asset_code(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_word(c) || c == '_' || c == '-' || c == '.'; });
}

/// Text for people: no control characters.
inline bool is_printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

inline constexpr std::string_view address_expected =
    "must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -";
inline constexpr std::string_view payable_expected =
    "must be an account's address (of system accounts, only @platform)";

/// Whom a client may name as payer or receiver.
inline std::string read_payable(JsonObject& in, std::string_view name) {
    return in.text(name, 1, address_bytes_max, is_payable_address, payable_expected);
}

inline std::optional<std::string> read_reference(JsonObject& in) {
    return in.optional_text("reference", 1, reference_bytes_max, is_printable,
                            "must not hold control characters");
}

}  // namespace penstock::server::routes
