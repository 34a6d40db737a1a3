// Keeps one connection to PostgreSQL alive for as long as the program runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>

#include "db/pg/broadcast.hpp"
#include "db/pg/connection.hpp"
#include "db/pg/metrics.hpp"
#include "db/pg/options.hpp"
#include "db/pg/segment.hpp"

namespace penstock::db::pg {

class Session;

/// One life of a session's connection, held across the segments of an explicit transaction: after
/// a reconnect the second segment must not run on a connection that never saw the BEGIN.
class Lease {
public:
    /// connection_lost once the connection is another one (nothing was sent).
    asio::awaitable<SegmentAnswer> execute(Segment segment, SteadyTime deadline);

    /// Ends the connection if it is still this one: what is open is rolled back by the server.
    void drop(std::string reason);

private:
    friend class Session;
    Lease(Session& session, std::uint64_t life) : session_(&session), life_(life) {}
    Session* session_;
    std::uint64_t life_;
};

/// Up or down, for whoever logs it.
struct SessionEvent {
    bool up;
    Failure const* reason;  ///< of being down; null when up
    milliseconds retry_in;  ///< until the next attempt; 0 when up
};

/// Reconnects with exponential backoff and full jitter. Every life begins with no prepared
/// statement and no open transaction.
class Session {
public:
    using Observer = std::function<void(SessionEvent const&)>;

    Session(asio::any_io_executor executor, ConnectionOptions options,
            reactor::BackoffLimits backoff = reconnect_pauses, Observer observer = nullptr);
    Session(Session&&) = delete;
    ~Session();

    /// The session's one background life; ends on cancellation, with everything failed.
    asio::awaitable<void> run();

    /// Sends at once and waits for the answer. Failures: what the server said; connection_lost
    /// (down, or lost in flight); commit_unknown; overloaded; deadline_exceeded.
    /// A segment that fails inside an explicit transaction is rolled back by the connection
    /// itself, and so is one that was abandoned at its deadline.
    asio::awaitable<SegmentAnswer> execute(Segment segment, SteadyTime deadline);

    /// For explicit transactions: all their segments go through one lease.
    Lease lease() { return Lease(*this, life_); }

    /// Waits until there is a connection: false at the deadline or on cancellation.
    asio::awaitable<bool> ready(SteadyTime deadline);

    bool up() const;
    std::size_t depth() const;
    std::size_t segments_max() const { return options_.segments_max; }
    Failure const& last_failure() const { return last_failure_; }
    SessionMetrics const& metrics() const { return metrics_; }

    /// Ends the present connection, if any; run() opens the next one.
    void drop(std::string reason);

private:
    friend class Lease;
    asio::awaitable<void> live(ConnectionHandle dialled);
    asio::awaitable<bool> pause();

    asio::any_io_executor executor_;
    ConnectionOptions options_;
    reactor::Backoff backoff_;
    Observer observer_;
    std::mt19937 random_;
    SessionMetrics metrics_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t life_ = 0;
    Failure last_failure_;
    Broadcast came_up_;
};

}  // namespace penstock::db::pg
