// Begin, read and tell page by page, finish: and what of that may be somebody else's to do.
#include "server/sales/gate_builder.hpp"

#include <algorithm>
#include <utility>

#include "reactor/deadline.hpp"

namespace penstock::server {

using cache::GateBegun;
using cache::GateNote;
using cache::GateTold;

domain::IdempotencyKey token_of(std::optional<domain::IdempotencyKey> const& key,
                                domain::OrderId const& order) {
    return key ? *key : domain::IdempotencyKey{order.value};
}

std::int64_t gate_stock(domain::Product const& product) {
    return std::min(product.stock, cache::gate_units_max);
}

GateNote note_of(db::Sold const& sold) {
    bool const completed = sold.status == domain::OrderStatus::completed;
    return {completed ? GateNote::Kind::confirm : GateNote::Kind::cancel,
            token_of(sold.key, sold.id), sold.user, sold.quantity};
}

asio::awaitable<bool> GateBuilder::build(domain::ProductId sale, std::string seen,
                                         SteadyTime deadline) {
    for (;;) {
        if (stopped_) co_return false;
        auto promise = std::make_shared<reactor::Promise<Built>>(executor_);
        auto const [place, is_new] = flights_.try_emplace(sale, Flight{seen, {}});
        bool const same = place->second.seen == seen;
        place->second.waiting.push_back(promise);
        if (is_new) building_.spawn(fly(sale));
        auto const built = co_await promise->wait(deadline);
        if (!built) co_return false;
        // Another generation was to be replaced: now it is this one's turn.
        if (is_new || same || seen.empty()) co_return *built == Built::yes;
    }
}

asio::awaitable<void> GateBuilder::stop() {
    stopped_ = true;
    building_.cancel();
    co_await building_.join();
}

asio::awaitable<void> GateBuilder::fly(domain::ProductId sale) {
    // Cancelled or not, whoever waits gets an answer.
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const built = co_await raise(sale, flights_.at(sale).seen);
    if (built == Built::no) metrics_.failures.add();
    auto const flight = flights_.extract(sale);
    for (auto const& promise : flight.mapped().waiting) promise->set(built);
}

asio::awaitable<GateBuilder::Built> GateBuilder::raise(domain::ProductId sale, std::string seen) {
    auto const began = steady_now();
    auto const deadline = began + options_.build_max;
    auto const product = co_await find(sale, deadline);
    if (!product) co_return Built::no;
    cache::GateRules const rules{product->starts_at, product->ends_at, product->per_user_limit};
    GateBegun begun;
    for (;;) {
        auto const answer = co_await gate_.begin(sale, rules, seen, deadline);
        if (!answer) co_return Built::no;
        begun = *answer;
        if (begun.state == GateBegun::State::ready) co_return Built::yes;
        if (begun.state == GateBegun::State::begun) break;
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.poll);
        if (!awake || steady_now() >= deadline) co_return Built::no;
    }
    bool const filled = co_await fill(sale, begun.generation, deadline);
    if (!filled) co_return Built::no;
    // Read after the orders: a restock that was told to the gate meanwhile is no news then.
    auto const now = co_await find(sale, deadline);
    if (!now) co_return Built::no;
    std::optional<domain::Instant> goes_at;
    if (now->ends_at) goes_at = gone_at(*now->ends_at);
    auto const told = co_await gate_.finish(sale, begun.generation, gate_stock(*now), now->version,
                                            goes_at, deadline);
    bool const opened = told && *told == GateTold::recorded;
    if (!opened) co_return Built::no;
    metrics_.builds.add();
    metrics_.duration.record(steady_now() - began);
    co_return Built::yes;
}

/// Orders that are committed from now on are told to the gate by whoever placed them.
asio::awaitable<bool> GateBuilder::fill(domain::ProductId sale, std::string generation,
                                        SteadyTime deadline) {
    std::optional<domain::OrderId> after;
    for (;;) {
        auto const step = std::min(deadline, steady_now() + options_.step_max);
        auto const page = co_await store_.list_sold(sale, after, options_.orders_at_once, step);
        if (!page) co_return false;
        std::vector<GateNote> notes;
        notes.reserve(page->size());
        for (auto const& sold : *page) notes.push_back(note_of(sold));
        bool const last = page->size() < options_.orders_at_once;
        auto const told =
            co_await gate_.record(sale, std::move(notes), clock_.now(), generation, step);
        if (!told || *told != GateTold::recorded) co_return false;
        if (last) co_return true;
        after = page->back().id;
    }
}

asio::awaitable<std::optional<domain::Product>> GateBuilder::find(domain::ProductId sale,
                                                                  SteadyTime deadline) {
    std::vector<domain::ProductId> ids;
    ids.push_back(sale);
    auto const step = std::min(deadline, steady_now() + options_.step_max);
    auto found = co_await store_.find_products(std::move(ids), step);
    if (!found || found->empty()) co_return std::nullopt;
    co_return std::move(found->front());
}

}  // namespace penstock::server
