// WHO brings the hot ledgers of one shard home: for each its drain, its sync and, after a
// loss, its mend, epoch by epoch.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <string>

#include "cache/hot_journal.hpp"
#include "cache/hot_schedule.hpp"
#include "server/hot/drain.hpp"
#include "server/hot/hot_options.hpp"
#include "server/hot/ledger_life.hpp"
#include "server/hot/mend.hpp"
#include "server/hot/sync.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {

/// One per shard. What it is made with outlives it, and it outlives what it runs.
class HotWorkers {
public:
    HotWorkers(asio::any_io_executor executor, cache::RedisClient& redis, db::HotStore& store,
               HotSubmit submit, Clock& clock, IdSource& ids, Log& log, HotOptions const& options);
    HotWorkers(HotWorkers&&) = delete;

    /// Until it is cancelled, or the drain or the sync has ended: all have, then.
    asio::awaitable<void> run(domain::LedgerId ledger, std::int64_t epoch, HotTasks tasks);

    DrainMetrics const& drain_metrics() const { return drain_metrics_; }
    SyncMetrics const& sync_metrics() const { return sync_metrics_; }

private:
    HotLedgerParts parts_of(domain::LedgerId ledger, std::int64_t epoch);
    void tell(HotNotice const& notice);

    asio::any_io_executor executor_;
    db::HotStore& store_;
    HotSubmit submit_;
    Clock& clock_;
    IdSource& ids_;
    Log& log_;
    std::string name_;
    DrainOptions drain_;
    SyncOptions sync_;
    cache::HotJournal journal_;
    cache::HotSchedule schedule_;
    DrainMetrics drain_metrics_;
    SyncMetrics sync_metrics_;
    LogLimit failures_;
    LogLimit dead_letters_;
};

DrainOptions drain_options(HotOptions const& options);
SyncOptions sync_options(HotOptions const& options);

/// What is in force, for whoever reads the log.
void log_configuration(Log& log, HotOptions const& options);

}  // namespace penstock::server
