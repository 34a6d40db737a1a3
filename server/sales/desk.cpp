#include "server/sales/desk.hpp"

#include "cache/edge.hpp"
#include "cache/redis_client.hpp"
#include "db/pg/error.hpp"
#include "domain/assert.hpp"
#include "domain/sale.hpp"
#include "reactor/deadline.hpp"

namespace penstock::server {
namespace {

using cache::GateAnswer;
using cache::GateNote;
using domain::Refusal;
using domain::Rejection;

constexpr milliseconds keys_max_wait{2'000};

/// Whether nothing was done, and nothing will be.
bool was_not_applied(error_code error) {
    return error != reactor::Errc::deadline_exceeded && error != db::Errc::commit_unknown &&
           error != asio::error::operation_aborted && error != cache::Errc::key_in_flight;
}

bool is_reuse_of_a_key(domain::Outcome const& outcome) {
    auto const* refusal = std::get_if<Refusal>(&outcome);
    return refusal && refusal->code == Rejection::idempotency_key_reused;
}

}  // namespace

struct SaleDesk::Gates {
    Gates(asio::any_io_executor executor, cache::RedisClient& redis, db::Store& store, Clock& clock,
          SaleDeskOptions const& options)
        : gate(redis, options.gate),
          builder(executor, gate, store, clock, options.builder),
          notes(executor, redis, gate, builder, clock, options.notes) {}

    cache::Gate gate;
    GateBuilder builder;
    GateNotes notes;
};

SaleDesk::SaleDesk(asio::any_io_executor executor, cache::RedisClient* redis, db::Store& store,
                   Clock& clock, SaleDeskOptions options)
    : clock_(clock),
      options_(options),
      memory_(options.memory),
      gates_(redis ? std::make_unique<Gates>(executor, *redis, store, clock, options) : nullptr),
      reconciler_(gates_ ? &gates_->gate : nullptr, gates_ ? &gates_->builder : nullptr, history_,
                  store, clock, options.reconciler),
      tasks_(executor) {}

SaleDesk::~SaleDesk() = default;

asio::awaitable<SaleDesk::Verdict> SaleDesk::admit(ProductPtr product, domain::IdempotencyKey key,
                                                   std::string user, std::int64_t quantity,
                                                   SteadyTime deadline) {
    auto const now = clock_.now();
    if (auto refusal = refuse_by_clock(*product, now)) co_return *std::move(refusal);
    cache::Attempt attempt{key, std::move(user), quantity, now};
    if (!is_gated(*product, attempt))
        co_return Ticket(this, Ticket::Way::ungated, product->id, std::move(attempt));
    auto const asked_at = steady_now();
    if (!gates_->notes.has_news(product->id) && memory_.refuses(product->id, key, asked_at)) {
        metrics_.sold_out_by_memory.add();
        if (auto ended = domain::refuse_by_window(*product, now)) co_return *std::move(ended);
        co_return Refusal{Rejection::sold_out};
    }
    auto const answer = co_await ask(product->id, attempt, deadline);
    co_return verdict_on(answer, *product, std::move(attempt), asked_at);
}

void SaleDesk::cancelled(domain::Product const& product, domain::Order const& order) {
    if (!gates_) return;
    std::optional<domain::IdempotencyKey> key;
    if (order.key_use) key = order.key_use->key;
    memory_.forget(product.id, steady_now());
    gates_->notes.add_news(
        product.id, {GateNote::Kind::cancel, token_of(key, order.id), order.user, order.quantity});
}

void SaleDesk::restocked(domain::Product const& product) {
    if (!gates_) return;
    memory_.forget(product.id, steady_now());
    gates_->notes.restocked(product.id, gate_stock(product), product.version);
}

asio::awaitable<Result<std::vector<SaleReconciliation>>> SaleDesk::reconcile(
    domain::OrganizationId organization, SteadyTime deadline) {
    co_return co_await reconciler_.pass(organization, deadline);
}

asio::awaitable<void> SaleDesk::run() {
    if (!gates_) co_return;
    co_await asio::this_coro::throw_if_cancelled(false);
    tasks_.spawn(gates_->notes.run());
    co_await reactor::sleep_until(never);
    stopped_ = true;
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    tasks_.cancel();
    co_await gates_->builder.stop();
    co_await tasks_.join();
}

asio::awaitable<void> SaleDesk::flush(SteadyTime deadline) {
    if (gates_) co_await gates_->notes.flush(deadline);
}

cache::GateMetrics const* SaleDesk::gate_metrics() const {
    return gates_ ? &gates_->gate.metrics() : nullptr;
}

GateNotesMetrics const* SaleDesk::notes_metrics() const {
    return gates_ ? &gates_->notes.metrics() : nullptr;
}

GateBuilderMetrics const* SaleDesk::builder_metrics() const {
    return gates_ ? &gates_->builder.metrics() : nullptr;
}

SaleDesk::Ticket::~Ticket() {
    // Nobody heard the lane's answer: a reservation ends with its lease, and so does the doubt
    // about what the gate knows nothing of.
    if (desk_ == nullptr || way_ == Way::known) return;
    if (way_ == Way::unsure || way_ == Way::alone) desk_->tell(*this, GateNote::Kind::doubt);
}

void SaleDesk::Ticket::settle(Result<domain::Outcome> const& outcome) {
    if (desk_ != nullptr) desk_->settle(*this, outcome);
    desk_ = nullptr;
}

// ---- asking ------------------------------------------------------------------------------------

/// What needs no gate: a sale that has not begun, and one that ended so long ago that none of its
/// orders can be asked for again.
std::optional<Refusal> SaleDesk::refuse_by_clock(domain::Product const& product,
                                                 domain::Instant now) {
    domain::Instant const soon{now.ms + options_.clocks_differ_max.count()};
    auto const kept = milliseconds(options_.key_retention) + milliseconds(db::purge_slack);
    bool const forgotten = product.ends_at && product.ends_at->ms + kept.count() <= now.ms;
    if (soon >= product.starts_at && !forgotten) return std::nullopt;
    (forgotten ? metrics_.ended : metrics_.not_started).add();
    return domain::refuse_by_window(product, now);
}

bool SaleDesk::is_gated(domain::Product const& product, cache::Attempt const& attempt) const {
    if (!gates_ || attempt.user.empty()) return false;
    if (attempt.quantity < 1 || attempt.quantity > cache::gate_units_max) return false;
    return !product.ends_at || attempt.at < gates_->builder.gone_at(*product.ends_at);
}

asio::awaitable<cache::Answer<cache::GateJudgement>> SaleDesk::ask(domain::ProductId sale,
                                                                   cache::Attempt attempt,
                                                                   SteadyTime deadline) {
    auto answer = co_await ask_gate(sale, attempt, deadline);
    bool const stands = !answer || (answer->answer != GateAnswer::missing &&
                                    answer->answer != GateAnswer::building);
    if (stands) co_return answer;
    auto const until = std::min(deadline, steady_now() + options_.build_wait);
    // What is missing although it has a generation was set back: only another may take its place.
    auto const seen = answer->answer == GateAnswer::missing ? answer->generation : std::string();
    bool const built = co_await gates_->builder.build(sale, seen, until);
    if (!built) co_return answer;
    co_return co_await ask_gate(sale, std::move(attempt), deadline);
}

/// A gate that is in an earlier state than it was seen in has lost what came after it: as good as
/// missing, whatever it says.
asio::awaitable<cache::Answer<cache::GateJudgement>> SaleDesk::ask_gate(domain::ProductId sale,
                                                                        cache::Attempt attempt,
                                                                        SteadyTime deadline) {
    auto answer = co_await gates_->gate.admit(sale, std::move(attempt), deadline);
    bool const follows = !answer || history_.follows(sale, answer->generation, answer->changes);
    if (follows || answer->answer == GateAnswer::building) co_return answer;
    metrics_.set_back.add();
    memory_.forget(sale, steady_now());
    answer->answer = GateAnswer::missing;
    co_return answer;
}

SaleDesk::Verdict SaleDesk::verdict_on(cache::Answer<cache::GateJudgement> const& answer,
                                       domain::Product const& product, cache::Attempt attempt,
                                       SteadyTime asked_at) {
    using Way = Ticket::Way;
    if (!answer) return let_go_alone(answer.error(), product.id, std::move(attempt));
    auto way = Way::alone;
    switch (answer->answer) {
        case GateAnswer::admitted:
            metrics_.admitted.add();
            way = Way::reserved;
            break;
        case GateAnswer::again:
            metrics_.again.add();
            way = Way::reserved_before;
            break;
        case GateAnswer::known:
            metrics_.known.add();
            way = Way::known;
            break;
        case GateAnswer::building:
        case GateAnswer::missing:
            metrics_.alone_building.add();
            break;
        case GateAnswer::sale_ended:
        case GateAnswer::sale_not_started:
        case GateAnswer::sold_out:
        case GateAnswer::purchase_limit_reached:
            if (auto refusal = refusal_of(*answer, product, asked_at)) return *std::move(refusal);
            metrics_.alone_news.add();
            break;
    }
    auto const at = attempt.at;
    Ticket ticket(this, way, product.id, std::move(attempt));
    if (way != Way::alone) ticket.at_ = at;
    return ticket;
}

/// Nothing: the gate has not heard everything, and what it has not heard may be this very order.
std::optional<Refusal> SaleDesk::refusal_of(cache::GateJudgement const& judgement,
                                            domain::Product const& product, SteadyTime asked_at) {
    if (gates_->notes.has_news(product.id)) return std::nullopt;
    Refusal refusal;
    switch (judgement.answer) {
        case GateAnswer::sale_ended:
            metrics_.ended.add();
            refusal.code = Rejection::sale_ended;
            return refusal;
        case GateAnswer::sale_not_started:
            metrics_.not_started.add();
            refusal.code = Rejection::sale_not_started;
            refusal.starts_at = product.starts_at;
            return refusal;
        case GateAnswer::purchase_limit_reached:
            metrics_.limit_reached.add();
            refusal.code = Rejection::purchase_limit_reached;
            return refusal;
        default:
            break;
    }
    PENSTOCK_ASSERT(judgement.answer == GateAnswer::sold_out);
    metrics_.sold_out.add();
    refusal.code = Rejection::sold_out;
    bool const wants_keys = memory_.learn(product.id, judgement, asked_at);
    if (wants_keys && !stopped_) tasks_.spawn(fetch_keys(product.id, judgement));
    return refusal;
}

SaleDesk::Ticket SaleDesk::let_go_alone(cache::Failure const& failure, domain::ProductId sale,
                                        cache::Attempt attempt) {
    auto way = Ticket::Way::alone;
    if (failure.code == cache::Errc::refused_by_redis) {
        metrics_.alone_refused.add();
    } else if (failure.code == cache::Errc::unavailable ||
               failure.code == reactor::Errc::overloaded) {
        metrics_.alone_down.add();
    } else {
        metrics_.alone_late.add();
        way = Ticket::Way::unsure;
    }
    return Ticket(this, way, sale, std::move(attempt));
}

asio::awaitable<void> SaleDesk::fetch_keys(domain::ProductId sale, cache::GateJudgement judgement) {
    auto keys = co_await gates_->gate.known_keys(sale, judgement, options_.memory.keys_max,
                                                 steady_now() + keys_max_wait);
    if (keys) {
        memory_.learn_keys(sale, judgement, std::move(*keys));
    } else {
        memory_.keys_failed(sale);
    }
}

// ---- telling -----------------------------------------------------------------------------------

void SaleDesk::count(Result<domain::Outcome> const& outcome) {
    if (!outcome) return metrics_.lane_failed.add();
    if (auto const* receipt = std::get_if<domain::Receipt>(&*outcome))
        return (receipt->replayed ? metrics_.replayed : metrics_.placed).add();
    switch (std::get<Refusal>(*outcome).code) {
        case Rejection::sale_not_started:
            return metrics_.lane_not_started.add();
        case Rejection::sale_ended:
            return metrics_.lane_ended.add();
        case Rejection::sold_out:
            return metrics_.lane_sold_out.add();
        case Rejection::purchase_limit_reached:
            return metrics_.lane_limit_reached.add();
        case Rejection::insufficient_funds:
            return metrics_.lane_no_funds.add();
        default:
            return metrics_.lane_refused.add();
    }
}

void SaleDesk::settle(Ticket const& ticket, Result<domain::Outcome> const& outcome) {
    using Way = Ticket::Way;
    count(outcome);
    auto const way = ticket.way_;
    if (way == Way::known || way == Way::ungated) return;
    bool const mine = way == Way::reserved;
    if (!outcome) {
        // What another attempt with this key reserved, that one may have committed.
        if (mine && was_not_applied(outcome.error())) tell(ticket, GateNote::Kind::release);
        bool const unheard = way == Way::unsure || way == Way::alone;
        bool const in_flight = outcome.error() == cache::Errc::key_in_flight;
        if (unheard && !in_flight && !was_not_applied(outcome.error()))
            tell(ticket, GateNote::Kind::doubt);
        return;
    }
    if (std::holds_alternative<domain::Receipt>(*outcome)) {
        tell(ticket, GateNote::Kind::confirm);
        return;
    }
    // Refused, and what refuses it is not that its key belongs to another order of this sale.
    bool const whole = mine || !is_reuse_of_a_key(*outcome);
    if (whole && way != Way::alone) tell(ticket, GateNote::Kind::release);
}

void SaleDesk::tell(Ticket const& ticket, GateNote::Kind kind) {
    GateNote note{kind, ticket.attempt_.key, ticket.attempt_.user, ticket.attempt_.quantity};
    auto& notes = gates_->notes;
    bool const expected = ticket.way_ == Ticket::Way::reserved ||
                          ticket.way_ == Ticket::Way::reserved_before ||
                          kind == GateNote::Kind::release;
    if (expected) {
        notes.add(ticket.sale_, std::move(note));
    } else {
        notes.add_news(ticket.sale_, std::move(note));
    }
}

}  // namespace penstock::server
