// WHAT is hashed piece by piece, and what is signed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace penstock::server {

/// SHA-256 of what comes in pieces.
class Sha256 {
public:
    Sha256();
    void update(std::string_view bytes);
    /// Ends it: 64 digits of lower-case hex.
    std::string hex();

private:
    struct Free {
        void operator()(::evp_md_ctx_st* context) const;
    };
    std::unique_ptr<::evp_md_ctx_st, Free> context_;
};

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view text);

/// Lower-case hex.
std::string hex_of(std::span<std::uint8_t const> bytes);

/// In a time that does not tell where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace penstock::server
