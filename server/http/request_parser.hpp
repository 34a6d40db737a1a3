// WHERE one request ends and what is wrong with it: bytes in, a Request or a refusal out.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "server/http/problem.hpp"
#include "server/http/request.hpp"

namespace penstock::server {

enum class Progress {
    need_more,  ///< everything usable was consumed
    head,       ///< once per request: the header is complete; set body_max(), then go on
    complete,   ///< take() it
    refused,    ///< refusal() says why; the connection cannot go on
};

/// Beast's message parser with our stricter rules: exactly one Host, one Content-Length or one
/// `Transfer-Encoding: chunked`, never both, origin form only. No I/O.
class RequestParser {
public:
    RequestParser(std::size_t header_bytes_max, std::size_t header_fields_max);
    ~RequestParser();

    /// Feeds the bytes at the front of the connection's buffer; `consumed` may be dropped, the
    /// rest must come again with more behind it.
    Progress advance(std::string_view input, std::size_t& consumed);

    /// Bytes of a request were consumed and it is not taken yet.
    bool started() const;
    bool head_complete() const;
    bool expects_continue() const;
    /// What the rest of the body may be, for its deadline: its length, or the limit if chunked.
    std::size_t body_expected() const;
    bool http10() const;

    /// The most bytes the body may have; false when its Content-Length says more (413).
    bool body_max(std::size_t bytes);

    Request& request();
    /// The finished request; the parser is ready for the next one.
    Request take();
    Problem const& refusal() const;
    Progress refuse(Code code, std::string_view detail);

private:
    struct Impl;
    Progress finish_head(std::size_t used);

    std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::server
