// WHAT the headers of a request ask for, each judged by a pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/request.hpp"
#include "server/http/response.hpp"

namespace penstock::server {

/// application/json, alone or with charset=utf-8.
bool is_json(std::string_view content_type);

/// Does this Accept allow that media type ("application/json")? An absent header allows all.
/// The most specific range decides and q=0 excludes.
bool accepts(std::string_view accept, std::string_view type);

/// 1–128 visible ASCII characters.
bool is_request_id(std::string_view text);

/// 1–255 characters of [\x21-\x7E].
bool is_idempotency_key(std::string_view text);

/// Version 00, or a later one that begins like it; all-zero ids are invalid.
std::optional<Traceparent> parse_traceparent(std::string_view text);

/// Request-Timeout-Ms: 1 … 600000.
std::optional<milliseconds> parse_timeout(std::string_view text);

/// The secret of "Authorization: Bearer <key>"; nothing for another scheme or a malformed one.
std::optional<std::string_view> bearer(std::string_view authorization);

/// Which foreign origins may read answers. No origin: no CORS header is ever sent.
class Cors {
public:
    Cors() = default;
    /// Exact origins ("https://shop.example"), or "*" for any.
    explicit Cors(std::vector<std::string> origins);

    bool enabled() const { return any_ || !origins_.empty(); }

    /// Adds what the browser needs to an answer of any status. `preflight` is the requested
    /// method of an OPTIONS request, "" otherwise; its answer's Allow is what it may use.
    void decorate(std::string_view origin, std::string_view preflight, Response& response) const;

private:
    bool allows(std::string_view origin) const;

    std::vector<std::string> origins_;
    bool any_ = false;
};

}  // namespace penstock::server
