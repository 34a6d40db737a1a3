// What a desk and its gates counted, as Prometheus reads it.
#pragma once

#include "server/telemetry/metrics.hpp"

namespace penstock::server {

class SaleDesk;

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels, SaleDesk& desk);

}  // namespace penstock::server
