// One connection to Redis: commands go out in one order, replies come back in the same.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cache/redis/address.hpp"
#include "cache/redis/command.hpp"
#include "cache/redis/error.hpp"
#include "cache/redis/metrics.hpp"
#include "cache/redis/reply.hpp"
#include "cache/redis/reply_reader.hpp"
#include "reactor/backoff.hpp"
#include "reactor/promise.hpp"
#include "reactor/pulse.hpp"
#include "reactor/result.hpp"

namespace penstock::cache {

struct ConnectionLimits {
    std::size_t commands_max = 16'384;        ///< in flight, abandoned ones included
    std::size_t outbox_bytes_max = 64 << 20;  ///< waiting for the socket
    ReplyLimits reply;
    milliseconds connect_max{1'000};   ///< name, socket, login and first PING together
    milliseconds response_max{2'000};  ///< a reply is owed and none comes: the connection is dead
    reactor::BackoffLimits backoff{milliseconds{20}, milliseconds{2'000}, milliseconds{1'000}};
};

/// Any number, uniformly: what makes the pauses of many clients differ.
using RandomSource = std::function<std::uint32_t()>;

/// No bound but the caller's deadline.
inline constexpr milliseconds any_time{86'400'000};

/// hiredis parses, Asio talks. The asynchronous half of hiredis is left alone: it aborts the
/// process on a reply that nobody asked for, and what arrives here is somebody else's bytes.
class Connection {
public:
    Connection(asio::any_io_executor executor, RedisAddress address, ConnectionLimits limits,
               RandomSource random, RedisMetrics& metrics);
    Connection(Connection&&) = delete;
    ~Connection();  ///< after run() has ended; who still waits for a reply gets connection_lost

    /// The connection's one background life: connects, and again after each loss; ends on
    /// cancellation.
    asio::awaitable<void> run();

    /// The reply, error replies included; or unavailable (it was not sent), overloaded (same),
    /// connection_lost (it may have happened), deadline_exceeded (it may still happen): at the
    /// deadline, or earlier, when Redis had `reply_max` for it. That is counted from when the
    /// command was written, and over only when what lay in the socket by then was read: the time
    /// for which this event loop itself was late is nobody's but ours.
    asio::awaitable<Result<Reply>> execute(Command command, SteadyTime deadline,
                                           milliseconds reply_max = any_time);

    /// Sends a command whose reply nobody waits for; it costs neither a timer nor a wake-up, and
    /// goes out in order with the others. False: it was not taken, and nothing was done.
    bool post(Command const& command);

    /// Connected and logged in?
    bool up() const { return up_; }

    /// Returns once up(), or at the deadline: false then, as when cancelled.
    asio::awaitable<bool> up_before(SteadyTime deadline);

    /// Drops the connection, so that the next one may find a better server.
    void reopen();

    /// What went wrong last, for logs; empty when nothing did. Never holds the password.
    std::string const& complaint() const { return complaint_; }

private:
    using Socket = asio::basic_stream_socket<asio::generic::stream_protocol>;
    using Endpoint = asio::generic::stream_protocol::endpoint;
    using Endpoints = std::vector<Endpoint>;
    /// What a caller and its command share; either may end first.
    struct Pending {
        explicit Pending(asio::any_io_executor executor) : reply(std::move(executor)) {}
        reactor::Promise<Reply> reply;
        SteadyTime written_at = never;  ///< when its write began
    };
    struct InFlight {
        std::shared_ptr<Pending> pending;  ///< null: posted
        SteadyTime since;
    };

    using Done = std::monostate;  ///< a Result<bool> cannot be made of an error_code

    bool takes(Command const& command) const;
    void send(Command const& command, std::shared_ptr<Pending> pending);
    void note_write();

    asio::awaitable<Result<Done>> connect();
    asio::awaitable<Result<Endpoints>> endpoints();
    asio::awaitable<Result<Endpoints>> look_up();
    asio::awaitable<error_code> greet();
    std::size_t encode_greeting(std::string& out) const;

    asio::awaitable<void> exchange();
    asio::awaitable<void> read_loop();
    asio::awaitable<void> write_loop();
    asio::awaitable<void> watch_silence();
    bool settle_replies();
    SteadyTime silent_at() const;

    void went_up();
    void went_down();
    void fail_all();
    error_code complain(std::string complaint, error_code code);

    asio::any_io_executor executor_;
    RedisAddress address_;
    ConnectionLimits limits_;
    RandomSource random_;
    RedisMetrics& metrics_;

    Socket socket_;
    std::unique_ptr<ReplyReader> reader_;  ///< a new one per connection
    bool up_ = false;
    std::vector<std::shared_ptr<reactor::Promise<Done>>> wait_for_up_;
    std::string complaint_;

    std::string outbox_;      ///< the next write
    std::string sending_;     ///< the present write
    std::size_t unsent_ = 0;  ///< how many of the youngest in flight are still in outbox_
    reactor::Pulse outbox_filled_;
    std::deque<InFlight> in_flight_;
    SteadyTime last_reply_at_{};
};

}  // namespace penstock::cache
