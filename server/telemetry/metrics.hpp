// What the components counted, as Prometheus reads it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reactor/counters.hpp"
#include "server/http/app.hpp"
#include "server/http/router.hpp"

namespace penstock::reactor {
struct CollectorMetrics;
}
namespace penstock::cache {
struct EdgeMetrics;
struct RedisMetrics;
}  // namespace penstock::cache
namespace penstock::db {
struct ShadowMetrics;
}
namespace penstock::db::pg {
struct SessionMetrics;
}

namespace penstock::server {

struct KeyDirectoryMetrics;
struct LaneMetrics;
struct PeriodicMetrics;
struct FeedMetrics;
struct RateLimiterMetrics;
struct JobMetrics;

/// Collects samples and renders them. Names and help are literals; samples of one name are one
/// family wherever they come from.
class MetricsWriter {
public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    MetricsWriter();
    MetricsWriter(MetricsWriter&&) = delete;
    ~MetricsWriter();

    void counter(std::string_view name, std::string_view help, Labels const& labels, double value);
    void gauge(std::string_view name, std::string_view help, Labels const& labels, double value);
    /// `unit` is what one unit of the histogram is worth: durations become seconds.
    void histogram(std::string_view name, std::string_view help, Labels const& labels,
                   reactor::Histogram const& histogram, double unit);
    void durations(std::string_view name, std::string_view help, Labels const& labels,
                   reactor::Histogram const& histogram);

    /// The text exposition format.
    std::string text() const;

private:
    struct Families;
    std::unique_ptr<Families> families_;
};

/// Latency and statuses per route; one per shard. Any thread may read.
class RouteMetrics {
public:
    explicit RouteMetrics(std::span<Route const> routes);
    void record(Access const& access);
    void write(MetricsWriter& out, MetricsWriter::Labels const& labels) const;

private:
    /// The statuses that the program answers; the last place counts any other.
    static constexpr std::array<unsigned, 24> statuses{200, 201, 202, 204, 304, 400, 401, 402,
                                                       403, 404, 405, 406, 409, 410, 413, 415,
                                                       422, 429, 431, 500, 501, 503, 504, 0};
    struct PerRoute {
        reactor::Histogram latency;
        std::array<reactor::Count, statuses.size()> answers;
    };
    std::map<std::string_view, PerRoute> routes_;  ///< never changes shape after construction
};

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   LaneMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   reactor::CollectorMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   HttpMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   cache::RedisMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   cache::EdgeMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   KeyDirectoryMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   db::pg::SessionMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   PeriodicMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   RateLimiterMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   FeedMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   PeriodicMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   JobMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   db::ShadowMetrics const& metrics);
/// This process: memory, processor time, descriptors, version.
void write_process_metrics(MetricsWriter& out, double started_at_s);

}  // namespace penstock::server
