// Names for things: 128-bit ids, each kind its own type.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "domain/instant.hpp"

namespace penstock::domain {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(Uuid const&) const = default;
    /// 36 characters, lower case.
    std::string to_string() const;
    /// The 36-character form only, either case; nullopt for everything else.
    static std::optional<Uuid> parse(std::string_view text);
};

/// A UUIDv7 whose parts all come from outside: 48 bits of `at`, 18 bits of `ordinal` (the place
/// in the batch, so that ids ascend in the order of decision), 56 bits of `nonce`.
Uuid make_uuid7(Instant at, std::uint32_t ordinal, std::uint64_t nonce);

/// The smallest and the largest UUIDv7 of a millisecond: how a time filter becomes an id range.
Uuid first_uuid7(Instant at);
Uuid last_uuid7(Instant at);

/// The instant and the ordinal inside a UUIDv7.
Instant instant_of(Uuid const& id);
std::uint32_t ordinal_of(Uuid const& id);

template <class Tag>
struct Id {
    Uuid value;

    auto operator<=>(Id const&) const = default;
    std::string to_string() const { return value.to_string(); }
};

using OrganizationId = Id<struct OrganizationTag>;
using ApiKeyId = Id<struct ApiKeyTag>;
using LedgerId = Id<struct LedgerTag>;
using AccountId = Id<struct AccountTag>;
using TransferId = Id<struct TransferTag>;
using PurchaseId = Id<struct PurchaseTag>;
using HoldId = Id<struct HoldTag>;
using ProductId = Id<struct ProductTag>;
using OrderId = Id<struct OrderTag>;
using CreditOperationId = Id<struct CreditOperationTag>;
using StreamId = Id<struct StreamTag>;
using ExportId = Id<struct ExportTag>;
using EventId = Id<struct EventTag>;
using JobId = Id<struct JobTag>;

/// Who works on a job: drawn for each claim, so that a worker that lost its job cannot end it.
using LeaseId = Id<struct LeaseTag>;

/// The first 16 bytes of SHA-256(organization, Idempotency-Key): what the store indexes.
using IdempotencyKey = Id<struct IdempotencyKeyTag>;

/// SHA-256 of method, path and canonical body.
using Fingerprint = std::array<std::uint8_t, 32>;

/// SHA-256 of an API key's secret. The secret itself is never stored.
using SecretDigest = std::array<std::uint8_t, 32>;

struct UuidHash {
    std::size_t operator()(Uuid const& id) const noexcept {
        // The last eight bytes are the random ones.
        std::size_t hash;
        std::memcpy(&hash, id.bytes.data() + 8, sizeof hash);
        std::size_t front;
        std::memcpy(&front, id.bytes.data(), sizeof front);
        return hash ^ (front * 0x9e3779b97f4a7c15ULL);
    }
    template <class Tag>
    std::size_t operator()(Id<Tag> const& id) const noexcept {
        return (*this)(id.value);
    }
};

}  // namespace penstock::domain
