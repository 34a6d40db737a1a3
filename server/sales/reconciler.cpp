#include "server/sales/reconciler.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_set>
#include <utility>

#include "reactor/deadline.hpp"
#include "server/sales/gate_builder.hpp"

namespace penstock::server {
namespace {

/// Fills in what the two sides say.
void compare(SaleReconciliation& row, domain::Product const& product,
             std::optional<cache::GateView> const& view) {
    row.product = product.id;
    row.stock = product.stock;
    row.sold = product.sold;
    row.gate_remaining.reset();
    row.reserved = row.drift = 0;
    if (!view) return;
    row.reserved = view->reserved;
    row.gate_remaining = view->remaining();
    row.drift = view->remaining() - (gate_stock(product) - product.sold - view->reserved);
}

/// Whether attempts are to be expected.
bool is_on(domain::Product const& product, domain::Instant now) {
    return now >= product.starts_at && (!product.ends_at || now < *product.ends_at);
}

}  // namespace

asio::awaitable<Result<Reconciler::Report>> Reconciler::pass(
    std::optional<domain::OrganizationId> organization, SteadyTime deadline) {
    domain::Instant const ended_after{clock_.now().ms - milliseconds(options_.kept).count()};
    Report report;
    Suspects suspects;
    std::optional<domain::ProductId> after;
    for (;;) {
        auto const step = std::min(deadline, steady_now() + options_.step_max);
        auto page = co_await store_.list_open_sales(ended_after, after, options_.sales_at_once,
                                                    organization, step);
        if (!page) co_return page.error();
        for (auto& product : *page) {
            after = product.id;
            co_await examine(std::move(product), report, suspects, deadline);
            if (steady_now() >= deadline)
                co_return make_error_code(reactor::Errc::deadline_exceeded);
        }
        if (page->size() < options_.sales_at_once) break;
    }
    co_await look_again(report, suspects, deadline);
    metrics_.passes.add();
    metrics_.sales.add(report.size());
    co_return report;
}

asio::awaitable<void> Reconciler::examine(domain::Product product, Report& report,
                                          Suspects& suspects, SteadyTime deadline) {
    auto const view = co_await standing_gate(product, deadline);
    auto& row = report.emplace_back();
    compare(row, product, view);
    if (row.drift == 0) co_return;
    // The page may be older than the gate's answer by now.
    suspects.push_back({report.size() - 1, view->generation, view->changes, product.version});
}

/// A drift is real when the gate and the store both say the same a moment later: otherwise one of
/// them was just being told of an order.
asio::awaitable<void> Reconciler::look_again(Report& report, Suspects& suspects,
                                             SteadyTime deadline) {
    for (int look = 1; look < options_.looks_max && !suspects.empty(); ++look) {
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.pause);
        if (!awake || steady_now() >= deadline) co_return;
        Suspects unclear;
        for (auto& suspect : suspects) {
            auto const finding = co_await judge(suspect, report[suspect.place], deadline);
            if (finding == Finding::again) unclear.push_back(std::move(suspect));
        }
        suspects = std::move(unclear);
    }
}

asio::awaitable<Reconciler::Finding> Reconciler::judge(Suspect& suspect, SaleReconciliation& row,
                                                       SteadyTime deadline) {
    // Whatever is reserved may be committed already, by a server that died before it said so.
    auto const now = clock_.now();
    auto const open = co_await look(row.product, std::nullopt, deadline);
    if (!open) co_return Finding::known;
    auto const unknown = co_await settle(row.product, open->reservations, now, deadline);
    if (!unknown) co_return Finding::known;

    auto const view = co_await look(row.product, now, deadline);
    std::vector<domain::ProductId> ids;
    ids.push_back(row.product);
    auto const step = std::min(deadline, steady_now() + options_.step_max);
    auto const products = co_await store_.find_products(std::move(ids), step);
    if (!view || !products || products->empty()) co_return Finding::known;
    auto const& product = products->front();
    compare(row, product, view);
    if (row.drift == 0) co_return Finding::known;
    bool const same = suspect.generation == view->generation && suspect.changes == view->changes &&
                      suspect.version == product.version;
    suspect.generation = view->generation;
    suspect.changes = view->changes;
    suspect.version = product.version;
    if (!same) co_return Finding::again;
    co_await repair(row, view->generation, deadline);
    co_return Finding::known;
}

asio::awaitable<void> Reconciler::repair(SaleReconciliation& row, std::string generation,
                                         SteadyTime deadline) {
    metrics_.drifts.add();
    metrics_.drift_units.add(static_cast<std::uint64_t>(std::abs(row.drift)));
    auto const until = std::min(deadline, steady_now() + options_.build_max);
    row.repaired = co_await builder_->build(row.product, std::move(generation), until);
    (row.repaired ? metrics_.repairs : metrics_.repairs_failed).add();
    if (options_.on_drift) options_.on_drift(row);
}

/// The gate with every reservation settled whose lease is over. A sale that is on and has none
/// gets one; nothing: there is none, or Redis does not say.
asio::awaitable<Reconciler::View> Reconciler::standing_gate(domain::Product product,
                                                            SteadyTime deadline) {
    if (!gate_) co_return std::nullopt;
    auto const now = clock_.now();
    auto const answer = co_await gate_->look(product.id, now, options_.reservations_at_once,
                                             std::min(deadline, steady_now() + options_.step_max));
    if (!answer) co_return std::nullopt;
    View view = co_await replace_if_set_back(product.id, *answer, deadline);
    if ((!view || !view->ready) && is_on(product, now)) {
        auto const until = std::min(deadline, steady_now() + options_.build_max);
        bool const built = co_await builder_->build(product.id, "", until);
        if (!built) co_return std::nullopt;
        view = co_await look(product.id, now, deadline);
    }
    while (view && view->ready && !view->reservations.empty()) {
        auto const before = view->changes;
        auto const unknown = co_await settle(product.id, view->reservations, now, deadline);
        if (!unknown) co_return std::nullopt;
        metrics_.settled_released.add(*unknown);
        view = co_await look(product.id, now, deadline);
        if (view && view->changes == before) break;
    }
    if (view && !view->ready) view.reset();
    co_return view;
}

/// A gate that is in an earlier state than it was seen in may be wrong although its sums are right.
asio::awaitable<Reconciler::View> Reconciler::replace_if_set_back(domain::ProductId sale, View view,
                                                                  SteadyTime deadline) {
    bool const follows = !view || history_.follows(sale, view->generation, view->changes);
    if (follows || !view->ready) co_return view;
    metrics_.set_back.add();
    auto const until = std::min(deadline, steady_now() + options_.build_max);
    bool const built = co_await builder_->build(sale, view->generation, until);
    if (!built) co_return view;
    co_return co_await look(sale, clock_.now(), deadline);
}

asio::awaitable<Reconciler::View> Reconciler::look(domain::ProductId sale,
                                                   std::optional<domain::Instant> leases_end_by,
                                                   SteadyTime deadline) {
    auto const step = std::min(deadline, steady_now() + options_.step_max);
    auto const answer =
        co_await gate_->look(sale, leases_end_by, options_.reservations_at_once, step);
    if (!answer) co_return std::nullopt;
    co_return *answer;
}

/// Tells the gate what the store says of these reservations; of those that it does not know, and
/// how many they are, that they may go once their leases are over. Nothing: it could not be told.
asio::awaitable<std::optional<std::size_t>> Reconciler::settle(
    domain::ProductId sale, std::vector<domain::IdempotencyKey> keys, domain::Instant now,
    SteadyTime deadline) {
    if (keys.empty()) co_return std::size_t(0);
    auto const step = std::min(deadline, steady_now() + options_.step_max);
    auto const orders = co_await store_.find_orders_by_keys(sale, keys, step);
    if (!orders) co_return std::nullopt;
    std::vector<cache::GateNote> notes;
    notes.reserve(keys.size());
    std::unordered_set<domain::IdempotencyKey, domain::UuidHash> found;
    std::size_t confirmed = 0;
    for (auto const& sold : *orders) {
        notes.push_back(note_of(sold));
        found.insert(notes.back().key);
        confirmed += notes.back().kind == cache::GateNote::Kind::confirm ? 1 : 0;
    }
    for (auto const& key : keys)
        if (!found.contains(key)) notes.push_back({cache::GateNote::Kind::expire, key});
    auto const told = co_await gate_->record(sale, std::move(notes), now, "", step);
    if (!told || *told != cache::GateTold::recorded) co_return std::nullopt;
    metrics_.settled_confirmed.add(confirmed);
    metrics_.settled_cancelled.add(orders->size() - confirmed);
    co_return keys.size() - found.size();
}

asio::awaitable<Result<std::size_t>> LedReconciliation::run_once(SteadyTime deadline) {
    bool const leads = co_await lease_.hold(deadline);
    if (!leads && has_passed_) co_return std::size_t(0);
    auto const report = co_await reconciler_.pass(std::nullopt, deadline);
    if (!report) co_return report.error();
    has_passed_ = true;
    co_return std::size_t(0);
}

}  // namespace penstock::server
