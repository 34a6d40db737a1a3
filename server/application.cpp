// The program as a whole: composition, start, drain.
#include "server/application.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "db/credit_store.hpp"
#include "db/memory_store.hpp"
#include "db/pg/session.hpp"
#include "db/primary.hpp"
#include "reactor/deadline.hpp"
#include "server/database_digest.hpp"
#include "server/dependencies.hpp"
#include "server/descriptors.hpp"
#include "server/exports/keeper.hpp"
#include "server/exports/metrics.hpp"
#include "server/hot/desk.hpp"
#include "server/hot/keeper_metrics.hpp"
#include "server/hot/metrics.hpp"
#include "server/hot/worker_metrics.hpp"
#include "server/hot/workers.hpp"
#include "server/http/json_writer.hpp"
#include "server/jobs/reports.hpp"
#include "server/lots_at_start.hpp"
#include "server/openapi.hpp"
#include "server/part_options.hpp"
#include "server/product_reads.hpp"
#include "server/run_to_end.hpp"
#include "server/sales/metrics.hpp"
#include "server/schema.hpp"
#include "server/telemetry/shard_observer.hpp"

namespace penstock::server {
namespace {

constexpr milliseconds store_wait_max{10'000};
constexpr milliseconds store_poll_pause{20};
constexpr milliseconds lanes_close_max{5'000};
constexpr milliseconds jobs_stop_max{2'000};
constexpr milliseconds gates_told_max{500};
/// A stopping server's last batches; what is left then is a gap.
constexpr milliseconds shadow_drain_max{10'000};
constexpr milliseconds shadow_goodbye_max{2'000};
constexpr milliseconds shadow_start_max{10'000};
/// A shadow that is further behind than this is reported to be.
constexpr milliseconds shadow_behind{5'000};
/// The leader's lease, at least: longer than a pass may take.
constexpr milliseconds reconciler_lease_min{45'000};
/// One reads the next page while the other writes what was read.
constexpr std::size_t export_connections = 2;

/// Null: this server leaves the jobs to others. Exports have connections of their own: nobody's
/// request waits behind their pages.
std::unique_ptr<JobWorker> make_worker(asio::any_io_executor executor, Options const& options,
                                       db::Store& store, db::Store& of_exports, Clock& clock,
                                       IdSource& ids, Log& log, ExportJobMetrics& exports) {
    if (options.job_workers == 0) return nullptr;
    std::vector<JobKind> kinds;
    kinds.push_back(report_kind(store, clock));
    kinds.push_back(export_kind(of_exports, clock, exports, export_job_options(options)));
    return std::make_unique<JobWorker>(executor, store.jobs(), clock, ids, log, std::move(kinds),
                                       worker_options(options));
}

void write_lock_waits(MetricsWriter& out, std::string const& shard,
                      db::PostgresStore const* store) {
    if (store == nullptr) return;
    out.durations("penstock_lane_lock_wait_seconds",
                  "Until a batch has its row locks, counted from its BEGIN.", {{"shard", shard}},
                  store->lock_waits());
}

void write_redis(MetricsWriter& out, std::string const& shard, std::string const& use,
                 cache::RedisClient const* client) {
    if (client == nullptr) return;
    write_metrics(out, {{"shard", shard}, {"use", use}}, client->metrics());
}

void write_readers(MetricsWriter& out, std::string const& shard, std::string const& role,
                   db::PostgresStore const* store) {
    if (store == nullptr) return;
    auto const& readers = store->readers();
    for (std::size_t i = 0; i < readers.size(); ++i) {
        MetricsWriter::Labels const labels{
            {"shard", shard}, {"role", role}, {"session", std::to_string(i)}};
        write_metrics(out, labels, readers.session(i).metrics());
    }
    out.gauge("penstock_pg_reads_waiting", "Reads in line for a connection with room.",
              {{"shard", shard}, {"role", role}}, static_cast<double>(readers.waiting()));
}

void write_lanes(MetricsWriter& out, std::string const& shard,
                 std::vector<std::unique_ptr<Lane>> const& lanes) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        auto const& lane = *lanes[i];
        auto const number = std::to_string(i);
        MetricsWriter::Labels const own{{"shard", shard}, {"lane", number}};
        write_metrics(out, own, lane.metrics());
        write_metrics(out, own, lane.collector_metrics());
        MetricsWriter::Labels const session{
            {"shard", shard}, {"role", "write"}, {"session", number}};
        if (auto const* connection = lane.connection_metrics())
            write_metrics(out, session, *connection);
    }
}

void write_expiry(MetricsWriter& out, std::string const& work, ExpiryMetrics const& metrics) {
    MetricsWriter::Labels const labels{{"work", work}};
    out.counter("penstock_expiry_failures_total",
                "A ledger's rows that could not be ended, by try.", labels,
                static_cast<double>(metrics.failures.get()));
    out.gauge("penstock_expiry_ledgers_left_out", "Ledgers that are tried again later.", labels,
              static_cast<double>(metrics.left_out.get()));
}

}  // namespace

struct Application::Back {
    Back(asio::any_io_executor executor, Options const& options, db::ShadowFleet& fleet, Log& log)
        : postgres(make_postgres(executor, options, log, "", options.read_connections)),
          embedded(postgres ? nullptr : std::make_unique<db::MemoryStore>()),
          shadowed(make_shadow(executor, options, postgres.get(), fleet, log)),
          store(store_of(*this)),
          due(due_of(*this)),
          redis(make_redis(executor, options, ids, options.gate_wait)),
          hot_redis(make_hot_redis(executor, options, ids)) {}

    static db::Store& store_of(Back& back) {
        if (back.shadowed) return *back.shadowed;
        if (back.postgres) return *back.postgres;
        return *back.embedded;
    }

    /// Of the database that decides, whichever one the reads are of.
    static db::DueRows& due_of(Back& back) {
        if (back.postgres) return *back.postgres;
        return *back.embedded;
    }

    /// The edge's Redis. The embedded store forgets with the process what Redis would still know.
    cache::RedisClient* redis_of_edge(Options const& options) const {
        return options.edge && postgres ? redis.get() : nullptr;
    }
    /// The gates'. One process is all that the embedded store serves, and its own lane is faster.
    cache::RedisClient* redis_of_gates(Options const& options) const {
        return options.gate && postgres ? redis.get() : nullptr;
    }

    SystemClock clock;
    SystemIdSource ids;
    std::unique_ptr<db::PostgresStore> postgres;  ///< null: without a database
    std::unique_ptr<db::MemoryStore> embedded;    ///< the other one
    std::unique_ptr<db::ShadowStore> shadowed;    ///< both databases; null with one
    db::Store& store;
    db::DueRows& due;
    std::unique_ptr<cache::RedisClient> redis;      ///< null: without Redis
    std::unique_ptr<cache::RedisClient> hot_redis;  ///< the hot ledgers'; null: nothing is posted
};

struct Application::Front final : Introspection {
    Front(Application& its_application, std::size_t its_shard, Options const& options)
        : application(its_application),
          shard(its_shard),
          back(*application.backs_.at(shard)),
          edge(back.redis_of_edge(options), edge_options(options, application.database_identity_),
               back.ids.nonce()),
          keys(application.reactor_.executor(shard), back.store),
          products(application.reactor_.executor(shard), back.store, back.clock,
                   feed_limits(options)),
          sales(application.reactor_.executor(shard), back.redis_of_gates(options), back.store,
                back.clock,
                desk_options(options, application.database_identity_, application.log_)),
          exports(back.store.exports(), export_desk_options(options)),
          hot(application.reactor_.executor(shard), back.hot_redis.get(), back.store,
              application.lanes(), back.clock,
              hot_options(options, application.database_identity_)),
          api(Services{back.store, application.engine_, back.clock, back.ids, *this,
                       application.access_, keys, edge, sales, options.request_timeout,
                       application.limiter_, shard, products, exports, hot},
              application.router_),
          observer(application.log_, application.router_.routes()),
          listener(application.reactor_.executor(shard),
                   listener_options(options, shard, back.clock, back.ids), api, observer),
          background(application.reactor_.executor(shard)),
          lanes(application.reactor_.executor(shard)),
          keeping(application.reactor_.executor(shard)),
          listening(application.reactor_.executor(shard)) {}

    asio::awaitable<Readiness> readiness(SteadyTime deadline) override {
        return application.readiness(shard, deadline);
    }
    std::string metrics() override { return application.render_metrics(); }
    std::string const& openapi() override { return application.openapi_; }

    Application& application;
    std::size_t shard;
    Back& back;
    cache::Edge edge;
    KeyDirectory keys;
    ProductReads products;
    SaleDesk sales;
    ExportDesk exports;
    HotDesk hot;
    Api api;
    ShardObserver observer;
    Listener listener;
    reactor::TaskGroup background;  ///< connections: end by cancellation
    reactor::TaskGroup lanes;       ///< end by themselves once closed and empty
    reactor::TaskGroup keeping;     ///< ends by cancellation, with what it says to the lanes
    reactor::TaskGroup listening;
};

Application::Application(Options options, Log& log)
    : options_(adjusted(std::move(options))),
      log_(log),
      access_(access_of(options_)),
      router_(route_table()),
      openapi_(openapi_document(route_table())),
      reactor_(options_.threads),
      fleet_(SystemIdSource().request_id()),
      engine_(reactor_, engine_options(options_)),
      limiter_(reactor_, rate_limiter_options(options_)),
      jobs_(reactor_.executor(0)),
      signals_(reactor_.executor(0)),
      stopping_(reactor_.executor(0)),
      supervision_(reactor_.executor(0)) {
    for (std::size_t shard = 0; shard < reactor_.size(); ++shard) {
        auto& back = *backs_.emplace_back(
            std::make_unique<Back>(reactor_.executor(shard), options_, fleet_, log_));
        engine_.add_shard(shard, back.store, back.clock);
        limiter_.add_shard(back.redis.get());
    }
    auto const purge_round = [this](SteadyTime deadline) { return purge(deadline); };
    purge_ = make_periodic(purge_options(options_), purge_round, "purge_failed");
    make_expiries();
    export_care_ =
        make_periodic(export_care_options(options_), export_care(), "export_care_failed");
    make_jobs();
    started_at_s_ = static_cast<double>(backs_.front()->clock.now().ms) / 1000.0;
}

Application::~Application() = default;

int Application::run() {
    std::signal(SIGPIPE, SIG_IGN);
    fit_connections();
    prepare_schema();
    prepare_lots();
    prepare_shadow();
    open_fronts();
    lead_reconciliation();
    keep_hot_ledgers();
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    supervision_.spawn(watch_signals());
    supervision_.spawn(live());
    reactor_.run();
    log_.info("stopped");
    return 0;
}

/// A client too many is told so; without a descriptor nobody could tell it anything.
void Application::fit_connections() {
    auto const granted = claim_descriptors();
    auto const fitting = connections_within(granted, options_);
    if (fitting == options_.connections_max) return;
    log_.warning("connections_limited", {{"connections_max", options_.connections_max},
                                         {"per_thread", fitting},
                                         {"open_files_granted", granted}});
    options_.connections_max = fitting;
}

void Application::prepare_schema() {
    if (options_.database_url.empty()) return;
    auto const report = options_.no_migrate ? check_database(options_.database_url)
                                            : migrate_database(options_.database_url);
    database_identity_ = report.identity;
    log_.info("schema_ready",
              {{"version_before", report.version_before}, {"version", report.version_after}});
}

/// Whoever asks for a balance gets one that follows from the history.
void Application::prepare_lots() {
    if (!options_.database_url.empty()) bring_lots_up_to_date(options_, log_);
}

/// The primary must know of this server before it writes anything that the shadow may miss. The
/// shadow itself may be away: then it stays behind until it is there.
void Application::prepare_shadow() {
    if (options_.shadow_store.empty()) return;
    auto const primary = database_address(options_.database_url);
    auto const& id = fleet_.server();
    auto const deadline = steady_now() + shadow_start_max;
    auto prepared = run_to_end(db::prepare_shadow_state(primary, deadline));
    if (prepared) prepared = run_to_end(db::open_shadow_server(primary, id, deadline));
    if (!prepared)
        throw std::runtime_error("The database cannot remember who writes to its shadow: " +
                                 prepared.error().message);
    try {
        auto const shadow = database_address(options_.shadow_store, "--shadow-store");
        if (options_.no_migrate)
            check_database(shadow);
        else
            migrate_database(shadow, shadow_start_max);
    } catch (std::runtime_error const& error) {
        log_.warning("shadow_not_ready", {{"reason", error.what()}});
    }
    auto const gaps = [this] { return fleet_.gaps(); };
    shadow_keeper_ = std::make_unique<db::ShadowKeeper>(reactor_.executor(0), primary, id, gaps);
}

/// Binds: shard 0 first, so that port 0 becomes one port for all, and nobody else's.
void Application::open_fronts() {
    for (std::size_t shard = 0; shard < reactor_.size(); ++shard) {
        fronts_.push_back(std::make_unique<Front>(*this, shard, options_));
        options_.listen_port = fronts_.front()->listener.port();
    }
}

/// Background work of the first shard, with its randomness, and whose failures are logged.
std::unique_ptr<Periodic> Application::make_periodic(PeriodicOptions options, Periodic::Work work,
                                                     char const* failure_event) {
    auto random = [&ids = backs_.front()->ids] { return static_cast<std::uint32_t>(ids.nonce()); };
    auto failed = [this, failure_event, limit = LogLimit{}](error_code error) mutable {
        log_.limited(limit, LogLevel::warning, failure_event, {{"error", error.message()}});
    };
    return std::make_unique<Periodic>(options, std::move(work), random, failed);
}

/// How a command becomes durable, whoever submits it.
Expiry::Submit Application::lanes() {
    return [this](domain::Envelope envelope, SteadyTime deadline) {
        return engine_.submit(std::move(envelope), deadline);
    };
}

/// What ends rows that are due, and tells of the ledgers where that fails.
std::unique_ptr<Expiry> Application::make_expiry(Expiry::Submit submit, char const* failure_event) {
    auto& back = *backs_.front();
    ExpiryOptions options;
    options.batch = options_.hold_expiry_items;
    auto failed = [this, failure_event, limit = LogLimit{}](domain::LedgerId ledger,
                                                            error_code error) mutable {
        log_.limited(limit, LogLevel::warning, failure_event,
                     {{"ledger_id", ledger.value.to_string()}, {"error", error.message()}});
    };
    return std::make_unique<Expiry>(std::move(submit), back.clock, back.ids, options, failed);
}

/// Rounds of ending the holds that are due, and of recording which lots of credits are over.
void Application::make_expiries() {
    auto& due = backs_.front()->due;
    // A hot ledger ends its holds itself, and the lane learns of it.
    auto const by_desk = [this](domain::Envelope envelope, SteadyTime deadline) {
        return fronts_.front()->hot.expire_holds(std::move(envelope), deadline);
    };
    holds_ = make_expiry(by_desk, "hold_expiry_failed");
    auto const end_holds = [&expiry = *holds_, &due](SteadyTime deadline) {
        auto const list = [&due](db::DuePage page, SteadyTime until) {
            return due.list_due_holds(std::move(page), until);
        };
        return expiry.run_once<domain::ExpireHolds>(list, deadline);
    };
    hold_expiry_ = make_periodic(expiry_options(options_), end_holds, "hold_expiry_failed");
    lots_ = make_expiry(lanes(), "lot_expiry_failed");
    auto const end_lots = [&expiry = *lots_, &due](SteadyTime deadline) {
        auto const list = [&due](db::DuePage page, SteadyTime until) {
            return due.list_due_lots(std::move(page), until);
        };
        return expiry.run_once<domain::ExpireLots>(list, deadline);
    };
    lot_expiry_ = make_periodic(expiry_options(options_), end_lots, "lot_expiry_failed");
}

/// A round of what becomes of exports when nobody asks.
Periodic::Work Application::export_care() {
    auto& back = *backs_.front();
    ExportKeeper keeper(back.store.exports(), back.clock, back.ids, options_.export_retention);
    return [keeper](SteadyTime deadline) mutable { return keeper.run_once(deadline); };
}

void Application::make_jobs() {
    auto& first = *backs_.front();
    export_metrics_ = std::make_unique<ExportJobMetrics>();
    // A shadow hears of what is written through the store that has it.
    if (options_.job_workers > 0 && first.postgres && !first.shadowed)
        export_store_ =
            make_postgres(reactor_.executor(0), options_, log_, "-export", export_connections);
    auto& of_exports = export_store_ ? static_cast<db::Store&>(*export_store_) : first.store;
    worker_ = make_worker(reactor_.executor(0), options_, first.store, of_exports, first.clock,
                          first.ids, log_, *export_metrics_);
}

/// Over all sales, by one server at a time.
void Application::lead_reconciliation() {
    auto& front = *fronts_.front();
    auto* const redis = front.back.redis_of_gates(options_);
    if (redis == nullptr) return;
    auto const length = std::max(reconciler_lease_min, 3 * options_.reconcile_interval);
    auto name = "ps:lead:" + digest_of(database_identity_).to_string() + ":sales";
    cache::Lease lease(*redis, std::move(name), front.back.ids.request_id(), length);
    led_reconciliation_ =
        std::make_unique<LedReconciliation>(std::move(lease), front.sales.reconciler());
    auto const round = [this](SteadyTime deadline) {
        return led_reconciliation_->run_once(deadline);
    };
    reconciliation_ =
        make_periodic(reconciliation_options(options_), round, "reconciliation_failed");
}

/// Whoever opens the books of hot ledgers and brings them home, each where the ledger's lane is.
void Application::keep_hot_ledgers() {
    if (!fronts_.front()->back.hot_redis) return;
    hot_keepers_ = std::make_unique<HotKeepers>(reactor_);
    for (auto& front : fronts_) {
        auto& hot = front->hot;
        auto& back = front->back;
        hot.on_failure = [this, limit = LogLimit{}](domain::LedgerId ledger,
                                                    cache::Failure const& failure) mutable {
            log_.limited(limit, LogLevel::warning, "hot_post_failed",
                         {{"ledger_id", ledger.value.to_string()},
                          {"error", failure.code.message()},
                          {"message", failure.text}});
        };
        auto const executor = reactor_.executor(front->shard);
        auto& workers = *hot_workers_.emplace_back(std::make_unique<HotWorkers>(
            executor, *back.hot_redis, db::primary_of(back.store).hot(), lanes(), back.clock,
            back.ids, log_, hot.options()));
        auto const work = [&workers](domain::LedgerId ledger, std::int64_t epoch, HotTasks tasks) {
            return workers.run(ledger, epoch, tasks);
        };
        HotKeeperParts parts{executor,
                             db::primary_of(back.store),
                             *back.hot_redis,
                             hot.books()->options(),
                             lanes(),
                             work,
                             back.clock,
                             back.ids,
                             log_};
        hot_keepers_->add_shard(std::move(parts), hot_keeper_options(hot.options()), hot);
    }
    log_configuration(log_, fronts_.front()->hot.options());
}

/// At once, for what a server that died here left behind; then now and then. Before Redis answers
/// there is nothing to compare.
asio::awaitable<void> Application::reconcile_sales() {
    bool const up = co_await fronts_.front()->back.redis->up_before(never);
    if (up) co_await reconciliation_->run();
}

asio::awaitable<void> Application::live() {
    for (std::size_t shard = 0; shard < fronts_.size(); ++shard) {
        auto start_there = [this, shard] { return start(shard); };
        co_await reactor_.on(shard, start_there);
    }
    if (worker_) jobs_.spawn(worker_->run());
    bool const answers = co_await store_answers(steady_now() + store_wait_max);
    if (!answers) log_.warning("store_not_reachable", {{"seconds", store_wait_max.count() / 1000}});
    announce();
    // Ends with the first signal.
    co_await stopping_.wait();
    log_.info("stopping");
    co_await stop();
    signals_.cancel();
    reactor_.release();
}

/// On that shard's thread.
asio::awaitable<void> Application::start(std::size_t shard) {
    auto& front = *fronts_[shard];
    front.background.spawn(front.back.store.run());
    front.background.spawn(front.keys.run());
    if (front.back.redis) front.background.spawn(front.back.redis->run());
    if (front.back.hot_redis) front.background.spawn(front.back.hot_redis->run());
    if (shard == 0) front.background.spawn(purge_->run());
    if (front.back.redis_of_edge(options_)) front.background.spawn(front.edge.run());
    front.background.spawn(front.sales.run());
    front.products.spawn(front.background);
    engine_.spawn(shard, front.lanes);
    if (hot_keepers_) front.keeping.spawn(hot_keepers_->of_shard(shard).run());
    if (shard == 0) front.background.spawn(hold_expiry_->run());
    if (shard == 0 && reconciliation_) front.background.spawn(reconcile_sales());
    if (shard == 0) front.background.spawn(lot_expiry_->run());
    if (shard == 0 && shadow_keeper_) front.background.spawn(shadow_keeper_->run());
    if (shard == 0) front.background.spawn(export_care_->run());
    if (shard == 0 && export_store_) front.background.spawn(export_store_->run());
    front.listening.spawn(front.listener.run());
    co_return;
}

/// One portion of what is past the retention of keys.
asio::awaitable<Result<std::size_t>> Application::purge(SteadyTime deadline) {
    auto& back = *backs_.front();
    domain::Instant before = back.clock.now();
    before.ms -= milliseconds(options_.key_retention).count();
    return back.store.purge(before, options_.purge_items, deadline);
}

asio::awaitable<bool> Application::store_answers(SteadyTime deadline) {
    auto& store = backs_.front()->store;
    while (steady_now() < deadline) {
        auto const error = co_await store.ping(deadline);
        if (!error) co_return true;
        bool const awake = co_await reactor::sleep_until(steady_now() + store_poll_pause);
        if (!awake) break;
    }
    co_return false;
}

asio::awaitable<void> Application::watch_signals() {
    auto [error, number] = co_await signals_.async_wait(reactor::as_result);
    if (error) co_return;
    log_.info("signal_received", {{"number", number}});
    stopping_.notify();
    auto [again, second] = co_await signals_.async_wait(reactor::as_result);
    // Whoever asks twice does not want to wait; what was acknowledged is durable already.
    if (!again) std::_Exit(128 + second);
}

/// What runs is given back to the queue, for another server or the next start.
asio::awaitable<void> Application::stop_jobs() {
    jobs_.cancel();
    bool const in_time = co_await jobs_.join(steady_now() + jobs_stop_max);
    if (!in_time) log_.warning("jobs_cut_off");
}

/// Jobs, then requests in flight, then the commands they may have left, then the connections.
asio::awaitable<void> Application::stop() {
    co_await stop_jobs();
    reactor::TaskGroup drains(reactor_.executor(0));
    auto const deadline = steady_now() + options_.drain_timeout;
    for (std::size_t shard = 0; shard < fronts_.size(); ++shard)
        drains.spawn(stop_listening(shard, deadline));
    co_await drains.join();
    // Nothing is posted any more: what was goes home as far as it can, while there are lanes.
    for (std::size_t shard = 0; shard < fronts_.size(); ++shard) {
        auto stop_there = [this, shard] { return stop_keeping(shard); };
        co_await reactor_.on(shard, stop_there);
    }
    // A lane may still be asked from another shard until every listener has ended.
    auto const closed_by = steady_now() + lanes_close_max;
    for (std::size_t shard = 0; shard < fronts_.size(); ++shard) {
        auto finish_there = [this, shard, closed_by] { return finish(shard, closed_by); };
        co_await reactor_.on(shard, finish_there);
    }
    // Without its connections the worker cannot go on for long.
    co_await jobs_.join();
    if (shadow_keeper_) co_await shadow_keeper_->finish(true, steady_now() + shadow_goodbye_max);
}

asio::awaitable<void> Application::stop_listening(std::size_t shard, SteadyTime deadline) {
    auto& front = *fronts_[shard];
    auto drain = [&front, deadline] { return front.listener.drain(deadline); };
    bool const in_time = co_await reactor_.on(shard, drain);
    if (!in_time) log_.warning("drain_cut_off", {{"shard", shard}});
    auto join = [&front] { return front.listening.join(); };
    co_await reactor_.on(shard, join);
}

/// Its own deadlines bound it.
asio::awaitable<void> Application::stop_keeping(std::size_t shard) {
    auto& front = *fronts_[shard];
    front.keeping.cancel();
    co_await front.keeping.join();
}

asio::awaitable<void> Application::finish(std::size_t shard, SteadyTime deadline) {
    auto& front = *fronts_[shard];
    engine_.close(shard);
    bool const in_time = co_await front.lanes.join(deadline);
    if (!in_time) {
        log_.warning("lanes_cut_off", {{"shard", shard}});
        front.lanes.cancel();
        co_await front.lanes.join();
    }
    // What was committed last is told to the gates; what is not, the next pass finds out.
    if (shard == 0 && led_reconciliation_) led_reconciliation_->give_up();
    co_await front.sales.flush(steady_now() + gates_told_max);
    co_await drain_shadow(shard);
    front.background.cancel();
    co_await front.background.join();
}

/// What was committed is applied; what is not in time is a gap, which the primary remembers.
asio::awaitable<void> Application::drain_shadow(std::size_t shard) {
    if (!backs_[shard]->shadowed) co_return;
    auto const& progress = backs_[shard]->shadowed->link().progress();
    auto const deadline = steady_now() + shadow_drain_max;
    while (!progress.done() && steady_now() < deadline) {
        bool const awake = co_await reactor::sleep_until(steady_now() + store_poll_pause);
        if (!awake) break;
    }
    if (!progress.done()) log_.error("shadow_cut_off", {{"shard", shard}});
}

void Application::announce() const {
    bool const six = options_.listen_address.find(':') != std::string::npos;
    auto const host = six ? "[" + options_.listen_address + "]" : options_.listen_address;
    std::string const scheme = options_.tls_certificate.empty() ? "http" : "https";
    std::string const store = options_.database_url.empty()
                                  ? "embedded, nothing is kept when the program ends"
                                  : "PostgreSQL at " + describe_database(options_.database_url);
    std::printf("penstock is ready on %s://%s:%u (store: %s)\n", scheme.c_str(), host.c_str(),
                static_cast<unsigned>(options_.listen_port), store.c_str());
    std::fflush(stdout);
    log_.info("ready", {{"address", host}, {"port", options_.listen_port}, {"store", store}});
}

std::string Application::render_metrics() const {
    MetricsWriter out;
    for (auto const& front : fronts_) {
        auto const shard = std::to_string(front->shard);
        MetricsWriter::Labels const labels{{"shard", shard}};
        front->observer.routes().write(out, labels);
        write_metrics(out, labels, front->listener.metrics());
        write_redis(out, shard, "shared", front->back.redis.get());
        write_redis(out, shard, "hot", front->back.hot_redis.get());
        write_metrics(out, labels, front->hot);
        if (hot_keepers_) {
            write_metrics(out, labels, hot_keepers_->of_shard(front->shard).metrics());
            write_metrics(out, labels, hot_workers_.at(front->shard)->drain_metrics());
            write_metrics(out, labels, hot_workers_.at(front->shard)->sync_metrics());
        }
        if (options_.rate_limits.any()) write_metrics(out, labels, limiter_.metrics(front->shard));
        write_metrics(out, labels, front->edge.metrics());
        write_metrics(out, labels, front->sales);
        write_metrics(out, labels, front->keys.metrics());
        write_metrics(out, labels, front->products.feeds().metrics());
        write_metrics(out, labels, front->exports.metrics());
        write_lock_waits(out, shard, front->back.postgres.get());
        write_readers(out, shard, "read", front->back.postgres.get());
        if (front->back.shadowed)
            write_metrics(out, labels, front->back.shadowed->link().metrics());
        write_lanes(out, shard, engine_.lanes(front->shard));
    }
    write_metrics(out, {{"work", "hold_expiry"}}, hold_expiry_->metrics());
    write_expiry(out, "hold_expiry", holds_->metrics());
    if (reconciliation_)
        write_metrics(out, {{"work", "reconciliation"}}, reconciliation_->metrics());
    write_metrics(out, {{"work", "lot_expiry"}}, lot_expiry_->metrics());
    write_expiry(out, "lot_expiry", lots_->metrics());
    write_metrics(out, {{"work", "export_care"}}, export_care_->metrics());
    if (worker_) {
        for (auto const& kind : worker_->metrics()) write_metrics(out, {}, *kind);
        write_metrics(out, {}, *export_metrics_);
        write_readers(out, "0", "export", export_store_.get());
        write_metrics(out, {{"work", "job_retention"}}, worker_->retention());
    }
    write_metrics(out, {{"work", "purge"}}, purge_->metrics());
    write_process_metrics(out, started_at_s_);
    return out.text();
}

/// It never makes the server unready: nobody waits for the shadow.
void Application::write_shadow(JsonWriter& json) const {
    if (!shadow_keeper_) return;
    milliseconds behind{0};
    std::uint64_t queued = 0;
    bool up = true;
    for (auto const& back : backs_) {
        auto const& link = back->shadowed->link();
        behind = std::max(behind, link.metrics().behind());
        queued += link.metrics().queued.get();
        up = up && link.up();
    }
    auto const gaps = std::max(shadow_keeper_->open_gaps(), shadow_keeper_->unreported_gaps());
    char const* status = "ok";
    if (behind > shadow_behind) status = "behind";
    if (gaps > 0) status = "incomplete";
    if (!up) status = "unavailable";
    json.begin_object("shadow").member("status", status);
    json.member("behind_ms", static_cast<std::int64_t>(behind.count()));
    json.member("queued", static_cast<std::int64_t>(queued));
    json.member("gaps", gaps).end_object();
}

asio::awaitable<Introspection::Readiness> Application::readiness(std::size_t shard,
                                                                 SteadyTime deadline) {
    auto& back = *backs_[shard];
    error_code const store = co_await back.store.ping(deadline);
    error_code redis;
    if (back.redis) redis = co_await back.redis->ping(deadline);

    Introspection::Readiness readiness;
    readiness.ready = !store;
    JsonWriter json(readiness.json);
    json.begin_object();
    json.member("status", store ? "unavailable" : (redis ? "degraded" : "ok"));
    json.begin_object("dependencies").begin_object("store");
    json.member("kind", options_.database_url.empty() ? "memory" : "postgresql");
    json.member("status", store ? "unavailable" : "ok").end_object();
    write_shadow(json);
    if (back.redis)
        json.begin_object("redis").member("status", redis ? "unavailable" : "ok").end_object();
    json.end_object().end_object();
    co_return readiness;
}

}  // namespace penstock::server
