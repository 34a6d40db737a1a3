// HOW a response becomes bytes: a lean serialiser, because Beast's costs more than a handler.
#pragma once

#include <string>
#include <string_view>

#include "server/http/response.hpp"

namespace penstock::server {

struct Framing {
    bool head_only = false;  ///< answers HEAD: the header of GET, no body
    bool keep_alive = true;
    bool http10 = false;    ///< the client must be told of keep-alive, and knows no chunks
    std::string_view date;  ///< IMF-fixdate; "" sends none
    std::string_view request_id;
};

inline constexpr std::string_view connection_close_line = "Connection: close\r\n";

/// Appends the response, without body when it has a source. Returns the offset in `out` at which
/// one more header line may be inserted later.
std::size_t append_response(std::string& out, Response const& response, Framing const& framing);

/// Whether the pieces of its source go out as chunks.
bool is_chunked(Response const& response, bool http10);
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// "Sat, 21 Nov 2026 09:00:00 GMT".
std::string http_date(std::int64_t seconds_since_1970);

/// Bytes of the body that goes out with the header.
std::size_t body_size(Response const& response);

}  // namespace penstock::server
