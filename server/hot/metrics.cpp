#include "server/hot/metrics.hpp"

#include <string_view>

#include "server/hot/desk.hpp"
#include "server/telemetry/counts.hpp"

namespace penstock::server {
namespace {

using Labels = MetricsWriter::Labels;

void write_posts(MetricsWriter& out, Labels const& labels, HotDeskMetrics const& desk,
                 cache::HotMetrics const& posts) {
    out.durations("penstock_hot_post_seconds", "What a post on a hot ledger waits for Redis.",
                  labels, posts.wait);
    write_counts(out, labels, "penstock_hot_posts_total",
                 "Posts on hot ledgers, by what Redis said.", "outcome",
                 {{"posted", posts.posted},
                  {"replayed", posts.replayed},
                  {"refused", posts.refused},
                  {"cold", posts.cold},
                  {"busy", posts.busy},
                  {"unready", posts.unready},
                  {"failed", desk.failed},
                  {"barred", desk.barred}});
}

}  // namespace

void write_metrics(MetricsWriter& out, Labels const& labels, HotDesk const& desk) {
    auto const* const posts = desk.post_metrics();
    if (posts == nullptr) return;
    auto const& metrics = desk.metrics();
    write_posts(out, labels, metrics, *posts);
    write_counts(out, labels, "penstock_hot_loads_total",
                 "Times that what was cold was read from the database, by whether it was still so.",
                 "result", {{"tried", metrics.loads}, {"stale", metrics.loads_stale}});
    write_counts(out, labels, "penstock_hot_accounts_opened_total",
                 "Accounts that opened because somebody was to be paid.", metrics.accounts_opened);
    write_counts(out, labels, "penstock_hot_keys_asked_total",
                 "Idempotency keys that the database was asked for, by why.", "why",
                 {{"unknown", metrics.keys_asked}, {"drained", metrics.keys_known}});
    write_counts(out, labels, "penstock_hot_open_waits_total",
                 "Times that a post waited for its ledger to be opened.", metrics.open_waits);
    write_counts(out, labels, "penstock_hot_reads_total",
                 "Accounts and holds of hot ledgers that were read, by where that ended.", "from",
                 {{"any", metrics.reads}, {"database_stale", metrics.reads_stale}});
}

}  // namespace penstock::server
