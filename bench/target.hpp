// Which server, and what a request to it looks like on the wire.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bench/random.hpp"

namespace penstock::bench {

/// Plain HTTP only: the bench measures the server, not TLS.
struct Target {
    std::string url;
    std::string host;  ///< without brackets
    std::string port;
    std::string authority;  ///< for the Host header
    std::string api_key;    ///< empty: no Authorization header

    /// `http://host[:port][/]`; nullopt for everything else.
    static std::optional<Target> parse(std::string_view url);
};

/// A POST route, its bytes prepared up to the idempotency key: what is left per request is the
/// key, the length and the body.
class PostRoute {
public:
    PostRoute() = default;
    PostRoute(Target const& target, std::string_view path);

    /// Replaces `out`; the key is new.
    void write(std::string& out, std::string_view body, Random& keys) const;

private:
    std::string head_;
};

/// Replaces `out` by a GET of `path`.
void write_get(std::string& out, Target const& target, std::string_view path);

void append_number(std::string& out, std::int64_t value);

}  // namespace penstock::bench
