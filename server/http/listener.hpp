// WHERE connections come from: one acceptor per shard, and the sessions that it starts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "reactor/result.hpp"
#include "server/http/app.hpp"
#include "server/http/negotiation.hpp"

namespace boost::asio::ssl {
class context;
}

namespace penstock::server {

/// Every bound of a connection. A phase that takes longer ends the connection.
struct HttpLimits {
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t header_fields_max = 100;
    std::size_t connections_max = 20'000;           ///< per shard; above it 503 and close
    std::uint64_t requests_per_connection_max = 0;  ///< 0: no limit
    std::size_t write_coalesce_bytes = 64 * 1024;   ///< answers are written at least that often
    std::size_t linger_bytes_max = 16 << 20;        ///< read and dropped before a close
    std::size_t rate_min = 16 * 1024;     ///< bytes per second that body and write must sustain
    milliseconds idle_timeout{75'000};    ///< between requests
    milliseconds header_timeout{10'000};  ///< first to last byte of a header
    milliseconds body_timeout{15'000};    ///< plus its size at rate_min
    milliseconds write_timeout{15'000};   ///< plus its size at rate_min
    milliseconds handshake_timeout{10'000};
    milliseconds linger_timeout{2'000};  ///< for the client to read our last words
    milliseconds sweep_period{250};      ///< how coarse those are: one timer for all sessions
};

struct ListenerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  ///< 0: any; see Listener::port()
    /// Another listener of this process has the port already, and this one shares its clients.
    bool joins = false;
    HttpLimits limits;
    Cors cors;
    std::shared_ptr<asio::ssl::context> tls;       ///< null: plain TCP
    std::function<std::int64_t()> unix_seconds;    ///< for Date; unset: no Date header
    std::function<std::string()> make_request_id;  ///< must be set
};

/// A server context, TLS 1.2 or later. Throws boost::system::system_error naming the file.
std::shared_ptr<asio::ssl::context> make_tls(std::string const& certificate_chain_file,
                                             std::string const& private_key_file);

/// One acceptor and its sessions. Bound and listening when constructed; throws std::runtime_error
/// with a sentence when that fails, above all when somebody listens there already. The first
/// listener of a process takes the port alone, which of several processes one succeeds in, however
/// close they start; from then on the kernel lets those of the other shards join it (SO_REUSEPORT).
class Listener {
public:
    Listener(asio::any_io_executor executor, ListenerOptions options, App& app, Observer& observer);
    Listener(Listener&&) = delete;
    ~Listener();

    std::uint16_t port() const;

    /// Accepts and serves. Ends when drain() was called and the last session has ended, or on
    /// cancellation, which ends the sessions where they stand.
    asio::awaitable<void> run();

    /// Stops accepting; requests that were read are answered, with `Connection: close`, and
    /// their connections closed. True: all ended by the deadline; the others are cut off then.
    asio::awaitable<bool> drain(SteadyTime deadline);

    std::size_t sessions() const;
    HttpMetrics const& metrics() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace penstock::server
