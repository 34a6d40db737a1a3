// WHICH requests count against which limit, and what a client is told about it. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cache/gcra.hpp"

namespace penstock::server {

struct Response;
struct Route;

/// What a request counts as. All but the last two belong to the route; `user` is the end user whom
/// an order names and `address` where it came from, whichever key it came with.
enum class RateClass : std::uint8_t { read, write, bulk, admin, user, address };

inline constexpr std::array rate_classes{RateClass::read,  RateClass::write, RateClass::bulk,
                                         RateClass::admin, RateClass::user,  RateClass::address};

std::string_view to_string(RateClass rate_class);

/// What the table says, else what follows from the route's size and scope. Nothing: open routes
/// are not limited.
std::optional<RateClass> rate_class_of(Route const& route);

/// What each class allows one subject; nothing where a class is not limited.
class RateLimits {
public:
    std::optional<cache::RateLimit> const& of(RateClass rate_class) const {
        return limits_[static_cast<std::size_t>(rate_class)];
    }
    void set(RateClass rate_class, std::optional<cache::RateLimit> limit) {
        limits_[static_cast<std::size_t>(rate_class)] = limit;
    }
    bool any() const;

private:
    std::array<std::optional<cache::RateLimit>, rate_classes.size()> limits_;
};

/// "100/s", "60/min", "10/h" or "5/d", and ",burst=200" behind it: without one the burst is the
/// count. The interval between requests is rounded up to whole microseconds. Nothing: it is none
/// of these, or longer than cache::window_max.
std::optional<cache::RateLimit> parse_rate(std::string_view text);

/// Where a subject stands with one limit after its request.
struct RateStanding {
    RateClass rate_class = RateClass::read;
    cache::RateLimit limit;
    cache::Admission admission;
};

/// Whole seconds, rounded up: what Retry-After says after a refusal.
unsigned retry_after_s(RateStanding const& standing);

/// RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-11 writes them: "q"
/// requests, all of which are back after "w" seconds; "r" of them are left, and no more for "t"
/// seconds.
void add_rate_headers(Response& response, std::span<RateStanding const> standings);

}  // namespace penstock::server
