// What a client is told: plain values, and one way to answer with more than fits in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reactor/result.hpp"

namespace penstock::server {

namespace media {
inline constexpr std::string_view json = "application/json";
inline constexpr std::string_view problem = "application/problem+json";
inline constexpr std::string_view html = "text/html; charset=utf-8";
inline constexpr std::string_view text = "text/plain; charset=utf-8";
inline constexpr std::string_view metrics = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view csv = "text/csv; charset=utf-8";
inline constexpr std::string_view ndjson = "application/x-ndjson";
inline constexpr std::string_view events = "text/event-stream";
}  // namespace media

/// A body that is pulled piece by piece: downloads and server-sent events. The session asks for
/// the next piece when the last one has been written, so a slow reader slows the source down and
/// no more than a piece waits for it. When the client goes away a next() that is waited for is
/// cancelled, and the source is destroyed.
class BodySource {
public:
    virtual ~BodySource() = default;
    /// An empty piece is the end. An error cuts the connection: the client sees a broken body,
    /// never a short one that looks whole.
    virtual asio::awaitable<Result<std::string>> next() = 0;
    /// Does not end by itself. A client that closes its side asks no more of such a source, while
    /// it may still want the rest of a download.
    virtual bool is_endless() const { return false; }
    /// The server drains: an endless source ends, also a next() that is waited for.
    virtual void finish() {}
};

/// Names are literals; a value that holds a control character is not sent.
struct ResponseHeader {
    std::string_view name;
    std::string value;
};

struct Response {
    Response() = default;
    explicit Response(unsigned code) : status(code) {}
    /// A JSON document.
    Response(unsigned code, std::string json) : status(code), body(std::move(json)) {}
    Response(unsigned code, std::string_view type, std::string text)
        : status(code), content_type(type), body(std::move(text)) {}

    Response& add(std::string_view name, std::string value) {
        headers.push_back({name, std::move(value)});
        return *this;
    }

    unsigned status = 200;
    std::string_view content_type = media::json;  ///< a literal; not sent with 204 and 304
    std::string body;
    std::shared_ptr<std::string const> shared_body;  ///< instead of `body`: a document made once
    std::unique_ptr<BodySource> source;              ///< instead of both
    std::optional<std::uint64_t> source_bytes;       ///< of the source; unknown: chunked
    std::vector<ResponseHeader> headers;
    bool close = false;      ///< ends the connection after this answer
    std::string_view route;  ///< the route's name, for the observer: static storage
};

std::string_view reason_phrase(unsigned status);

}  // namespace penstock::server
