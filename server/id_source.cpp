// The only source of randomness.
#include "server/id_source.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "domain/assert.hpp"

namespace penstock::server {

std::uint64_t IdSource::nonce() {
    std::array<std::uint8_t, 8> bytes{};
    fill(bytes);
    std::uint64_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

std::string IdSource::request_id() {
    constexpr char const* digits = "0123456789abcdef";
    std::array<std::uint8_t, 16> bytes{};
    fill(bytes);
    std::string text;
    text.reserve(2 * bytes.size());
    for (auto const byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 0xF];
    }
    return text;
}

std::string IdSource::secret() {
    constexpr char const* digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 256 bits in groups of three bytes; the last group is two bytes, three characters.
    std::array<std::uint8_t, 33> bytes{};
    fill(std::span(bytes).first(32));
    std::string text = "psk_";
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const group = (std::uint32_t{bytes[i]} << 16) | (std::uint32_t{bytes[i + 1]} << 8) |
                           std::uint32_t{bytes[i + 2]};
        for (unsigned shift : {18U, 12U, 6U, 0U}) text += digits[(group >> shift) & 63U];
    }
    text.pop_back();  // it stands for the byte that is not there
    return text;
}

void SystemIdSource::fill(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        if (left_ == 0) {
            int const done = RAND_bytes(block_.data(), static_cast<int>(block_.size()));
            PENSTOCK_ASSERT(done == 1);
            left_ = block_.size();
        }
        auto const count = std::min(left_, bytes.size());
        auto const from = std::span(block_).last(left_).first(count);
        std::copy(from.begin(), from.end(), bytes.begin());
        // A secret that was handed out does not stay here.
        std::fill(from.begin(), from.end(), std::uint8_t{0});
        left_ -= count;
        bytes = bytes.subspan(count);
    }
}

}  // namespace penstock::server
