// HOW exports are counted in /metrics.
#pragma once

#include "server/exports/desk.hpp"
#include "server/jobs/exports.hpp"
#include "server/telemetry/metrics.hpp"

namespace penstock::server {

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   ExportJobMetrics const& metrics);
void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   ExportDeskMetrics const& metrics);

}  // namespace penstock::server
