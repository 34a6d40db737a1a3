// What became of posts on hot ledgers, as Prometheus reads it.
#pragma once

#include "server/telemetry/metrics.hpp"

namespace penstock::server {

class HotDesk;

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels, HotDesk const& desk);

}  // namespace penstock::server
