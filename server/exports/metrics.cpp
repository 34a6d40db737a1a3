// HOW exports are counted in /metrics.
#include "server/exports/metrics.hpp"

namespace penstock::server {
namespace {

double value_of(reactor::Count const& count) { return static_cast<double>(count.get()); }

}  // namespace

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   ExportJobMetrics const& metrics) {
    out.gauge("penstock_exports_running", "That this server is writing.", labels,
              value_of(metrics.running));
    out.counter("penstock_export_rows_total", "Rows of exports that were committed.", labels,
                value_of(metrics.rows));
    out.counter("penstock_export_bytes_total", "Bytes of exports that were committed.", labels,
                value_of(metrics.bytes));
    out.counter("penstock_exports_resumed_total", "Exports that somebody else had begun.", labels,
                value_of(metrics.resumed));
}

void write_metrics(MetricsWriter& out, MetricsWriter::Labels const& labels,
                   ExportDeskMetrics const& metrics) {
    out.counter("penstock_export_downloads_total", "Downloads that were begun.", labels,
                value_of(metrics.downloads));
    out.counter("penstock_export_served_bytes_total", "Bytes of downloads.", labels,
                value_of(metrics.bytes));
    out.counter("penstock_export_links_refused_total", "Signatures that were not ours.", labels,
                value_of(metrics.refused));
}

}  // namespace penstock::server
