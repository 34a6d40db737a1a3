// The one write path: a collector's batch is loaded, decided and committed on one writer.
#pragma once

#include <memory>
#include <vector>

#include "db/store.hpp"
#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "reactor/collector.hpp"
#include "server/clock.hpp"

namespace penstock::server {

struct LaneOptions {
    reactor::BatchLimits batch;
    int attempts_max = 8;                ///< of one batch, before its items stand alone
    milliseconds step_deadline{10'000};  ///< of one load or one commit
    std::chrono::hours key_retention{24};
};

/// What a lane counts, per instance. Phases in Histogram::duration_unit.
struct LaneMetrics {
    reactor::Histogram load;
    reactor::Histogram decide;
    reactor::Histogram commit;
    reactor::Histogram order_insert;  ///< the commits that write orders of flash sales
    reactor::Count commits;
    reactor::Count commands;
    reactor::Count retries;          ///< serialization, deadlock, a key another server took
    reactor::Count splits;           ///< batches halved because the database refused one command
    reactor::Count unknown_commits;  ///< answered 503 because the truth could not be had
};

/// Owns one writer and one collector. A hot account never contends with itself inside a process,
/// because everything of one ledger goes through the same lane.
class Lane {
public:
    Lane(asio::any_io_executor executor, db::Store& store, Clock& clock, LaneOptions options);
    Lane(Lane&&) = delete;

    /// The outcome once it is durable. Errors: overloaded (nothing was done), deadline_exceeded
    /// and commit_unknown (it may be done: the same key is safe), unavailable.
    asio::awaitable<Result<domain::Outcome>> submit(domain::Envelope envelope, SteadyTime deadline);

    /// Ends on cancellation, or after close() when everything queued has been answered.
    asio::awaitable<void> run();
    void close() { collector_.close(); }

    std::size_t queued() const { return collector_.metrics().queue_weight.get(); }
    LaneMetrics const& metrics() const { return metrics_; }
    reactor::CollectorMetrics const& collector_metrics() const { return collector_.metrics(); }
    /// Of its writer's connection; null where there is none.
    db::pg::SessionMetrics const* connection_metrics() const {
        return writer_->connection_metrics();
    }

private:
    using Batch = std::vector<domain::Envelope>;
    using Outcomes = std::vector<Result<domain::Outcome>>;

    asio::awaitable<Outcomes> execute(Batch batch);
    asio::awaitable<error_code> attempt(Batch const& batch, Outcomes& outcomes);
    asio::awaitable<Outcomes> execute_halves(Batch batch);
    domain::Changes decide(Batch const& batch, domain::Loaded loaded, Outcomes& outcomes);

    asio::any_io_executor executor_;
    Clock& clock_;
    LaneOptions options_;
    std::unique_ptr<db::Writer> writer_;
    LaneMetrics metrics_;
    domain::Stamp last_stamp_;
    reactor::Collector<domain::Envelope, domain::Outcome> collector_;
};

}  // namespace penstock::server
