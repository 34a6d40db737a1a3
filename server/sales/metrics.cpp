#include "server/sales/metrics.hpp"

#include <string_view>
#include <utility>

#include "server/sales/desk.hpp"
#include "server/telemetry/counts.hpp"

namespace penstock::server {
namespace {

using Labels = MetricsWriter::Labels;

void write_attempts(MetricsWriter& out, Labels const& labels, SaleDeskMetrics const& metrics) {
    write_counts(out, labels, "penstock_sale_attempts_total",
                 "Orders that were tried, by what the gate said.", "gate",
                 {{"admitted", metrics.admitted},
                  {"again", metrics.again},
                  {"known", metrics.known},
                  {"sale_not_started", metrics.not_started},
                  {"sale_ended", metrics.ended},
                  {"sold_out", metrics.sold_out},
                  {"sold_out_by_memory", metrics.sold_out_by_memory},
                  {"purchase_limit_reached", metrics.limit_reached}});
    write_counts(out, labels, "penstock_sale_gate_bypasses_total",
                 "Orders that the database decided alone, by reason.", "reason",
                 {{"down", metrics.alone_down},
                  {"late", metrics.alone_late},
                  {"refused", metrics.alone_refused},
                  {"building", metrics.alone_building},
                  {"news", metrics.alone_news}});
}

void write_orders(MetricsWriter& out, Labels const& labels, SaleDeskMetrics const& metrics) {
    write_counts(out, labels, "penstock_sale_orders_total",
                 "Orders that reached the database, by what its rules said.", "outcome",
                 {{"accepted", metrics.placed},
                  {"replayed", metrics.replayed},
                  {"sale_not_started", metrics.lane_not_started},
                  {"sale_ended", metrics.lane_ended},
                  {"sold_out", metrics.lane_sold_out},
                  {"purchase_limit_reached", metrics.lane_limit_reached},
                  {"insufficient_funds", metrics.lane_no_funds},
                  {"refused_otherwise", metrics.lane_refused},
                  {"failed", metrics.lane_failed}});
}

void write_gates(MetricsWriter& out, Labels const& labels, cache::GateMetrics const& metrics) {
    out.durations("penstock_sale_gate_seconds", "What asking the gate costs an order.", labels,
                  metrics.wait);
    write_counts(out, labels, "penstock_sale_gate_breaker_openings_total",
                 "Times Redis was left alone for being late or useless.", metrics.breaker_openings);
    out.gauge("penstock_sale_gate_breaker_state", "0 closed, 1 half open, 2 open.", labels,
              static_cast<double>(metrics.breaker_state.get()));
}

void write_notes(MetricsWriter& out, Labels const& labels, GateNotesMetrics const& metrics) {
    write_counts(out, labels, "penstock_sale_gate_told_total",
                 "What gates were told, by what it was.", "what",
                 {{"confirmed", metrics.confirmed},
                  {"cancelled", metrics.cancelled},
                  {"released", metrics.released},
                  {"doubt", metrics.doubts},
                  {"restocked", metrics.restocks}});
    write_counts(out, labels, "penstock_sale_gate_telling_failures_total",
                 "Times that Redis did not take it; it is told again.", metrics.failures);
    write_counts(out, labels, "penstock_sale_gate_notes_dropped_total",
                 "Sales of which too much waited to be told: their gates were built anew.",
                 metrics.dropped);
    out.gauge("penstock_sale_gate_unsent", "Orders that wait to be told to a gate.", labels,
              static_cast<double>(metrics.unsent.get()));
}

void write_builds(MetricsWriter& out, Labels const& labels, GateBuilderMetrics const& metrics) {
    write_counts(out, labels, "penstock_sale_gate_builds_total", "Gates built from the database.",
                 metrics.builds);
    write_counts(out, labels, "penstock_sale_gate_build_failures_total",
                 "Gates that could not be built.", metrics.failures);
    out.durations("penstock_sale_gate_build_seconds", "How long a gate took to build.", labels,
                  metrics.duration);
}

void write_reconciler(MetricsWriter& out, Labels const& labels, ReconcilerMetrics const& metrics) {
    write_counts(out, labels, "penstock_sale_reconciliation_passes_total", "Passes over sales.",
                 metrics.passes);
    write_counts(out, labels, "penstock_sale_reconciled_total", "Sales compared with their gates.",
                 metrics.sales);
    write_counts(out, labels, "penstock_sale_reservations_settled_total",
                 "Reservations that the reconciler ended, by what the database said.", "order",
                 {{"confirmed", metrics.settled_confirmed},
                  {"cancelled", metrics.settled_cancelled},
                  {"released", metrics.settled_released}});
    write_counts(out, labels, "penstock_sale_drifts_total",
                 "Gates that disagreed with the database.", metrics.drifts);
    write_counts(out, labels, "penstock_sale_drift_units_total", "By how many units, in all.",
                 metrics.drift_units);
    write_counts(out, labels, "penstock_sale_repairs_total",
                 "Gates built anew for that, by success.", "repaired",
                 {{"true", metrics.repairs}, {"false", metrics.repairs_failed}});
}

}  // namespace

void write_metrics(MetricsWriter& out, Labels const& labels, SaleDesk& desk) {
    write_attempts(out, labels, desk.metrics());
    write_orders(out, labels, desk.metrics());
    auto const* const gates = desk.gate_metrics();
    if (gates == nullptr) return;
    write_gates(out, labels, *gates);
    write_counts(out, labels, "penstock_sale_gates_set_back_total",
                 "Gates found in an earlier state than before: Redis lost writes. Built anew.",
                 "by",
                 {{"attempt", desk.metrics().set_back},
                  {"reconciler", desk.reconciler().metrics().set_back}});
    write_notes(out, labels, *desk.notes_metrics());
    write_builds(out, labels, *desk.builder_metrics());
    write_reconciler(out, labels, desk.reconciler().metrics());
}

}  // namespace penstock::server
