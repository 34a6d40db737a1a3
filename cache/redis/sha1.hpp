// SHA-1 at compile time: the name under which Redis keeps a script.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::cache {

/// FIPS 180-4 §6.1, in 40 lower-case hexadecimal digits. No secret depends on it.
class Sha1 {
public:
    using Hex = std::array<char, 40>;

    static constexpr Hex hex(std::string_view text) {
        Sha1 sha1;
        std::size_t const blocks = (text.size() + 8) / 64 + 1;
        for (std::size_t block = 0; block < blocks; ++block) sha1.mix(text, block * 64, blocks);
        return sha1.digits();
    }

private:
    /// Byte `i` of the padded message: the text, 0x80, zeros, and its length in bits.
    static constexpr std::uint32_t byte(std::string_view text, std::size_t i, std::size_t blocks) {
        if (i < text.size()) return static_cast<unsigned char>(text[i]);
        if (i == text.size()) return 0x80;
        std::size_t const from_end = blocks * 64 - 1 - i;
        if (from_end >= 8) return 0;
        return static_cast<unsigned char>((std::uint64_t{text.size()} * 8) >> (from_end * 8));
    }

    constexpr void mix(std::string_view text, std::size_t at, std::size_t blocks) {
        std::array<std::uint32_t, 80> w{};
        for (std::size_t i = 0; i < 16; ++i)
            for (std::size_t j = 0; j < 4; ++j)
                w[i] = (w[i] << 8) | byte(text, at + i * 4 + j, blocks);
        for (std::size_t i = 16; i < 80; ++i)
            w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

        auto [a, b, c, d, e] = state_;
        for (std::size_t i = 0; i < 80; ++i) {
            auto const next = std::rotl(a, 5) + choose(i, b, c, d) + e + constants_[i / 20] + w[i];
            e = d;
            d = c;
            c = std::rotl(b, 30);
            b = a;
            a = next;
        }
        std::array<std::uint32_t, 5> const mixed{a, b, c, d, e};
        for (std::size_t i = 0; i < 5; ++i) state_[i] += mixed[i];
    }

    static constexpr std::uint32_t choose(std::size_t round, std::uint32_t b, std::uint32_t c,
                                          std::uint32_t d) {
        if (round < 20) return (b & c) | (~b & d);
        if (round >= 40 && round < 60) return (b & c) | (b & d) | (c & d);
        return b ^ c ^ d;
    }

    constexpr Hex digits() const {
        Hex hex{};
        for (std::size_t i = 0; i < hex.size(); ++i)
            hex[i] = "0123456789abcdef"[(state_[i / 8] >> (28 - 4 * (i % 8))) & 0xF];
        return hex;
    }

    static constexpr std::array<std::uint32_t, 4> constants_{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC,
                                                             0xCA62C1D6};
    std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
};

}  // namespace penstock::cache
