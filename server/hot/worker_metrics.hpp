// What the drains and syncs of a shard counted, as Prometheus reads it.
#pragma once

#include "server/telemetry/metrics.hpp"

namespace penstock::server {

struct DrainMetrics;
struct SyncMetrics;

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   DrainMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   SyncMetrics const& metrics);

}  // namespace penstock::server
