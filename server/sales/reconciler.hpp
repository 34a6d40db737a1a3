// DO the gates say what the store says: reservations that nobody settled, and drift.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cache/gate.hpp"
#include "cache/lease.hpp"
#include "db/store.hpp"
#include "server/clock.hpp"
#include "server/sales/gate_history.hpp"

namespace penstock::server {

class GateBuilder;

/// One sale, compared. Without a gate that could be read there is no gate_remaining, and the rest
/// is what the store says.
struct SaleReconciliation {
    domain::ProductId product;
    std::int64_t stock = 0;
    std::int64_t sold = 0;
    std::int64_t reserved = 0;
    std::optional<std::int64_t> gate_remaining = {};
    std::int64_t drift = 0;  ///< what the gate has too many; below 0: too few
    bool repaired = false;   ///< by a new gate

    bool operator==(SaleReconciliation const&) const = default;
};

struct ReconcilerOptions {
    std::size_t sales_at_once = 100;
    std::size_t reservations_at_once = 1'000;
    milliseconds step_max{5'000};
    /// Between two looks at a sale that drifts: what is being told to the gate arrives meanwhile.
    milliseconds pause{250};
    int looks_max = 4;
    milliseconds build_max{30'000};
    /// Sales that ended longer ago are left alone.
    std::chrono::hours kept{24};
    std::function<void(SaleReconciliation const&)> on_drift = nullptr;
};

struct ReconcilerMetrics {
    reactor::Count passes;
    reactor::Count sales;  ///< compared
    reactor::Count settled_confirmed;
    reactor::Count settled_cancelled;
    reactor::Count settled_released;
    reactor::Count drifts;       ///< sales that really drifted
    reactor::Count drift_units;  ///< by how much, in either direction
    reactor::Count repairs;
    reactor::Count repairs_failed;  ///< tried again by the next pass
    reactor::Count set_back;        ///< gates that were found in an earlier state than before
};

/// One per shard; whoever runs it, and however many do at once, does no harm. It mends gates, never
/// orders.
class Reconciler {
public:
    /// `gate` and `builder` null: without Redis; then it only reports what the store says.
    Reconciler(cache::Gate* gate, GateBuilder* builder, GateHistory& history, db::Store& store,
               Clock& clock, ReconcilerOptions options)
        : gate_(gate),
          builder_(builder),
          history_(history),
          store_(store),
          clock_(clock),
          options_(options) {}
    Reconciler(Reconciler&&) = delete;

    /// Every sale that has not ended for more than a day, of one organization or of all.
    asio::awaitable<Result<std::vector<SaleReconciliation>>> pass(
        std::optional<domain::OrganizationId> organization, SteadyTime deadline);

    ReconcilerMetrics const& metrics() const { return metrics_; }

private:
    /// A sale whose gate said something else than the store, and when.
    struct Suspect {
        std::size_t place = 0;  ///< in the report
        std::string generation;
        std::int64_t changes = 0;
        std::int64_t version = 0;
    };
    using Report = std::vector<SaleReconciliation>;
    using Suspects = std::vector<Suspect>;
    using View = std::optional<cache::GateView>;

    asio::awaitable<void> examine(domain::Product product, Report& report, Suspects& suspects,
                                  SteadyTime deadline);
    asio::awaitable<void> look_again(Report& report, Suspects& suspects, SteadyTime deadline);
    /// Again: not known yet. Otherwise it is, and in the report.
    enum class Finding : std::uint8_t { again, known };
    asio::awaitable<Finding> judge(Suspect& suspect, SaleReconciliation& row, SteadyTime deadline);
    asio::awaitable<void> repair(SaleReconciliation& row, std::string generation,
                                 SteadyTime deadline);
    asio::awaitable<View> replace_if_set_back(domain::ProductId sale, View view,
                                              SteadyTime deadline);
    asio::awaitable<View> standing_gate(domain::Product product, SteadyTime deadline);
    asio::awaitable<View> look(domain::ProductId sale, std::optional<domain::Instant> leases_end_by,
                               SteadyTime deadline);
    asio::awaitable<std::optional<std::size_t>> settle(domain::ProductId sale,
                                                       std::vector<domain::IdempotencyKey> keys,
                                                       domain::Instant now, SteadyTime deadline);

    cache::Gate* gate_;
    GateBuilder* builder_;
    GateHistory& history_;
    db::Store& store_;
    Clock& clock_;
    ReconcilerOptions options_;
    ReconcilerMetrics metrics_;
};

/// The pass over all sales that one server at a time does on a schedule, and that each does once
/// when it starts: the lease of a leader that died outlives it.
class LedReconciliation {
public:
    LedReconciliation(cache::Lease lease, Reconciler& reconciler)
        : lease_(std::move(lease)), reconciler_(reconciler) {}

    /// 0: nothing is left for now, whoever did it.
    asio::awaitable<Result<std::size_t>> run_once(SteadyTime deadline);
    void give_up() { lease_.give_up(); }

private:
    cache::Lease lease_;
    Reconciler& reconciler_;
    bool has_passed_ = false;
};

}  // namespace penstock::server
