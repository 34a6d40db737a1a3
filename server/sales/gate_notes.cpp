#include "server/sales/gate_notes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cache/redis_client.hpp"
#include "reactor/cancellation.hpp"
#include "reactor/deadline.hpp"

namespace penstock::server {

using cache::GateNote;

void GateNotes::restocked(domain::ProductId sale, std::int64_t stock, std::int64_t version) {
    auto& told = sales_[sale].stock;
    if (told && told->version >= version) return;
    told = Stock{stock, version};
    added_.notify();
}

bool GateNotes::has_news(domain::ProductId sale) const {
    auto const place = sales_.find(sale);
    if (place == sales_.end()) return false;
    auto const& of_sale = place->second;
    return of_sale.news > 0 || of_sale.stock || of_sale.lost || of_sale.building;
}

asio::awaitable<void> GateNotes::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const cancellation = co_await asio::this_coro::cancellation_state;
    while (!reactor::is_cancelled(cancellation)) {
        if (sales_.empty()) {
            emptied_.notify();
            bool const awake = co_await added_.wait();
            if (!awake) co_return;
        }
        if (!redis_.up()) {
            co_await redis_.up_before(steady_now() + options_.tell_max);
            continue;
        }
        bool all_told = true;
        std::optional<domain::ProductId> last;
        while (all_told && !reactor::is_cancelled(cancellation)) {
            auto const next = last ? sales_.upper_bound(*last) : sales_.begin();
            if (next == sales_.end()) break;
            last = next->first;
            all_told = co_await tell(*last);
        }
        if (all_told) continue;
        metrics_.failures.add();
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.pause);
        if (!awake) co_return;
    }
}

asio::awaitable<void> GateNotes::flush(SteadyTime deadline) {
    while (!sales_.empty() && redis_.up() && steady_now() < deadline) {
        added_.notify();
        bool const awake =
            co_await emptied_.wait(std::min(deadline, steady_now() + options_.pause));
        if (!awake) co_return;
    }
}

void GateNotes::add(domain::ProductId sale, GateNote note, bool news) {
    auto& of_sale = sales_[sale];
    added_.notify();
    // The gate that is to come reads it from the store.
    if (of_sale.lost) return;
    if (unsent_ >= options_.unsent_max) {
        drop(of_sale);
        of_sale.lost = true;
        metrics_.dropped.add();
        return;
    }
    of_sale.notes.push_back({std::move(note), news});
    of_sale.news += news ? 1 : 0;
    metrics_.unsent.set(++unsent_);
}

void GateNotes::drop(OfSale& of_sale) {
    unsent_ -= of_sale.notes.size();
    metrics_.unsent.set(unsent_);
    of_sale.notes.clear();
    of_sale.news = 0;
}

void GateNotes::count(GateNote::Kind kind) {
    switch (kind) {
        case GateNote::Kind::confirm:
            return metrics_.confirmed.add();
        case GateNote::Kind::cancel:
            return metrics_.cancelled.add();
        case GateNote::Kind::doubt:
            return metrics_.doubts.add();
        case GateNote::Kind::release:
        case GateNote::Kind::expire:
            break;
    }
    metrics_.released.add();
}

/// Everything of one sale; then it is forgotten. False: Redis did not take it.
asio::awaitable<bool> GateNotes::tell(domain::ProductId sale) {
    auto& of_sale = sales_.at(sale);
    if (of_sale.lost) co_return co_await build_anew(sale);
    if (!of_sale.notes.empty()) {
        bool const told = co_await tell_notes(sale);
        if (!told) co_return false;
    }
    if (of_sale.stock) {
        bool const told = co_await tell_stock(sale);
        if (!told) co_return false;
    }
    if (of_sale.notes.empty() && !of_sale.stock && !of_sale.lost) sales_.erase(sale);
    co_return true;
}

asio::awaitable<bool> GateNotes::tell_notes(domain::ProductId sale) {
    auto& of_sale = sales_.at(sale);
    auto const size = std::min(of_sale.notes.size(), options_.notes_at_once);
    std::vector<GateNote> notes;
    notes.reserve(size);
    for (std::size_t i = 0; i < size; ++i) notes.push_back(of_sale.notes[i].note);
    auto const told = co_await gate_.record(sale, std::move(notes), clock_.now(), "",
                                            steady_now() + options_.tell_max);
    // Without a gate there is nobody to tell: whoever builds one reads the store after this.
    if (!told) co_return false;
    // Dropped meanwhile: what is there now came later.
    if (of_sale.lost) co_return true;
    for (std::size_t i = 0; i < size; ++i) {
        auto const& first = of_sale.notes.front();
        count(first.note.kind);
        of_sale.news -= first.news ? 1 : 0;
        of_sale.notes.pop_front();
    }
    unsent_ -= size;
    metrics_.unsent.set(unsent_);
    co_return true;
}

asio::awaitable<bool> GateNotes::tell_stock(domain::ProductId sale) {
    auto& of_sale = sales_.at(sale);
    auto const telling = *of_sale.stock;
    auto const told = co_await gate_.restock(sale, telling.stock, telling.version,
                                             steady_now() + options_.tell_max);
    if (!told) co_return false;
    metrics_.restocks.add();
    if (of_sale.stock == telling) of_sale.stock.reset();
    co_return true;
}

asio::awaitable<bool> GateNotes::build_anew(domain::ProductId sale) {
    auto& of_sale = sales_.at(sale);
    // What happens from here on is told again: the store may have been read before it.
    of_sale.lost = false;
    of_sale.building = true;
    auto const view = co_await gate_.look(sale, std::nullopt, 0, steady_now() + options_.tell_max);
    bool good = view.has_value();
    if (good && *view) {
        auto const until = steady_now() + std::chrono::seconds{30};
        good = co_await builder_.build(sale, (*view)->generation, until);
    }
    of_sale.building = false;
    if (!good) of_sale.lost = true;
    if (!good) drop(of_sale);
    co_return good;
}

}  // namespace penstock::server
