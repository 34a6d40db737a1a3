// Where Redis is and how to log in: a URL, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reactor/result.hpp"

namespace penstock::cache {

/// Holds the password and never shows it.
struct RedisAddress {
    std::string host = "127.0.0.1";  ///< a name or an address, without brackets
    std::uint16_t port = 6379;
    std::string socket_path;  ///< not empty: a unix socket, and host and port mean nothing
    std::string user;         ///< empty: the default user
    std::string password;
    unsigned database = 0;

    /// "host:port/database", for logs.
    std::string describe() const;

    bool operator==(RedisAddress const&) const = default;
};

/// `redis://[[user]:password@]host[:port][/database]` or
/// `unix://[[user]:password@]/path.sock[?db=n]`; user, password and path may be percent-encoded.
/// invalid_argument for anything else, and no text, which might quote the password.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace penstock::cache
