#include "server/part_options.hpp"

#include <algorithm>

#include "server/database_digest.hpp"

namespace penstock::server {

Options adjusted(Options options) {
    if (!options.database_url.empty()) return options;
    options.threads = 1;
    options.lanes = 1;
    options.single_connections = 1;
    return options;
}

AccessPolicy access_of(Options const& options) {
    AccessPolicy access;
    access.open = options.admin_key.empty();
    if (!access.open) access.admin_key = sha256(options.admin_key);
    if (access.open && !is_loopback(options.listen_address))
        throw UnusableOptions(
            "Without --admin-key everyone may do everything, so --listen must "
            "be a loopback address; " +
            options.listen_address + " is none");
    return access;
}

EngineOptions engine_options(Options const& options) {
    EngineOptions engine;
    engine.mode = options.commit_mode;
    engine.lanes_per_shard = options.lanes;
    engine.single_connections = options.single_connections;
    engine.lane.batch.items_max = options.batch_items;
    engine.lane.batch.delay_max = options.batch_delay;
    engine.lane.batch.flush_when_idle = options.batch_delay.count() == 0;
    engine.lane.batch.queue_max = options.queue_items;
    engine.lane.key_retention = options.key_retention;
    return engine;
}

RateLimiterOptions rate_limiter_options(Options const& options) {
    RateLimiterOptions limiter;
    limiter.limits = options.rate_limits;
    limiter.redis.wait = options.rate_limit_wait;
    limiter.subjects_max = options.rate_limit_subjects;
    return limiter;
}

cache::EdgeOptions edge_options(Options const& options, std::string const& database) {
    cache::EdgeOptions edge;
    edge.lease = options.edge_lease;
    edge.answer_kept = std::min<milliseconds>(options.edge_answer_ttl, options.key_retention);
    edge.command_max = options.edge_wait;
    edge.join_max = options.edge_join;
    edge.body_bytes_max = options.edge_body_bytes;
    edge.database = digest_of(database);
    return edge;
}

SaleDeskOptions desk_options(Options const& options, std::string const& database, Log& log) {
    SaleDeskOptions desk;
    desk.gate.command_max = options.gate_wait;
    desk.gate.lease = options.gate_lease;
    desk.gate.database = digest_of(database);
    desk.build_wait = options.gate_build_wait;
    desk.memory.believed = options.gate_memory;
    desk.notes.unsent_max = options.gate_unsent;
    desk.key_retention = options.key_retention;
    desk.reconciler.on_drift = [&log](SaleReconciliation const& sale) {
        log.error("sale_gate_drifted", {{"product", sale.product.to_string()},
                                        {"stock", sale.stock},
                                        {"sold", sale.sold},
                                        {"reserved", sale.reserved},
                                        {"gate_remaining", sale.gate_remaining.value_or(0)},
                                        {"drift", sale.drift},
                                        {"repaired", sale.repaired}});
    };
    return desk;
}

HotOptions hot_options(Options const& options, std::string const& database) {
    HotOptions hot;
    hot.database = digest_of(database);
    hot.key_retention = options.key_retention;
    hot.wait = options.hot_wait;
    hot.open_wait = options.hot_open_wait;
    hot.undrained_max = static_cast<std::int64_t>(options.hot_undrained_max);
    hot.memory_percent = options.hot_memory_percent;
    hot.drain_items = options.hot_drain_items;
    hot.drain_delay = options.hot_drain_delay;
    hot.idle = options.hot_idle;
    hot.sync_items = options.hot_sync_items;
    hot.sync_delay = options.hot_sync_delay;
    hot.sync_age = options.hot_sync_age;
    hot.lease = options.hot_lease;
    hot.look_interval = options.hot_look_interval;
    return hot;
}

HotKeeperOptions hot_keeper_options(HotOptions const& options) {
    HotKeeperOptions keeper;
    keeper.refresh = options.look_interval;
    keeper.health_every = options.look_interval;
    keeper.memory_percent = static_cast<unsigned>(options.memory_percent);
    return keeper;
}

FeedLimits feed_limits(Options const& options) {
    FeedLimits limits;
    limits.watchers_max = options.sale_watchers_max;
    limits.heartbeat = options.sale_heartbeat;
    return limits;
}

PeriodicOptions expiry_options(Options const& options) {
    PeriodicOptions periodic;
    periodic.interval = options.hold_expiry_interval;
    periodic.backoff = {milliseconds{200}, milliseconds{10'000}, milliseconds{0}};
    return periodic;
}

WorkerOptions worker_options(Options const& options) {
    WorkerOptions worker;
    worker.jobs_max = options.job_workers;
    worker.lease = options.job_lease;
    worker.poll = options.job_poll;
    worker.retry.first = options.job_retry;
    worker.keep_completed = options.job_retention;
    worker.keep_dead = options.dead_letter_retention;
    return worker;
}

ExportJobOptions export_job_options(Options const& options) {
    ExportJobOptions job;
    job.at_once = options.exports_at_once;
    job.retention = options.export_retention;
    job.chunk_bytes = options.export_chunk_bytes;
    return job;
}

ExportDeskOptions export_desk_options(Options const& options) {
    ExportDeskOptions desk;
    desk.signing_key = options.export_signing_key;
    desk.link_ttl = options.export_link_ttl;
    return desk;
}

PeriodicOptions export_care_options(Options const& options) {
    PeriodicOptions periodic;
    periodic.interval = options.export_care_interval;
    return periodic;
}

PeriodicOptions reconciliation_options(Options const& options) {
    PeriodicOptions periodic;
    periodic.interval = options.reconcile_interval;
    periodic.at_once = true;
    periodic.backoff = {milliseconds{1'000}, milliseconds{30'000}, milliseconds{0}};
    return periodic;
}

PeriodicOptions purge_options(Options const& options) {
    PeriodicOptions purge;
    purge.interval = options.purge_interval;
    return purge;
}

ListenerOptions listener_options(Options const& options, std::size_t shard, Clock& clock,
                                 IdSource& ids) {
    ListenerOptions listener;
    listener.address = options.listen_address;
    listener.port = options.listen_port;
    listener.joins = shard > 0;
    listener.limits.connections_max = options.connections_max;
    listener.limits.idle_timeout = options.idle_timeout;
    listener.cors = Cors(options.cors_origins);
    if (!options.tls_certificate.empty())
        listener.tls = make_tls(options.tls_certificate, options.tls_key);
    listener.unix_seconds = [&clock] { return clock.now().ms / 1000; };
    listener.make_request_id = [&ids] { return ids.request_id(); };
    return listener;
}

}  // namespace penstock::server
