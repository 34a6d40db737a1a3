// What a client asked: plain values, already decoded and bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/result.hpp"

namespace penstock::server {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

/// As it stands on the wire: "GET", "DELETE"…; "OTHER" for what nobody serves.
std::string_view to_string(Method method);

/// The header fields of one message: one block of text and where each field lies in it, so a
/// message costs two allocations however many fields it has.
class Headers {
public:
    void add(std::string_view name, std::string_view value);

    /// The first field of that name, in any case; nothing when there is none.
    std::optional<std::string_view> find(std::string_view name) const;
    /// The same, with "" for none.
    std::string_view get(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    std::size_t size() const { return fields_.size(); }

private:
    struct Field {
        std::uint32_t name;
        std::uint32_t name_size;
        std::uint32_t value;
        std::uint32_t value_size;
    };
    std::string_view name_of(Field const& field) const;

    std::string text_;
    std::vector<Field> fields_;
};

struct QueryParameter {
    std::string name;
    std::string value;
};

/// A request target in origin form. "/v1/a%20b?x=1" is the segments "v1", "a b" and x = "1".
struct Target {
    std::string raw;
    std::vector<std::string> segments;
    std::vector<QueryParameter> query;

    /// The raw path, without the query: what fingerprints and logs use.
    std::string_view path() const;
    std::optional<std::string_view> parameter(std::string_view name) const;
};

inline constexpr std::size_t target_segments_max = 32;
inline constexpr std::size_t target_parameters_max = 64;

/// Decodes strictly: bad percent-encoding, control characters, invalid UTF-8, a repeated
/// parameter, any form but origin form. The text says what is wrong; nothing when all is well.
std::optional<std::string_view> parse_target(std::string_view raw, Target& target);

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// W3C trace context, version 00 fields in lower-case hex.
struct Traceparent {
    std::string trace_id;   ///< 32 digits
    std::string parent_id;  ///< 16 digits
    std::uint8_t flags = 0;
};

struct Request {
    Request() = default;  // not an aggregate: g++ 12 must never see one as a coroutine argument

    Method method = Method::get;
    Target target;
    Headers headers;
    std::string body;
    bool keep_alive = true;
    bool secure = false;       ///< arrived over TLS
    std::string peer_ip;       ///< without port
    SteadyTime received_at{};  ///< when its header was complete
    std::string request_id;    ///< X-Request-Id, or one of ours
    std::optional<Traceparent> traceparent;
};

}  // namespace penstock::server
