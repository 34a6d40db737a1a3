#include "server/hot/worker_metrics.hpp"

#include <string_view>

#include "server/hot/drain.hpp"
#include "server/hot/sync.hpp"

namespace penstock::server {
namespace {

using Labels = MetricsWriter::Labels;

/// The samples of one worker: those of both are of the same families.
class Section {
public:
    Section(MetricsWriter& out, Labels labels, std::string_view worker)
        : out_(out), labels_(std::move(labels)) {
        labels_.emplace_back("worker", worker);
    }
    void count(std::string_view name, std::string_view help, reactor::Count const& count) {
        out_.counter(name, help, labels_, static_cast<double>(count.get()));
    }
    void count(std::string_view name, std::string_view help, std::string_view label,
               std::string_view value, reactor::Count const& count) {
        auto own = labels_;
        own.emplace_back(label, value);
        out_.counter(name, help, own, static_cast<double>(count.get()));
    }
    void durations(std::string_view name, std::string_view help, reactor::Histogram const& all) {
        out_.durations(name, help, labels_, all);
    }
    void write(reactor::CollectorMetrics const& batches) {
        constexpr auto name = "penstock_hot_batches_total";
        constexpr auto help = "Batches on their way home, by what closed them.";
        count(name, help, "trigger", "size", batches.batches_by_size);
        count(name, help, "trigger", "age", batches.batches_by_age);
        count(name, help, "trigger", "idle", batches.batches_by_idle);
        out_.histogram("penstock_hot_batch_items", "Entries or accounts per batch.", labels_,
                       batches.batch_items, 1.0);
        durations("penstock_hot_batch_age_seconds", "Age of a batch's oldest item.", batches.age);
    }

private:
    MetricsWriter& out_;
    Labels labels_;
};

/// What both have.
template <class Metrics>
void write_common(Section& section, Metrics const& metrics) {
    section.write(metrics.batches);
    section.count("penstock_hot_dead_letters_total",
                  "What could be neither drained nor synced, and was laid aside.",
                  metrics.dead_letters);
    section.count("penstock_hot_worker_failures_total",
                  "Steps that Redis or the database did not take; tried again.", metrics.failures);
    section.durations("penstock_hot_lag_seconds",
                      "From a change in Redis until the database has it.", metrics.lag);
}

}  // namespace

void write_metrics(MetricsWriter& out, Labels const& labels, DrainMetrics const& metrics) {
    Section section(out, labels, "drain");
    write_common(section, metrics);
    section.count("penstock_hot_drain_reads_total", "Times that a journal was read.",
                  metrics.reads);
    section.count("penstock_hot_drain_taken_over_total",
                  "Entries that a reader had and did not settle.", metrics.taken_over);
    section.count("penstock_hot_drain_entries_total", "Entries that came home.", metrics.entries);
    section.count("penstock_hot_drain_gaps_total", "Waits for whoever has the entries before.",
                  metrics.gaps);
    section.count("penstock_hot_drain_lost_total", "Positions that a journal has no more.",
                  metrics.lost);
    section.durations("penstock_hot_drain_commit_seconds", "One command of a drain.",
                      metrics.commit);
}

void write_metrics(MetricsWriter& out, Labels const& labels, SyncMetrics const& metrics) {
    Section section(out, labels, "sync");
    write_common(section, metrics);
    section.count("penstock_hot_sync_claimed_total", "Accounts claimed.", metrics.claimed);
    constexpr auto released = "penstock_hot_sync_released_total";
    constexpr auto help = "Claims that were ended, by what became of the account.";
    section.count(released, help, "account", "clean", metrics.clean);
    section.count(released, help, "account", "changed", metrics.changed);
    section.count(released, help, "account", "not_written", metrics.released);
    section.count("penstock_hot_sync_waits_total", "Claims that waited for the drain.",
                  metrics.waits);
    section.count("penstock_hot_sync_claims_lost_total", "Claims whose lease was over.",
                  metrics.claims_lost);
    section.count("penstock_hot_sync_mended_total",
                  "Balances that came home after the books were lost.", metrics.mended);
    section.durations("penstock_hot_sync_flush_seconds", "One command of a sync.", metrics.flush);
}

}  // namespace penstock::server
