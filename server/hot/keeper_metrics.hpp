// What the keepers of hot ledgers know and did, as Prometheus reads it.
#pragma once

#include "server/telemetry/metrics.hpp"

namespace penstock::server {

struct HotKeeperMetrics;

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   HotKeeperMetrics const& metrics);

}  // namespace penstock::server
