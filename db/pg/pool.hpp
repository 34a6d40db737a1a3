// Reads: a few pipelining connections shared by everybody on this event loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "db/pg/session.hpp"
#include "reactor/result.hpp"
#include "reactor/turnstile.hpp"

namespace penstock::db::pg {

/// Reads in line on one event loop. At the rate of one connection that is a fraction of a second.
inline constexpr std::size_t reads_waiting_max = 4'096;

/// Picks the session with the fewest segments in flight. When each has segments_max, reads wait in
/// line for at most ready_max; more than reads_waiting_max there are turned away. Reads change
/// nothing, so one whose connection was lost is sent once more on another, within its deadline.
class Pool {
public:
    Pool(asio::any_io_executor executor, ConnectionOptions options, std::size_t size,
         reactor::BackoffLimits backoff = reconnect_pauses, Session::Observer observer = nullptr);
    Pool(Pool&&) = delete;
    ~Pool();

    /// All sessions' lives; ends on cancellation.
    asio::awaitable<void> run();

    /// One statement. The error codes of Session::execute, unavailable when no connection came up
    /// before the deadline or within ready_max, and overloaded when the line is full or too slow.
    asio::awaitable<Result<Rows>> query(Statement const& statement, Params params,
                                        SteadyTime deadline);

    /// Several statements in one round trip and one snapshot each.
    asio::awaitable<SegmentAnswer> read(Segment segment, SteadyTime deadline);

    /// Waits until one session is up: false at the deadline or on cancellation.
    asio::awaitable<bool> ready(SteadyTime deadline);

    bool up() const;
    std::size_t waiting() const { return line_.waiting(); }
    std::size_t size() const { return sessions_.size(); }
    Session const& session(std::size_t index) const { return *sessions_.at(index); }

private:
    Session* least_loaded() const;  ///< null when none is up
    std::size_t capacity() const;   ///< segments in flight, over all sessions that are up
    asio::awaitable<error_code> enter(SteadyTime deadline);

    asio::any_io_executor executor_;
    milliseconds ready_max_;
    std::size_t segments_max_;
    Broadcast came_up_;
    reactor::Turnstile line_;
    std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace penstock::db::pg
