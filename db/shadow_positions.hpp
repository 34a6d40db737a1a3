// WHETHER the shadow has what was acknowledged, by whichever server: in the primary each writer
// says how far its commits are, in the shadow how far they have been applied.
//
// Both are written by the transaction that they speak of, so they hold across servers, and for a
// server that was killed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "db/pg/pool.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db {

/// One commit of one writer of this server.
struct ShadowMark {
    std::int32_t writer = 0;
    std::int64_t position = 0;
};

/// Part of the transaction that is marked.
void mark_committed(pg::Segment& segment, std::string const& server, ShadowMark mark);

/// How far the writers of one event loop are.
class ShadowMarks {
public:
    void handled(ShadowMark mark);
    /// What follows is not marked until a backfill has brought this one.
    void left_out(ShadowMark mark);
    /// Part of the transaction that applies what was handled.
    void add_to(pg::Segment& segment, std::string const& server) const;

private:
    struct Writer {
        std::int64_t handled = 0;
        std::int64_t left_out = 0;
    };
    std::map<std::int32_t, Writer> writers_;
};

/// Asks both databases, by connections of its own.
class ShadowPositions {
public:
    ShadowPositions(asio::any_io_executor executor, pg::ConnectionOptions source,
                    pg::ConnectionOptions target, reactor::BackoffLimits backoff);

    /// The connections; ends on cancellation.
    asio::awaitable<void> run();

    /// Is the shadow a whole copy, with everything that any server has acknowledged before this
    /// call? Waits for what is on its way until the deadline; false when nobody can say.
    asio::awaitable<bool> reached(SteadyTime deadline);

private:
    asio::any_io_executor executor_;
    pg::Pool source_;
    pg::Pool target_;
    SteadyTime impatient_until_{};
};

}  // namespace penstock::db
