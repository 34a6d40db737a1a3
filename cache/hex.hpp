// Bytes as hexadecimal digits, and back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::cache {

template <std::size_t Size>
std::string hex_of(std::array<std::uint8_t, Size> const& bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * Size);
    for (auto const byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 0xF];
    }
    return text;
}

/// False: the text is not exactly the lower-case digits of so many bytes.
template <std::size_t Size>
bool read_hex(std::string_view text, std::array<std::uint8_t, Size>& bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (text.size() != 2 * Size) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const digit = digits.find(text[i]);
        if (digit == digits.npos) return false;
        bytes[i / 2] = static_cast<std::uint8_t>(16U * bytes[i / 2] + digit);
    }
    return true;
}

}  // namespace penstock::cache
