#include "server/hot/keeper_metrics.hpp"

#include <string_view>

#include "server/hot/keeper.hpp"
#include "server/telemetry/counts.hpp"

namespace penstock::server {
namespace {

using Labels = MetricsWriter::Labels;

void write_openings(MetricsWriter& out, Labels const& labels, HotLifeMetrics const& life) {
    write_counts(out, labels, "penstock_hot_openings_total",
                 "Books of hot ledgers that were opened, sealed or closed.", "how",
                 {{"open", life.opened},
                  {"built", life.built},
                  {"sealed", life.sealed},
                  {"adopted", life.adopted},
                  {"closed", life.closed},
                  {"failed", life.failures}});
}

}  // namespace

void write_metrics(MetricsWriter& out, Labels const& labels, HotKeeperMetrics const& metrics) {
    auto const gauge = [&](std::string_view name, std::string_view help, double value) {
        out.gauge(name, help, labels, value);
    };
    auto const value = [](reactor::Count const& count) { return static_cast<double>(count.get()); };
    gauge("penstock_hot_ledgers", "Hot ledgers that are kept here.", value(metrics.ledgers));
    gauge("penstock_hot_ledgers_open", "Of these, those whose books are open.",
          value(metrics.ledgers_open));
    gauge("penstock_hot_journal_lag_items", "What PostgreSQL lacks of what was acknowledged.",
          value(metrics.journal_lag));
    gauge("penstock_hot_journal_oldest_seconds", "How long the oldest of it has waited.",
          value(metrics.journal_oldest_ms) / 1000);
    gauge("penstock_hot_schedule_accounts", "Accounts that differ from PostgreSQL's.",
          value(metrics.schedule_depth));
    gauge("penstock_hot_schedule_oldest_seconds", "For how long the oldest of them has.",
          value(metrics.schedule_oldest_ms) / 1000);
    gauge("penstock_hot_claimed_accounts", "Of them, those that somebody writes now.",
          value(metrics.claimed));
    gauge("penstock_hot_dead_letters", "What could not be brought home and was laid aside.",
          value(metrics.dead_letters));
    gauge("penstock_hot_bar",
          "Why nothing is posted: 0 it is, 1 memory, 2 Redis may evict or is not there.",
          value(metrics.bar));
    out.counter("penstock_hot_list_failures_total", "Looks for hot ledgers that failed.", labels,
                value(metrics.list_failures));
    out.counter("penstock_hot_posts_lost_total",
                "Acknowledged items that are known to have gone with the data of Redis.", labels,
                value(metrics.life.lost));
    write_openings(out, labels, metrics.life);
}

}  // namespace penstock::server
