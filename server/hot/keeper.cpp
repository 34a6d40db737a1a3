#include "server/hot/keeper.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <string>
#include <utility>

#include "cache/redis_client.hpp"
#include "reactor/deadline.hpp"
#include "reactor/until_cancelled.hpp"
#include "server/hot/status.hpp"
#include "server/place.hpp"

namespace penstock::server {
namespace {

/// Of ledgers that nobody here keeps, to be woken elsewhere: more of them wait for the next post.
constexpr std::size_t elsewhere_max = 1'000;
/// Between two looks at which ledgers there are, however often somebody asks for one.
constexpr milliseconds refresh_least{50};
constexpr milliseconds forget_max{1'000};

asio::awaitable<void> nothing(domain::LedgerId) { co_return; }
bool every(domain::LedgerId) { return true; }
void nobody(HotBar) {}

std::string_view name_of(HotBar bar) {
    switch (bar) {
        case HotBar::none:
            return "none";
        case HotBar::memory:
            return "memory";
        case HotBar::unfit:
            return "unfit";
        case HotBar::stopping:
            break;
    }
    return "stopping";
}

HotKeeperParts complete(HotKeeperParts parts) {
    if (!parts.bar) parts.bar = nobody;
    if (!parts.opened) parts.opened = nothing;
    if (!parts.keeps) parts.keeps = every;
    if (!parts.wake_elsewhere) parts.wake_elsewhere = nothing;
    return parts;
}

}  // namespace

/// A ledger that is, or was a moment ago.
struct HotKeeper::Kept {
    Kept(domain::LedgerId ledger, HotLifeParts const& parts, bool is_allowed)
        : life(ledger, parts, is_allowed), task(parts.executor) {
        task.spawn(life.run());
    }

    HotLedgerLife life;
    reactor::TaskGroup task;
    bool is_stopping = false;
};

HotKeeper::HotKeeper(HotKeeperParts parts, HotKeeperOptions options)
    : parts_(complete(std::move(parts))),
      options_(options),
      books_(parts_.redis, parts_.books),
      journal_(parts_.redis, parts_.books.database),
      closing_(parts_.redis, parts_.books.database),
      inspector_(parts_.store, parts_.redis, parts_.books.database),
      life_parts_{parts_.executor, parts_.store.hot(), parts_.redis,  books_,       journal_,
                  closing_,        parts_.submit,      parts_.work,   parts_.clock, parts_.ids,
                  parts_.log,      parts_.opened,      metrics_.life, options.life},
      changed_(parts_.executor),
      forwarding_(parts_.executor) {
    // Until Redis has said that it forgets nothing.
    parts_.bar(HotBar::unfit);
    metrics_.bar.set(static_cast<std::uint64_t>(HotBar::unfit));
}

HotKeeper::~HotKeeper() = default;

asio::awaitable<void> HotKeeper::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    reactor::TaskGroup lives(parts_.executor);
    lives.spawn(watch_health());
    lives.spawn(refresh_now_and_then());
    lives.spawn(forward());
    co_await reactor::until_cancelled(lives);
    for (auto const& [ledger, kept] : kept_) kept->task.cancel();
    for (auto const& [ledger, kept] : kept_) co_await kept->task.join();
    std::erase_if(kept_, [](auto const& one) { return !one.second->life.has_caller(); });
}

asio::awaitable<void> HotKeeper::refresh_now_and_then() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        auto const began = steady_now();
        co_await refresh();
        bool const undisturbed = co_await changed_.wait(began + options_.refresh);
        if (!undisturbed) co_return;
        bool const awake = co_await reactor::sleep_until(began + refresh_least);
        if (!awake) co_return;
    }
}

asio::awaitable<void> HotKeeper::refresh() {
    auto present = co_await list();
    if (!present) co_return;
    for (auto const& ledger : *present)
        if (!kept_.contains(ledger)) start(ledger);
    co_await reap(std::move(*present));
    sum_up();
}

/// Those that this shard keeps. Nothing: the store does not say, and all stay as they are.
asio::awaitable<std::optional<std::set<domain::LedgerId>>> HotKeeper::list() {
    auto const deadline = steady_now() + options_.list_max;
    std::optional<std::set<domain::LedgerId>> present(std::in_place);
    std::optional<domain::LedgerId> after;
    for (;;) {
        auto const page =
            co_await parts_.store.hot().list_hot_ledgers(after, options_.page, deadline);
        if (!page) {
            metrics_.list_failures.add();
            parts_.log.limited(list_failures_, LogLevel::warning, "hot_ledgers_not_listed",
                               {{"error", page.error().message()}});
            present.reset();
            break;
        }
        for (auto const& ledger : *page)
            if (parts_.keeps(ledger.id)) present->insert(ledger.id);
        if (page->size() < options_.page) break;
        after = page->back().id;
    }
    co_return present;
}

void HotKeeper::start(domain::LedgerId ledger) {
    kept_.emplace(ledger, std::make_unique<Kept>(ledger, life_parts_, is_allowed_));
}

/// Those that are gone are stopped, and waited for by the next rounds: a slow one holds up nobody.
asio::awaitable<void> HotKeeper::reap(std::set<domain::LedgerId> present) {
    std::vector<domain::LedgerId> forgotten;
    for (auto one = kept_.begin(); one != kept_.end();) {
        auto& kept = *one->second;
        bool const is_gone = !present.contains(one->first);
        if (is_gone && !kept.is_stopping) {
            kept.is_stopping = true;
            kept.task.cancel();
        }
        if (kept.task.size() > 0 || kept.life.has_caller()) {
            ++one;
            continue;
        }
        if (is_gone) forgotten.push_back(one->first);
        one = kept_.erase(one);
    }
    for (auto const& ledger : forgotten) {
        auto const done = co_await closing_.forget(ledger, steady_now() + forget_max);
        parts_.log.info("hot_ledger_ended",
                        {{"ledger_id", ledger.to_string()}, {"forgotten", done && *done}});
    }
}

asio::awaitable<void> HotKeeper::watch_health() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        bool const up = co_await parts_.redis.up_before(never);
        if (!up) co_return;
        auto const began = steady_now();
        auto const memory = co_await cache::memory_of(parts_.redis, began + options_.list_max);
        if (memory) judge(*memory);
        bool const awake = co_await reactor::sleep_until(began + options_.health_every);
        if (!awake) co_return;
    }
}

void HotKeeper::judge(cache::RedisMemory const& memory) {
    auto said = HotBar::none;
    if (memory.is_above(options_.memory_percent)) said = HotBar::memory;
    if (memory.evicts()) said = HotBar::unfit;
    if (said == bar_) return;
    bar(said);
    auto const level = said == HotBar::none ? LogLevel::info : LogLevel::error;
    auto const* const event = said == HotBar::none ? "hot_posts_allowed" : "hot_posts_barred";
    LogLimit always{milliseconds{0}};
    parts_.log.limited(always, level, event,
                       {{"bar", name_of(said)},
                        {"maxmemory_policy", memory.policy},
                        {"maxmemory", memory.most},
                        {"used_memory", memory.used}});
}

void HotKeeper::bar(HotBar bar) {
    bar_ = bar;
    metrics_.bar.set(static_cast<std::uint64_t>(bar));
    parts_.bar(bar);
    is_allowed_ = bar != HotBar::unfit;
    for (auto const& [ledger, kept] : kept_) kept->life.allow(is_allowed_);
}

void HotKeeper::wake(domain::LedgerId ledger) {
    if (auto* const life = find_life(ledger)) {
        life->wake();
    } else if (parts_.keeps(ledger)) {
        changed_.notify();
    } else if (elsewhere_.size() < elsewhere_max) {
        elsewhere_.insert(ledger);
        forwarding_.notify();
    }
}

asio::awaitable<void> HotKeeper::forward() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        bool const undisturbed = co_await forwarding_.wait();
        if (!undisturbed) co_return;
        for (auto const& ledger : std::exchange(elsewhere_, {}))
            co_await parts_.wake_elsewhere(ledger);
    }
}

asio::awaitable<Result<std::int64_t>> HotKeeper::close(domain::LedgerId ledger,
                                                       SteadyTime deadline) {
    auto* const life = find_life(ledger);
    if (life == nullptr) co_return cache::Errc::unavailable;
    co_return co_await life->close(deadline);
}

HotLedgerLife* HotKeeper::find_life(domain::LedgerId ledger) const {
    auto const found = kept_.find(ledger);
    return found == kept_.end() ? nullptr : &found->second->life;
}

HotLedgerLife const* HotKeeper::find(domain::LedgerId ledger) const { return find_life(ledger); }

void HotKeeper::sum_up() {
    HotStatus sum;
    std::size_t open = 0;
    auto const now = parts_.clock.now();
    for (auto const& [ledger, kept] : kept_) {
        auto const& standing = kept->life.standing();
        if (!standing) continue;
        auto const status = status_of(*standing, now);
        ++open;
        sum.journal_lag += status.journal_lag;
        sum.journal_oldest_ms = std::max(sum.journal_oldest_ms, status.journal_oldest_ms);
        sum.schedule_depth += status.schedule_depth;
        sum.schedule_oldest_ms = std::max(sum.schedule_oldest_ms, status.schedule_oldest_ms);
        sum.claimed += status.claimed;
        sum.dead_letters += status.dead_letters;
    }
    auto const show = [](reactor::Count& gauge, std::int64_t value) {
        gauge.set(static_cast<std::uint64_t>(value));
    };
    metrics_.ledgers.set(kept_.size());
    metrics_.ledgers_open.set(open);
    show(metrics_.journal_lag, sum.journal_lag);
    show(metrics_.journal_oldest_ms, sum.journal_oldest_ms);
    show(metrics_.schedule_depth, sum.schedule_depth);
    show(metrics_.schedule_oldest_ms, sum.schedule_oldest_ms);
    show(metrics_.claimed, sum.claimed);
    show(metrics_.dead_letters, sum.dead_letters);
}

HotKeeper& HotKeepers::add_shard(HotKeeperParts parts, HotKeeperOptions options, HotDesk& desk) {
    auto const shard = keepers_.size();
    parts.bar = [&desk](HotBar bar) { desk.bar(bar); };
    parts.opened = [this](domain::LedgerId ledger) { return tell_opened(ledger); };
    parts.keeps = [this, shard](domain::LedgerId ledger) { return shard_of(ledger) == shard; };
    parts.wake_elsewhere = [this](domain::LedgerId ledger) { return wake(ledger); };
    auto& keeper = *keepers_.emplace_back(std::make_unique<HotKeeper>(std::move(parts), options));
    desks_.push_back(&desk);
    desk.inspector = &keeper.inspector();
    desk.on_unready = [&keeper](domain::LedgerId ledger) { keeper.wake(ledger); };
    desk.seal = [this](domain::LedgerId ledger, SteadyTime deadline) {
        return close(ledger, deadline);
    };
    return keeper;
}

std::size_t HotKeepers::shard_of(domain::LedgerId ledger) const {
    domain::Envelope envelope;
    envelope.command = domain::BeginEpoch{ledger};
    return place_of(envelope) % reactor_.size();
}

asio::awaitable<void> HotKeepers::wake(domain::LedgerId ledger) {
    auto const shard = shard_of(ledger);
    auto there = [this, shard, ledger] { return wake_on(shard, ledger); };
    co_await reactor_.on(shard, std::move(there));
}

asio::awaitable<void> HotKeepers::wake_on(std::size_t shard, domain::LedgerId ledger) {
    keepers_[shard]->wake(ledger);
    co_return;
}

asio::awaitable<void> HotKeepers::tell_opened(domain::LedgerId ledger) {
    for (std::size_t shard = 0; shard < desks_.size(); ++shard) {
        auto there = [this, shard, ledger] { return tell_opened_on(shard, ledger); };
        co_await reactor_.on(shard, std::move(there));
    }
}

asio::awaitable<void> HotKeepers::tell_opened_on(std::size_t shard, domain::LedgerId ledger) {
    desks_[shard]->opened(ledger);
    co_return;
}

asio::awaitable<Result<std::int64_t>> HotKeepers::close(domain::LedgerId ledger,
                                                        SteadyTime deadline) {
    auto const shard = shard_of(ledger);
    auto there = [this, shard, ledger, deadline] {
        return keepers_[shard]->close(ledger, deadline);
    };
    co_return co_await reactor_.on(shard, std::move(there));
}

}  // namespace penstock::server
