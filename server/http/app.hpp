// What HTTP needs from the program behind it, and what it tells whoever watches.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "reactor/counters.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"

namespace penstock::server {

/// The program behind the sessions of one shard. It outlives them.
class App {
public:
    virtual ~App() = default;

    /// Asked when the header is complete and a body follows (`body` is still empty): the most
    /// bytes it may have. More is 413, decided on Content-Length before a byte of it is read.
    virtual std::size_t body_max(Request const& head) const = 0;

    /// Answers one request. Requests of one connection come one after the other. What it throws
    /// becomes 500 `internal`.
    virtual asio::awaitable<Response> handle(Request request) = 0;
};

/// One answered request, for access logs and latency histograms. The views end with the call.
struct Access {
    Method method = Method::other;
    std::string_view path;   ///< raw, without the query
    std::string_view route;  ///< Response::route; "" when no route was found
    std::string_view request_id;
    std::string_view trace_id;  ///< "" without a valid traceparent
    std::string_view peer_ip;
    unsigned status = 0;
    std::chrono::nanoseconds duration{0};  ///< from complete header to serialised answer or end
    std::uint64_t bytes_in = 0;            ///< of the body
    std::uint64_t bytes_out = 0;           ///< of the body
};

/// Called on the shard's thread, between awaits: be quick and do not throw.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void answered(Access const& access) = 0;
    /// A handler let an exception escape: the client gets 500 and nothing of this text.
    virtual void handler_failed(std::string_view request_id, std::string_view what) = 0;
    /// The acceptor cannot accept (out of descriptors, …) and waits before it tries again.
    virtual void accept_failed(std::string_view what) = 0;
};

/// What one listener counts about itself.
struct HttpMetrics {
    reactor::Count connections;          ///< accepted
    reactor::Count connections_open;     ///< a gauge
    reactor::Count connections_refused;  ///< above the limit
    reactor::Count requests;
    reactor::Count bad_requests;  ///< refused by the session: 400, 413, 431
    reactor::Count streams;       ///< a gauge: bodies that are being pulled from their source
    reactor::Count timeouts_idle;
    reactor::Count timeouts_header;
    reactor::Count timeouts_body;
    reactor::Count timeouts_write;
    reactor::Count handshakes_failed;
    reactor::Count bytes_read;
    reactor::Count bytes_written;
    reactor::Count writes;  ///< fewer than requests when clients pipeline
};

}  // namespace penstock::server
