// Reads: a few pipelining connections shared by everybody on this event loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "db/pg/session.hpp"
#include "reactor/result.hpp"

namespace penstock::db::pg {

/// Picks the session with the fewest segments in flight. Reads change nothing, so a read whose
/// connection was lost is sent once more on another one, within its deadline.
class Pool {
public:
    Pool(asio::any_io_executor executor, ConnectionOptions options, std::size_t size,
         reactor::BackoffLimits backoff = reconnect_pauses, Session::Observer observer = nullptr);
    Pool(Pool&&) = delete;
    ~Pool();

    /// All sessions' lives; ends on cancellation.
    asio::awaitable<void> run();

    /// One statement. The error codes of Session::execute, and unavailable when no connection
    /// came up before the deadline or within ready_max.
    asio::awaitable<Result<Rows>> query(Statement const& statement, Params params,
                                        SteadyTime deadline);

    /// Several statements in one round trip and one snapshot each.
    asio::awaitable<SegmentAnswer> read(Segment segment, SteadyTime deadline);

    /// Waits until one session is up: false at the deadline or on cancellation.
    asio::awaitable<bool> ready(SteadyTime deadline);

    bool up() const;
    std::size_t size() const { return sessions_.size(); }
    Session const& session(std::size_t index) const { return *sessions_.at(index); }

private:
    Session* least_loaded() const;  ///< null when none is up

    asio::any_io_executor executor_;
    milliseconds ready_max_;
    Broadcast came_up_;
    std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace penstock::db::pg
