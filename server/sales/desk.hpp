// WHO may go on to the lane with an order: asked of the sale's gate, and told back to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cache/gate.hpp"
#include "db/store.hpp"
#include "domain/outcome.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"
#include "server/product_ptr.hpp"
#include "server/sales/gate_builder.hpp"
#include "server/sales/gate_history.hpp"
#include "server/sales/gate_notes.hpp"
#include "server/sales/reconciler.hpp"
#include "server/sales/sold_out_memory.hpp"

namespace penstock::server {

struct SaleDeskOptions {
    cache::GateOptions gate;
    GateBuilderOptions builder;
    GateNotesOptions notes;
    SoldOutLimits memory;
    ReconcilerOptions reconciler;
    /// How long an attempt waits for a gate that is being built, before the lane decides alone.
    milliseconds build_wait{250};
    /// Before the start of a sale everybody is refused for free, but not in its last moment:
    /// another server's clock may be ahead, and a repetition of what it accepted comes here.
    milliseconds clocks_differ_max{1'000};
    /// How long an accepted order may be asked for again.
    std::chrono::hours key_retention{24};
};

/// One per shard. Attempts, by what became of them.
struct SaleDeskMetrics {
    reactor::Count admitted;  ///< reserved in the gate
    reactor::Count again;     ///< reserved before: an attempt that was not answered is repeated
    reactor::Count known;     ///< repetitions of decided orders
    reactor::Count not_started;
    reactor::Count ended;
    reactor::Count sold_out;
    reactor::Count sold_out_by_memory;  ///< without asking the gate
    reactor::Count limit_reached;
    // Attempts that went to the lane without the gate's word, by reason:
    reactor::Count alone_down;      ///< Redis is away, or was too slow a moment ago
    reactor::Count alone_late;      ///< command_max passed, or the connection was lost
    reactor::Count alone_refused;   ///< an error reply: out of memory …
    reactor::Count alone_building;  ///< the gate did not stand in time
    reactor::Count alone_news;      ///< the gate refused, and has not heard everything yet
    reactor::Count set_back;        ///< gates found in an earlier state than they were seen in
    // Orders that went to the lane, by what it said:
    reactor::Count placed;
    reactor::Count replayed;
    reactor::Count lane_not_started;
    reactor::Count lane_ended;
    reactor::Count lane_sold_out;
    reactor::Count lane_limit_reached;
    reactor::Count lane_no_funds;
    reactor::Count lane_refused;  ///< for any other reason
    reactor::Count lane_failed;   ///< no answer of the rules
};

/// Outlives every request. Nothing here decides an order: the lane does, whatever a gate says.
class SaleDesk {
public:
    /// The right to go on to the lane. It ends with settle(), or with its own life: then the
    /// order may exist or not, and the lease of its reservation will tell.
    class Ticket {
    public:
        Ticket(Ticket&& other) noexcept
            : desk_(std::exchange(other.desk_, nullptr)),
              way_(other.way_),
              at_(other.at_),
              sale_(other.sale_),
              attempt_(std::move(other.attempt_)) {}
        Ticket& operator=(Ticket&&) = delete;
        ~Ticket();

        /// The instant at which the gate let it in; nullopt: the lane decides alone.
        std::optional<domain::Instant> at() const { return at_; }

        /// What the lane said. Tells the gate; nobody waits for it. At most once.
        void settle(Result<domain::Outcome> const& outcome);

    private:
        friend class SaleDesk;
        enum class Way : std::uint8_t {
            reserved,         ///< by this attempt
            reserved_before,  ///< by an earlier one with this key, of which nothing is known
            known,            ///< its order was decided before
            unsure,           ///< the gate was asked and did not answer
            alone,            ///< the gate was not asked, or is not there
            ungated,          ///< there is no gate that could be told
        };
        Ticket(SaleDesk* desk, Way way, domain::ProductId sale, cache::Attempt attempt)
            : desk_(desk), way_(way), sale_(sale), attempt_(std::move(attempt)) {}

        SaleDesk* desk_;
        Way way_;
        std::optional<domain::Instant> at_;
        domain::ProductId sale_;
        cache::Attempt attempt_;
    };
    using Verdict = std::variant<Ticket, domain::Refusal>;

    /// `redis` null: there are no gates, and the lane decides alone.
    SaleDesk(asio::any_io_executor executor, cache::RedisClient* redis, db::Store& store,
             Clock& clock, SaleDeskOptions options);
    SaleDesk(SaleDesk&&) = delete;
    ~SaleDesk();

    /// Of `product` only what never changes is looked at. One round trip, or none; it never fails:
    /// where Redis is of no help, the answer is a ticket. The refusal is the one that the lane
    /// would give.
    asio::awaitable<Verdict> admit(ProductPtr product, domain::IdempotencyKey key, std::string user,
                                   std::int64_t quantity, SteadyTime deadline);

    /// After the commit; nobody waits for them.
    void cancelled(domain::Product const& product, domain::Order const& order);
    void restocked(domain::Product const& product);

    /// Every sale of the organization that has not ended for more than a day, compared and mended.
    asio::awaitable<Result<std::vector<SaleReconciliation>>> reconcile(
        domain::OrganizationId organization, SteadyTime deadline);

    /// Its background life: tells the gates. Ends on cancellation.
    asio::awaitable<void> run();
    /// Returns when the gates have been told everything, or at the deadline.
    asio::awaitable<void> flush(SteadyTime deadline);

    Reconciler& reconciler() { return reconciler_; }
    SaleDeskMetrics const& metrics() const { return metrics_; }
    cache::GateMetrics const* gate_metrics() const;
    GateNotesMetrics const* notes_metrics() const;
    GateBuilderMetrics const* builder_metrics() const;

private:
    /// What there is where there is Redis.
    struct Gates;

    std::optional<domain::Refusal> refuse_by_clock(domain::Product const& product,
                                                   domain::Instant now);
    bool is_gated(domain::Product const& product, cache::Attempt const& attempt) const;
    asio::awaitable<cache::Answer<cache::GateJudgement>> ask(domain::ProductId sale,
                                                             cache::Attempt attempt,
                                                             SteadyTime deadline);
    Verdict verdict_on(cache::Answer<cache::GateJudgement> const& answer,
                       domain::Product const& product, cache::Attempt attempt, SteadyTime asked_at);
    std::optional<domain::Refusal> refusal_of(cache::GateJudgement const& judgement,
                                              domain::Product const& product, SteadyTime asked_at);
    Ticket let_go_alone(cache::Failure const& failure, domain::ProductId sale,
                        cache::Attempt attempt);
    asio::awaitable<void> fetch_keys(domain::ProductId sale, cache::GateJudgement judgement);
    asio::awaitable<cache::Answer<cache::GateJudgement>> ask_gate(domain::ProductId sale,
                                                                  cache::Attempt attempt,
                                                                  SteadyTime deadline);
    void count(Result<domain::Outcome> const& outcome);
    void settle(Ticket const& ticket, Result<domain::Outcome> const& outcome);
    void tell(Ticket const& ticket, cache::GateNote::Kind kind);

    Clock& clock_;
    SaleDeskOptions options_;
    SaleDeskMetrics metrics_;
    SoldOutMemory memory_;
    GateHistory history_;
    std::unique_ptr<Gates> gates_;  ///< null: without Redis
    Reconciler reconciler_;
    bool stopped_ = false;
    reactor::TaskGroup tasks_;
};

}  // namespace penstock::server
