// The program as a whole: what exists, in which order it comes up, and how it goes down.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <memory>
#include <string>
#include <vector>

#include "db/shadow_state.hpp"
#include "db/shadow_store.hpp"
#include "reactor/pulse.hpp"
#include "reactor/reactor.hpp"
#include "reactor/task_group.hpp"
#include "server/context.hpp"
#include "server/engine.hpp"
#include "server/expiry.hpp"
#include "server/options.hpp"
#include "server/periodic.hpp"
#include "server/rate_limiter.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::db {
class PostgresStore;
}

namespace penstock::server {

class JobWorker;
class JsonWriter;
struct ExportJobMetrics;
class HotKeepers;
class HotWorkers;
class LedReconciliation;

/// `penstock serve`. Members stand in the order of dependency, so destruction is the reverse.
class Application {
public:
    /// Throws UnusableOptions.
    Application(Options options, Log& log);
    Application(Application&&) = delete;
    ~Application();

    /// Serves until SIGTERM or SIGINT, then drains. 0, or what it throws: the database cannot be
    /// migrated, the address cannot be bound.
    int run();

private:
    struct Back;   ///< of one shard: clock, ids, store, redis
    struct Front;  ///< of one shard: api, listener, and the tasks that live on it

    void fit_connections();
    void prepare_schema();
    void prepare_lots();
    void prepare_shadow();
    void open_fronts();
    std::unique_ptr<Periodic> make_periodic(PeriodicOptions options, Periodic::Work work,
                                            char const* failure_event);
    Expiry::Submit lanes();
    std::unique_ptr<Expiry> make_expiry(Expiry::Submit submit, char const* failure_event);
    void make_expiries();
    void lead_reconciliation();
    void keep_hot_ledgers();
    asio::awaitable<void> reconcile_sales();
    Periodic::Work export_care();
    void make_jobs();
    asio::awaitable<void> live();
    asio::awaitable<void> start(std::size_t shard);
    asio::awaitable<Result<std::size_t>> purge(SteadyTime deadline);
    asio::awaitable<bool> store_answers(SteadyTime deadline);
    asio::awaitable<void> watch_signals();
    asio::awaitable<void> stop();
    asio::awaitable<void> stop_jobs();
    asio::awaitable<void> stop_listening(std::size_t shard, SteadyTime deadline);
    asio::awaitable<void> stop_keeping(std::size_t shard);
    asio::awaitable<void> finish(std::size_t shard, SteadyTime deadline);
    asio::awaitable<void> drain_shadow(std::size_t shard);
    void write_shadow(JsonWriter& json) const;
    void announce() const;
    std::string render_metrics() const;
    asio::awaitable<Introspection::Readiness> readiness(std::size_t shard, SteadyTime deadline);

    Options options_;
    Log& log_;
    AccessPolicy access_;
    Router router_;
    std::string openapi_;
    std::string database_identity_;  ///< known once the schema is ready
    double started_at_s_ = 0;
    reactor::Reactor reactor_;
    db::ShadowFleet fleet_;  ///< empty: there is no shadow
    std::vector<std::unique_ptr<Back>> backs_;
    Engine engine_;
    RateLimiter limiter_;
    std::vector<std::unique_ptr<Front>> fronts_;
    std::vector<std::unique_ptr<HotWorkers>> hot_workers_;  ///< by shard; none without Redis
    std::unique_ptr<HotKeepers> hot_keepers_;               ///< the same: null
    std::unique_ptr<Periodic> purge_;                       ///< on shard 0, for the whole process
    std::unique_ptr<Expiry> holds_;                         ///< the same
    std::unique_ptr<Expiry> lots_;                          ///< the same
    std::unique_ptr<Periodic> hold_expiry_;                 ///< the same
    std::unique_ptr<Periodic> lot_expiry_;                  ///< the same
    std::unique_ptr<Periodic> export_care_;                 ///< the same
    /// On shard 0; null without Redis.
    std::unique_ptr<LedReconciliation> led_reconciliation_;
    std::unique_ptr<Periodic> reconciliation_;
    std::unique_ptr<db::ShadowKeeper> shadow_keeper_;  ///< on shard 0; null without a shadow
    std::unique_ptr<ExportJobMetrics> export_metrics_;
    std::unique_ptr<db::PostgresStore> export_store_;  ///< on shard 0; null: the first shard's
    std::unique_ptr<JobWorker> worker_;  ///< on shard 0; null: another server does the jobs
    reactor::TaskGroup jobs_;
    asio::signal_set signals_;
    reactor::Pulse stopping_;
    reactor::TaskGroup supervision_;  ///< on shard 0
};

}  // namespace penstock::server
