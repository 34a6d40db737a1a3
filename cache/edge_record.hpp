// WHAT stands in Redis under an idempotency key: who is at it, or what the answer was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "domain/ids.hpp"

namespace penstock::cache {

/// A request with this key is running. `owner` is one event loop of one process, `number` one of
/// its requests: together the token that a release is compared with.
struct EdgeMark {
    std::uint64_t owner = 0;
    std::uint64_t number = 0;

    bool operator==(EdgeMark const&) const = default;
};

/// A finished request: what a repetition is answered with if it asks for the same.
struct EdgeAnswer {
    domain::Fingerprint fingerprint{};
    unsigned status = 0;  ///< 2xx
    std::string body;

    bool operator==(EdgeAnswer const&) const = default;
};

/// monostate: neither, so whoever wrote it was not us.
using EdgeRecord = std::variant<std::monostate, EdgeMark, EdgeAnswer>;

std::string encode(EdgeMark const& mark);
std::string encode_answer(domain::Fingerprint const& fingerprint, unsigned status,
                          std::string_view body);

/// Any bytes; those of an answer are checked to the last one.
EdgeRecord read_edge_record(std::string_view bytes);

}  // namespace penstock::cache
