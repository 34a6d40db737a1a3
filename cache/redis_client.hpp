// How the rest of the program asks Redis: an answer soon, or a "no" at once.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <string>
#include <vector>

#include "cache/breaker.hpp"
#include "cache/redis/connection.hpp"
#include "cache/redis/script.hpp"

namespace penstock::cache {

struct RedisClientOptions {
    RedisAddress address;
    ConnectionLimits connection;
    BreakerLimits breaker;
    /// How long a command may take before Redis, not the command, is at fault: whatever deadline
    /// the caller has, the client stops waiting then.
    milliseconds patience{100};
};

/// One per shard: a connection, its circuit breaker and its metrics. Redis away or stuck costs a
/// few callers `patience` and everyone after them microseconds. Callers end before the client.
class RedisClient {
public:
    RedisClient(asio::any_io_executor executor, RedisClientOptions options, RandomSource random);
    RedisClient(RedisClient&&) = delete;

    /// The client's one background life; ends on cancellation.
    asio::awaitable<void> run() { return connection_.run(); }

    /// The reply, which is never an error reply. Failures: those of Connection::execute, with
    /// refused_by_redis and the text for an error reply, and unavailable while the breaker is open.
    /// deadline_exceeded before the deadline: Redis took longer than `reply_max`, or than patience.
    asio::awaitable<Answer<Reply>> command(Command command, SteadyTime deadline,
                                           milliseconds reply_max = any_time);

    /// A command whose reply nobody needs, in order with the others. False: not connected, or the
    /// queue is full, and nothing was done. The breaker is not asked: nobody waits.
    bool post(Command const& command) { return connection_.post(command); }

    /// Runs a script by its hash; the first time after a start or flush of the server, by its text.
    asio::awaitable<Answer<Reply>> eval(Script const& script, std::vector<std::string> keys,
                                        std::vector<std::string> arguments, SteadyTime deadline,
                                        milliseconds reply_max = any_time);

    /// No error: Redis answers.
    asio::awaitable<error_code> ping(SteadyTime deadline);

    asio::awaitable<bool> up_before(SteadyTime deadline) { return connection_.up_before(deadline); }

    bool up() const { return connection_.up(); }
    BreakerState breaker_state() const { return breaker_.state(); }
    std::string const& complaint() const { return connection_.complaint(); }
    RedisMetrics const& metrics() const { return metrics_; }

private:
    Failure failed(error_code code);
    Failure refused(std::string text);
    void show_breaker();

    RedisMetrics metrics_;
    Breaker breaker_;
    Connection connection_;
    milliseconds patience_;
};

}  // namespace penstock::cache
