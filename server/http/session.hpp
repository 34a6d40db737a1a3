// WHO talks to one client: a session per connection, and what the sessions of a shard share.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <list>
#include <string>

#include "server/http/app.hpp"
#include "server/http/listener.hpp"

namespace penstock::server {

/// What the shard's one timer sees of a session. It lives as long as its connection.
class SessionBase {
public:
    virtual ~SessionBase() = default;
    /// Ends the connection: its phase has lasted too long.
    virtual void expire() = 0;
    /// The shard drains: whoever waits for a new request stops waiting.
    virtual void drain() = 0;
    SteadyTime deadline() const { return deadline_; }

protected:
    SteadyTime deadline_ = never;
};

struct SessionShard {
    SessionShard(ListenerOptions const& o, App& a, Observer& b) : options(o), app(a), observer(b) {}

    ListenerOptions const& options;
    App& app;
    Observer& observer;
    HttpMetrics metrics;
    std::list<SessionBase*> sessions;
    std::string date;  ///< for the Date header, refreshed by the sweep
    bool draining = false;
};

/// One connection from its first byte to its close; ends early on cancellation.
asio::awaitable<void> serve_plain(SessionShard& shard, asio::ip::tcp::socket socket);
asio::awaitable<void> serve_tls(SessionShard& shard, asio::ip::tcp::socket socket);

}  // namespace penstock::server
