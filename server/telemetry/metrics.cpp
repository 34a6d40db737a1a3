// What the components counted: plain structs into metric families.
#include "server/telemetry/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "cache/edge.hpp"
#include "cache/redis/metrics.hpp"
#include "db/pg/metrics.hpp"
#include "db/shadow_link.hpp"
#include "reactor/collector.hpp"
#include "server/http/event_feed.hpp"
#include "server/jobs/worker.hpp"
#include "server/key_directory.hpp"
#include "server/lane.hpp"
#include "server/periodic.hpp"
#include "server/rate_limiter.hpp"

namespace penstock::server {

using Labels = MetricsWriter::Labels;

struct MetricsWriter::Families {
    prometheus::ClientMetric& add(std::string_view name, std::string_view help,
                                  prometheus::MetricType type, Labels const& labels) {
        auto const [place, is_new] = index.try_emplace(std::string(name), all.size());
        if (is_new) {
            all.emplace_back();
            all.back().name = name;
            all.back().help = help;
            all.back().type = type;
        }
        auto& metric = all[place->second].metric.emplace_back();
        for (auto const& [key, value] : labels) {
            auto& label = metric.label.emplace_back();
            label.name = key;
            label.value = value;
        }
        return metric;
    }
    std::vector<prometheus::MetricFamily> all;
    std::map<std::string, std::size_t> index;
};

MetricsWriter::MetricsWriter() : families_(std::make_unique<Families>()) {}
MetricsWriter::~MetricsWriter() = default;

void MetricsWriter::counter(std::string_view name, std::string_view help, Labels const& labels,
                            double value) {
    families_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricsWriter::gauge(std::string_view name, std::string_view help, Labels const& labels,
                          double value) {
    families_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricsWriter::histogram(std::string_view name, std::string_view help, Labels const& labels,
                              reactor::Histogram const& histogram, double unit) {
    auto& metric = families_->add(name, help, prometheus::MetricType::Histogram, labels);
    std::uint64_t count = 0;
    // The sum is read first: a value recorded meanwhile may be missing in it, never half there.
    metric.histogram.sample_sum = static_cast<double>(histogram.sum()) * unit;
    for (std::size_t i = 0; i <= reactor::Histogram::buckets; ++i) {
        count += histogram.count(i);
        auto& bucket = metric.histogram.bucket.emplace_back();
        bucket.cumulative_count = count;
        bucket.upper_bound = i == reactor::Histogram::buckets
                                 ? std::numeric_limits<double>::infinity()
                                 : static_cast<double>(std::uint64_t{1} << i) * unit;
    }
    metric.histogram.sample_count = count;
}

void MetricsWriter::durations(std::string_view name, std::string_view help, Labels const& labels,
                              reactor::Histogram const& values) {
    constexpr double unit = static_cast<double>(reactor::Histogram::duration_unit.count()) / 1e9;
    histogram(name, help, labels, values, unit);
}

std::string MetricsWriter::text() const {
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(out, families_->all);
    return out.str();
}

namespace {

Labels with(Labels labels, std::string name, std::string value) {
    labels.emplace_back(std::move(name), std::move(value));
    return labels;
}

/// Writes the counters of one component under its labels.
class Section {
public:
    Section(MetricsWriter& out, Labels const& labels) : out_(out), labels_(labels) {}
    void counter(std::string_view name, std::string_view help, reactor::Count const& count) {
        out_.counter(name, help, labels_, static_cast<double>(count.get()));
    }
    void counter(std::string_view name, std::string_view help, std::string label, std::string value,
                 reactor::Count const& count) {
        out_.counter(name, help, with(labels_, std::move(label), std::move(value)),
                     static_cast<double>(count.get()));
    }
    void gauge(std::string_view name, std::string_view help, reactor::Count const& count) {
        out_.gauge(name, help, labels_, static_cast<double>(count.get()));
    }
    void durations(std::string_view name, std::string_view help,
                   reactor::Histogram const& histogram) {
        out_.durations(name, help, labels_, histogram);
    }

private:
    MetricsWriter& out_;
    Labels const& labels_;
};

double seconds_of(timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    double pages = 0;
    double resident = 0;
    statm >> pages >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
    std::error_code error;
    std::filesystem::directory_iterator entry("/proc/self/fd", error);
    double count = 0;
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        ++count;
    return count;
}

}  // namespace

RouteMetrics::RouteMetrics(std::span<Route const> routes) {
    routes_[""];
    for (auto const& route : routes) routes_[route.name];
}

void RouteMetrics::record(Access const& access) {
    auto place = routes_.find(access.route);
    if (place == routes_.end()) place = routes_.find("");
    place->second.latency.record(access.duration);
    auto const status = std::find(statuses.begin(), statuses.end() - 1, access.status);
    place->second.answers.at(static_cast<std::size_t>(status - statuses.begin())).add();
}

void RouteMetrics::write(MetricsWriter& out, Labels const& labels) const {
    for (auto const& [name, route] : routes_) {
        auto const own = with(labels, "route", name.empty() ? "none" : std::string(name));
        bool used = false;
        for (std::size_t i = 0; i < statuses.size(); ++i) {
            auto const count = route.answers[i].get();
            if (count == 0) continue;
            used = true;
            auto const status = statuses[i] == 0 ? "other" : std::to_string(statuses[i]);
            out.counter("penstock_http_answers_total", "Answered requests.",
                        with(own, "status", status), static_cast<double>(count));
        }
        if (!used) continue;
        out.durations("penstock_http_request_seconds",
                      "From the complete header to the serialised answer.", own, route.latency);
    }
}

void write_metrics(MetricsWriter& out, Labels const& labels, LaneMetrics const& metrics) {
    Section section(out, labels);
    constexpr auto name = "penstock_lane_seconds";
    constexpr auto help = "How long a batch spends in each phase.";
    out.durations(name, help, with(labels, "phase", "load"), metrics.load);
    out.durations(name, help, with(labels, "phase", "decide"), metrics.decide);
    out.durations(name, help, with(labels, "phase", "commit"), metrics.commit);
    section.durations("penstock_sale_order_insert_seconds",
                      "Commits that write orders of flash sales: until they are durable.",
                      metrics.order_insert);
    section.counter("penstock_lane_commits_total", "Transactions committed.", metrics.commits);
    section.counter("penstock_lane_commands_total", "Commands in them.", metrics.commands);
    section.counter("penstock_lane_retries_total", "Batches decided again.", metrics.retries);
    section.counter("penstock_lane_splits_total", "Batches halved.", metrics.splits);
    section.counter("penstock_lane_unknown_commits_total",
                    "Commits whose outcome could not be had.", metrics.unknown_commits);
}

void write_metrics(MetricsWriter& out, Labels const& labels,
                   reactor::CollectorMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_collector_items_total", "Items taken in batches.", metrics.items);
    section.counter("penstock_collector_refused_total", "Items that found the queue full.",
                    metrics.refused);
    constexpr auto batches = "penstock_collector_batches_total";
    constexpr auto help = "Batches by what closed them.";
    section.counter(batches, help, "trigger", "size", metrics.batches_by_size);
    section.counter(batches, help, "trigger", "age", metrics.batches_by_age);
    section.counter(batches, help, "trigger", "idle", metrics.batches_by_idle);
    section.gauge("penstock_collector_queue", "Weight of what waits now.", metrics.queue_weight);
    out.histogram("penstock_collector_batch_items", "Items per batch.", labels, metrics.batch_items,
                  1.0);
    section.durations("penstock_collector_age_seconds", "Age of a batch's oldest item.",
                      metrics.age);
}

void write_metrics(MetricsWriter& out, Labels const& labels, HttpMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_http_connections_total", "Accepted.", metrics.connections);
    section.gauge("penstock_http_connections", "Open now.", metrics.connections_open);
    section.counter("penstock_http_connections_refused_total", "Above the limit.",
                    metrics.connections_refused);
    section.gauge("penstock_http_streams", "Bodies being streamed now.", metrics.streams);
    section.counter("penstock_http_requests_total", "Requests read.", metrics.requests);
    section.counter("penstock_http_bad_requests_total", "Refused before routing.",
                    metrics.bad_requests);
    constexpr auto timeouts = "penstock_http_timeouts_total";
    constexpr auto help = "Connections ended for slowness, by phase.";
    section.counter(timeouts, help, "phase", "idle", metrics.timeouts_idle);
    section.counter(timeouts, help, "phase", "header", metrics.timeouts_header);
    section.counter(timeouts, help, "phase", "body", metrics.timeouts_body);
    section.counter(timeouts, help, "phase", "write", metrics.timeouts_write);
    section.counter("penstock_http_handshakes_failed_total", "TLS.", metrics.handshakes_failed);
    section.counter("penstock_http_read_bytes_total", "From clients.", metrics.bytes_read);
    section.counter("penstock_http_written_bytes_total", "To clients.", metrics.bytes_written);
    section.counter("penstock_http_writes_total", "Writes to sockets.", metrics.writes);
}

void write_metrics(MetricsWriter& out, Labels const& labels, FeedMetrics const& metrics) {
    Section section(out, labels);
    section.gauge("penstock_sale_feeds", "Sales that somebody watches.", metrics.feeds);
    section.gauge("penstock_sale_watchers", "Clients that watch a sale.", metrics.watchers);
    section.counter("penstock_sale_watchers_refused_total", "Above the limit.", metrics.refused);
    section.counter("penstock_sale_feed_reads_total", "Of all watchers together.", metrics.reads);
    section.counter("penstock_sale_feed_failures_total", "Reads without an answer.",
                    metrics.failures);
    section.counter("penstock_sale_events_total", "Sent to watchers.", metrics.events);
    section.counter("penstock_sale_heartbeats_total", "Sent to watchers.", metrics.heartbeats);
}

void write_metrics(MetricsWriter& out, Labels const& labels, RateLimiterMetrics const& metrics) {
    for (auto const rate_class : rate_classes) {
        auto const& of_class = metrics.classes[static_cast<std::size_t>(rate_class)];
        auto const own = with(labels, "class", std::string(to_string(rate_class)));
        Section section(out, own);
        constexpr auto requests = "penstock_rate_limit_requests_total";
        constexpr auto help = "Requests counted against a limit, by what became of them.";
        section.counter(requests, help, "outcome", "allowed", of_class.allowed);
        section.counter(requests, help, "outcome", "refused", of_class.refused);
    }
    Section section(out, labels);
    constexpr auto judged = "penstock_rate_limit_judged_total";
    constexpr auto help =
        "The same by who judged: redis; memory of what redis said; the process alone.";
    section.counter(judged, help, "by", "redis", metrics.by_redis);
    section.counter(judged, help, "by", "memory", metrics.by_memory);
    section.counter(judged, help, "by", "process", metrics.by_process);
    section.counter("penstock_rate_limit_breaker_openings_total",
                    "Times Redis was left alone for being late or useless.",
                    metrics.breaker_openings);
    section.gauge("penstock_rate_limit_subjects", "Remembered now.", metrics.subjects);
}

void write_metrics(MetricsWriter& out, Labels const& labels, cache::RedisMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_redis_commands_total", "Sent.", metrics.commands);
    section.counter("penstock_redis_posted_total", "Of these, without waiting for the reply.",
                    metrics.posted);
    section.counter("penstock_redis_posted_refused_total", "Of these, answered with an error.",
                    metrics.posted_refused);
    constexpr auto failed = "penstock_redis_failures_total";
    constexpr auto help = "Commands without a good answer, by reason.";
    section.counter(failed, help, "reason", "lost", metrics.failed_lost);
    section.counter(failed, help, "reason", "unavailable", metrics.failed_unavailable);
    section.counter(failed, help, "reason", "refused", metrics.failed_refused);
    section.counter(failed, help, "reason", "overloaded", metrics.failed_overloaded);
    section.counter(failed, help, "reason", "late", metrics.failed_late);
    section.counter("penstock_redis_connects_total", "Connections made.", metrics.connects);
    section.counter("penstock_redis_drops_total", "Connections that ended.", metrics.drops);
    section.counter("penstock_redis_breaker_openings_total", "Times the breaker opened.",
                    metrics.breaker_openings);
    section.gauge("penstock_redis_breaker_state", "0 closed, 1 half open, 2 open.",
                  metrics.breaker_state);
    section.gauge("penstock_redis_in_flight", "Commands in flight.", metrics.in_flight);
    section.gauge("penstock_redis_up", "1 while connected.", metrics.up);
    section.durations("penstock_redis_round_trip_seconds", "Of a command.", metrics.round_trip);
}

void write_metrics(MetricsWriter& out, Labels const& labels, KeyDirectoryMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_api_key_lookups_total", "Reads of the store for API keys.",
                    metrics.lookups);
    section.counter("penstock_api_keys_unknown_total", "Requests with a secret that nobody has.",
                    metrics.unknown);
    section.gauge("penstock_api_keys_remembered", "Keys that need no lookup.", metrics.known_kept);
    section.gauge("penstock_api_keys_unknown_remembered", "Secrets known to be nobody's.",
                  metrics.unknown_kept);
}

void write_metrics(MetricsWriter& out, Labels const& labels, cache::EdgeMetrics const& metrics) {
    Section section(out, labels);
    constexpr auto keys = "penstock_edge_keys_total";
    constexpr auto what = "Requests with an idempotency key, by what the edge found.";
    section.counter(keys, what, "found", "nothing", metrics.marked);
    section.counter(keys, what, "found", "answer", metrics.replayed);
    section.counter(keys, what, "found", "answer_here", metrics.replayed_here);
    section.counter(keys, what, "found", "other_request", metrics.reused);
    section.counter(keys, what, "found", "in_flight_here", metrics.in_flight_here);
    section.counter(keys, what, "found", "in_flight_elsewhere", metrics.in_flight_there);
    constexpr auto bypasses = "penstock_edge_bypasses_total";
    constexpr auto why = "Requests that went on to the database without the edge, by reason.";
    section.counter(bypasses, why, "reason", "down", metrics.bypassed_down);
    section.counter(bypasses, why, "reason", "breaker", metrics.bypassed_breaker);
    section.counter(bypasses, why, "reason", "late", metrics.bypassed_late);
    section.counter(bypasses, why, "reason", "refused", metrics.bypassed_refused);
    section.counter(bypasses, why, "reason", "malformed", metrics.bypassed_malformed);
    section.counter("penstock_edge_answers_stored_total", "Answers handed to Redis.",
                    metrics.answers_stored);
    section.counter("penstock_edge_answers_too_large_total", "Answers left to the database.",
                    metrics.answers_too_large);
    section.counter("penstock_edge_releases_total", "Marks taken back.", metrics.released);
    section.counter("penstock_edge_renewals_total", "Marks renewed.", metrics.renewed);
    section.counter("penstock_edge_unsent_dropped_total",
                    "Releases and answers that no connection took in time.",
                    metrics.unsent_dropped);
    section.counter("penstock_edge_breaker_openings_total", "Times Redis was too slow for it.",
                    metrics.breaker_openings);
    section.gauge("penstock_edge_breaker_state", "0 closed, 1 half open, 2 open.",
                  metrics.breaker_state);
    section.gauge("penstock_edge_in_flight", "Keys that are worked on now.", metrics.in_flight);
    section.gauge("penstock_edge_joined", "Repetitions that wait for a request in flight.",
                  metrics.joined);
    section.durations("penstock_edge_wait_seconds", "What the edge costs a request.", metrics.wait);
}

void write_metrics(MetricsWriter& out, Labels const& labels,
                   db::pg::SessionMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_pg_segments_total", "Pipeline segments sent.", metrics.segments);
    section.counter("penstock_pg_statements_total", "Statements in them.", metrics.statements);
    section.counter("penstock_pg_failed_total", "Segments that failed.", metrics.failed);
    section.counter("penstock_pg_lost_total", "Segments lost with their connection.", metrics.lost);
    section.counter("penstock_pg_refused_total", "Segments above the limit.", metrics.refused);
    section.counter("penstock_pg_connects_total", "Connections made.", metrics.connects);
    section.counter("penstock_pg_connect_failures_total", "Connections not made.",
                    metrics.connect_failures);
    section.gauge("penstock_pg_depth", "Segments in flight.", metrics.depth);
    section.gauge("penstock_pg_up", "1 while connected.", metrics.up);
    section.durations("penstock_pg_round_trip_seconds", "Of a segment.", metrics.round_trip);
}

void write_metrics(MetricsWriter& out, Labels const& labels, PeriodicMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_background_runs_total", "Runs of background work.", metrics.runs);
    section.counter("penstock_background_items_total", "What they did.", metrics.items);
    section.counter("penstock_background_failures_total", "Runs that failed.", metrics.failures);
    section.durations("penstock_background_run_seconds", "Of a run.", metrics.duration);
}

void write_metrics(MetricsWriter& out, Labels const& labels, JobMetrics const& metrics) {
    auto const own = with(labels, "kind", metrics.kind);
    Section section(out, own);
    constexpr auto backlog = "penstock_jobs";
    constexpr auto help = "In the queue, by status; every server says the same.";
    out.gauge(backlog, help, with(own, "status", "queued"),
              static_cast<double>(metrics.queued.get()));
    out.gauge(backlog, help, with(own, "status", "processing"),
              static_cast<double>(metrics.running.get()));
    out.gauge(backlog, help, with(own, "status", "failed"),
              static_cast<double>(metrics.dead.get()));
    out.gauge("penstock_jobs_oldest_seconds", "How long the longest waiting one has been due.", own,
              static_cast<double>(metrics.oldest_ms.get()) / 1000.0);
    constexpr auto ended = "penstock_job_attempts_total";
    constexpr auto ends = "Attempts of this server, by how they ended.";
    section.counter(ended, ends, "end", "completed", metrics.completed);
    section.counter(ended, ends, "end", "failed", metrics.failed);
    section.counter(ended, ends, "end", "lost", metrics.lost);
    section.counter(ended, ends, "end", "released", metrics.released);
    section.counter("penstock_jobs_died_total", "Jobs whose last attempt failed here.",
                    metrics.died);
    section.durations("penstock_job_attempt_seconds", "Of one attempt.", metrics.duration);
}

void write_metrics(MetricsWriter& out, Labels const& labels, db::ShadowMetrics const& metrics) {
    Section section(out, labels);
    section.counter("penstock_shadow_batches_total", "Applied to the shadow.", metrics.batches);
    section.counter("penstock_shadow_rows_total", "Rows of them.", metrics.rows);
    section.counter("penstock_shadow_mirrored_rows_total", "Rows read from the primary for them.",
                    metrics.mirrored);
    section.counter("penstock_shadow_failures_total", "Attempts that failed.", metrics.failures);
    section.counter("penstock_shadow_gaps_total", "Batches left out: a backfill must follow.",
                    metrics.gaps);
    section.gauge("penstock_shadow_queue_batches", "Committed and not yet applied.",
                  metrics.queued);
    section.gauge("penstock_shadow_queue_rows", "Rows of them.", metrics.queued_rows);
    out.gauge("penstock_shadow_behind_seconds", "How long the oldest of them has waited.", labels,
              static_cast<double>(metrics.behind().count()) / 1000.0);
    constexpr auto reads = "penstock_shadow_reads_total";
    constexpr auto help = "Reads that were to come from the shadow, by who answered.";
    section.counter(reads, help, "by", "shadow", metrics.reads);
    section.counter(reads, help, "by", "primary", metrics.reads_behind);
    section.durations("penstock_shadow_lag_seconds", "From a commit to its being applied.",
                      metrics.lag);
}

void write_process_metrics(MetricsWriter& out, double started_at_s) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    out.gauge("penstock_build_info", "The version that runs.", {{"version", PENSTOCK_VERSION}},
              1.0);
    out.gauge("process_start_time_seconds", "Since the epoch.", {}, started_at_s);
    out.counter("process_cpu_seconds_total", "User and system.", {},
                seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    out.gauge("process_resident_memory_bytes", "Resident.", {}, resident_bytes());
    out.gauge("process_open_fds", "Open descriptors.", {}, open_descriptors());
}

}  // namespace penstock::server
