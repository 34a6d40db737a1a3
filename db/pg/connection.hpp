// One life of a connection: PGconn in non-blocking pipeline mode on the event loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/pg/error.hpp"
#include "db/pg/metrics.hpp"
#include "db/pg/options.hpp"
#include "db/pg/segment.hpp"
#include "reactor/borrowed_fd.hpp"
#include "reactor/promise.hpp"
#include "reactor/pulse.hpp"

struct pg_conn;  // libpq's PGconn

namespace penstock::db::pg {

struct Finish {
    void operator()(::pg_conn* connection) const;
};
using ConnectionHandle = std::unique_ptr<::pg_conn, Finish>;

/// Opens a session with all settings in its startup packet: no further round trip. Tries the
/// candidates in order, each within its share of the time that is left. Ordinary mode.
asio::awaitable<Answer<ConnectionHandle>> dial(ConnectionOptions options, SteadyTime deadline);

/// A dialled connection at work. Session owns it and is what the program uses.
class Connection {
public:
    /// What is in flight. Shared by the pipeline and whoever waits; the waiter may leave first.
    class Pending;

    Connection(asio::any_io_executor executor, ConnectionHandle dialled,
               ConnectionOptions const& options, SessionMetrics& metrics);
    Connection(Connection&&) = delete;
    ~Connection();

    /// Reads, writes and watches until the connection is lost, dropped or this is cancelled;
    /// whatever was in flight has failed when it returns.
    asio::awaitable<void> run();

    /// Hands the segment to libpq at once, without waiting. A statement's first use prepares it
    /// in front of the segment, under a Sync of its own, so that a failing segment never takes a
    /// prepared statement with it. Fails with overloaded or connection_lost: nothing was sent.
    Answer<std::shared_ptr<Pending>> send(Segment const& segment);

    /// The answer; at the deadline the segment is abandoned (its answer will be drained):
    /// deadline_exceeded, or commit_unknown if it commits.
    static asio::awaitable<SegmentAnswer> receive(std::shared_ptr<Pending> pending,
                                                  SteadyTime deadline);

    /// Ends this life now; the server rolls back what is open.
    void drop(std::string reason);

    bool alive() const { return !lost_; }
    std::size_t depth() const { return in_flight_.size(); }
    Failure const& reason() const { return reason_; }  ///< why it ended

private:
    struct Prepared;

    asio::awaitable<void> read_loop();
    asio::awaitable<void> write_loop();
    asio::awaitable<void> watch_loop();

    bool prepare(Segment::Step const& step);
    bool send_step(Segment::Step const& step);
    bool send_sync();
    std::shared_ptr<Pending> enqueue(std::shared_ptr<Pending> pending);
    void send_rollback();
    void push();

    void deliver_results();
    static void on_notice(void* self, ::pg_result const* notice);
    void on_result(Rows rows, ::pg_result const* result);
    void on_end_of_statement();
    void on_sync();
    void settle(Pending& pending);
    void note_prepared(Pending const& pending);
    void explain(Failure& failure) const;
    void leave_no_transaction(Pending const& pending);
    void lose(Failure reason);
    void fail_all();

    ConnectionOptions const& options_;
    SessionMetrics& metrics_;
    ConnectionHandle connection_;  // before socket_: the descriptor is forgotten first
    reactor::BorrowedFd socket_;
    reactor::Pulse written_;  ///< there is something to flush
    std::deque<std::shared_ptr<Pending>> in_flight_;
    std::unordered_map<std::string_view, Prepared> prepared_;
    SteadyTime head_since_ = never;
    std::size_t nulls_ = 0;
    bool lost_ = false;
    std::optional<Failure> farewell_;  ///< what the server said when it ended the session
    Failure reason_;
    asio::any_io_executor executor_;
};

}  // namespace penstock::db::pg
