#include "server/hot/metrics.hpp"

#include <initializer_list>
#include <string_view>

#include "server/hot/desk.hpp"

namespace penstock::server {
namespace {

using Labels = MetricsWriter::Labels;

struct Sample {
    std::string_view label;
    reactor::Count const& count;
};

/// One family whose samples differ in one label, or its only sample.
void write(MetricsWriter& out, Labels const& labels, std::string_view name, std::string_view help,
           std::string_view label, std::initializer_list<Sample> samples) {
    for (auto const& sample : samples) {
        auto own = labels;
        if (!label.empty()) own.emplace_back(label, sample.label);
        out.counter(name, help, own, static_cast<double>(sample.count.get()));
    }
}

void write_posts(MetricsWriter& out, Labels const& labels, HotDeskMetrics const& desk,
                 cache::HotMetrics const& posts) {
    out.durations("penstock_hot_post_seconds", "What a post on a hot ledger waits for Redis.",
                  labels, posts.wait);
    write(out, labels, "penstock_hot_posts_total", "Posts on hot ledgers, by what Redis said.",
          "outcome",
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
    write(out, labels, "penstock_hot_loads_total",
          "Times that what was cold was read from the database, by whether it was still so.",
          "result", {{"tried", metrics.loads}, {"stale", metrics.loads_stale}});
    write(out, labels, "penstock_hot_accounts_opened_total",
          "Accounts that opened because somebody was to be paid.", "",
          {{"", metrics.accounts_opened}});
    write(out, labels, "penstock_hot_keys_asked_total",
          "Idempotency keys that the database was asked for, by why.", "why",
          {{"unknown", metrics.keys_asked}, {"drained", metrics.keys_known}});
    write(out, labels, "penstock_hot_open_waits_total",
          "Times that a post waited for its ledger to be opened.", "", {{"", metrics.open_waits}});
    write(out, labels, "penstock_hot_reads_total",
          "Accounts and holds of hot ledgers that were read, by where that ended.", "from",
          {{"any", metrics.reads}, {"database_stale", metrics.reads_stale}});
}

}  // namespace penstock::server
