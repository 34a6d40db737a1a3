// WHAT is hashed piece by piece, and what is signed.
#include "server/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "domain/assert.hpp"

namespace penstock::server {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    PENSTOCK_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::Free::operator()(::evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

void Sha256::update(std::string_view bytes) {
    PENSTOCK_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
    std::array<std::uint8_t, 32> digest{};
    PENSTOCK_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return hex_of(digest);
}

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view text) {
    std::array<std::uint8_t, 32> code{};
    unsigned size = 0;
    auto const* const made =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<unsigned char const*>(text.data()), text.size(), code.data(), &size);
    PENSTOCK_ASSERT(made != nullptr && size == code.size());
    return code;
}

std::string hex_of(std::span<std::uint8_t const> bytes) {
    constexpr char const* digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (auto const byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace penstock::server
