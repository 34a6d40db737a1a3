// The only source of randomness: nonces for ids, request ids, secrets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "domain/ids.hpp"

namespace penstock::server {

class IdSource {
public:
    virtual ~IdSource() = default;
    virtual void fill(std::span<std::uint8_t> bytes) = 0;

    std::uint64_t nonce();
    /// A request id: 32 hexadecimal digits.
    std::string request_id();
    /// An API key's secret: "psk_" and 43 characters of base64url, 256 bits.
    std::string secret();
};

/// OpenSSL's generator, drawn in blocks. One per shard.
class SystemIdSource final : public IdSource {
public:
    void fill(std::span<std::uint8_t> bytes) override;

private:
    std::array<std::uint8_t, 4096> block_{};
    std::size_t left_ = 0;
};

}  // namespace penstock::server
