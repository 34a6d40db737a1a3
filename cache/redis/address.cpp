#include "cache/redis/address.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace penstock::cache {
namespace {

constexpr std::size_t socket_path_max = 107;  // sun_path without its terminator
constexpr unsigned database_max = 65'535;

error_code invalid() { return make_error_code(boost::system::errc::invalid_argument); }

std::optional<unsigned> number(std::string_view digits, unsigned least, unsigned most) {
    unsigned value = 0;
    auto const* const end = digits.data() + digits.size();
    auto const [rest, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc{} || rest != end || value < least || value > most) return std::nullopt;
    return value;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Without percent-encoding; nothing when that is broken or hides a zero byte.
std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return std::nullopt;
            int const high = hex_value(text[i + 1]);
            int const low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return std::nullopt;
        plain += c;
    }
    return plain;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// `[user]:password@` at the front of `rest`, if there. False: it is there and broken.
bool take_login(std::string_view& rest, std::string_view authority, RedisAddress& address) {
    auto const at = authority.rfind('@');
    if (at == std::string_view::npos) return true;
    auto const login = authority.substr(0, at);
    auto const colon = login.find(':');
    if (colon == std::string_view::npos) return false;
    auto user = decoded(login.substr(0, colon));
    auto password = decoded(login.substr(colon + 1));
    if (!user || !password || password->empty()) return false;
    address.user = std::move(*user);
    address.password = std::move(*password);
    rest.remove_prefix(at + 1);
    return true;
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
bool take_host(std::string_view place, RedisAddress& address) {
    auto host_end = place.find(':');
    if (place.starts_with('[')) {
        auto const bracket = place.find(']');
        if (bracket == std::string_view::npos) return false;
        address.host = place.substr(1, bracket - 1);
        host_end = bracket + 1;
        if (host_end < place.size() && place[host_end] != ':') return false;
    } else {
        address.host = place.substr(0, host_end);
    }
    if (address.host.empty() || address.host.find_first_of(" %\t\r\n") != std::string::npos)
        return false;
    if (host_end >= place.size()) return true;
    auto const port = number(place.substr(host_end + 1), 1, 65'535);
    if (!port) return false;
    address.port = static_cast<std::uint16_t>(*port);
    return true;
}

Result<RedisAddress> parse_tcp(std::string_view rest) {
    RedisAddress address;
    if (!take_login(rest, rest.substr(0, rest.find('/')), address)) return invalid();
    auto const slash = rest.find('/');
    if (!take_host(rest.substr(0, slash), address)) return invalid();
    if (slash == std::string_view::npos || slash + 1 == rest.size()) return address;
    auto const database = number(rest.substr(slash + 1), 0, database_max);
    if (!database) return invalid();
    address.database = *database;
    return address;
}

Result<RedisAddress> parse_unix(std::string_view rest) {
    RedisAddress address;
    if (!take_login(rest, rest.substr(0, rest.find('/')), address)) return invalid();
    auto const query = rest.find('?');
    auto path = decoded(rest.substr(0, query));
    if (!path || !path->starts_with('/') || path->size() > socket_path_max) return invalid();
    address.socket_path = std::move(*path);
    if (query == std::string_view::npos) return address;
    rest.remove_prefix(query + 1);
    if (!take_prefix(rest, "db=")) return invalid();
    auto const database = number(rest, 0, database_max);
    if (!database) return invalid();
    address.database = *database;
    return address;
}

}  // namespace

std::string RedisAddress::describe() const {
    auto const suffix = "/" + std::to_string(database);
    if (!socket_path.empty()) return socket_path + suffix;
    bool const is_v6 = host.find(':') != std::string::npos;
    auto const shown = is_v6 ? "[" + host + "]" : host;
    return shown + ":" + std::to_string(port) + suffix;
}

Result<RedisAddress> parse_redis_url(std::string_view url) {
    if (take_prefix(url, "redis://")) return parse_tcp(url);
    if (take_prefix(url, "unix://")) return parse_unix(url);
    return invalid();
}

}  // namespace penstock::cache
