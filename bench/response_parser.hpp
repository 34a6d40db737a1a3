// Is the answer complete, and is it HTTP: a small strict parser of HTTP/1.1 responses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::bench {

struct Response {
    int status = 0;
    std::string_view body;  ///< into the received bytes, or into the parser when it was chunked
    std::optional<unsigned> retry_after_s;
    bool keep_alive = true;
    bool replayed = false;  ///< Idempotent-Replayed: true
};

enum class ParseState { incomplete, complete, malformed };

/// Fed with all bytes of one response so far, as often as new ones arrive; it remembers how far
/// it came. What it does not understand is malformed, not guessed: a bench that is lenient would
/// hide a server's fault.
class ResponseParser {
public:
    static constexpr std::size_t head_max = 64 * 1024;
    static constexpr std::size_t body_max = 64 * 1024 * 1024;

    ResponseParser() = default;
    ResponseParser(ResponseParser&&) = delete;  // a chunked body is viewed in place

    ParseState parse(std::string_view received);

    /// Both only after `complete`.
    Response const& response() const { return response_; }
    std::size_t size() const { return size_; }

    void reset();

private:
    enum class Framing { length, chunked };

    bool parse_head(std::string_view head);
    bool parse_status_line(std::string_view line);
    bool parse_header(std::string_view name, std::string_view value);
    ParseState parse_chunks(std::string_view received);

    Response response_;
    std::size_t head_size_ = 0;  ///< 0: the head is not complete yet
    std::size_t searched_ = 0;
    std::size_t position_ = 0;  ///< chunked: where the next chunk begins
    std::size_t size_ = 0;
    std::optional<std::size_t> length_;
    Framing framing_ = Framing::length;
    std::string chunked_body_;
};

}  // namespace penstock::bench
