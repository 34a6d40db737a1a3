// WHICH hot ledgers are there, and does each have its life on this server: they come and go.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "cache/redis_memory.hpp"
#include "reactor/reactor.hpp"
#include "reactor/task_group.hpp"
#include "server/hot/desk.hpp"
#include "server/hot/inspector.hpp"
#include "server/hot/ledger_life.hpp"

namespace penstock::server {

struct HotKeeperOptions {
    HotLifeOptions life;
    milliseconds refresh{1'000};   ///< between two looks at which ledgers there are
    milliseconds list_max{5'000};  ///< one look
    std::size_t page = 500;
    milliseconds health_every{1'000};
    /// Of Redis's `maxmemory`: above it nothing more is posted.
    unsigned memory_percent = 80;
};

/// Gauges are those of all ledgers that this shard keeps; every server says the same.
struct HotKeeperMetrics {
    reactor::Count ledgers;
    reactor::Count ledgers_open;
    reactor::Count journal_lag;
    reactor::Count journal_oldest_ms;
    reactor::Count schedule_depth;
    reactor::Count schedule_oldest_ms;
    reactor::Count claimed;
    reactor::Count dead_letters;
    reactor::Count bar;  ///< HotBar
    reactor::Count list_failures;
    HotLifeMetrics life;
};

/// What a keeper works with; it outlives the keeper.
struct HotKeeperParts {
    asio::any_io_executor executor;
    db::Store& store;  ///< of the database that decides
    cache::RedisClient& redis;
    cache::HotBooksOptions books;
    HotSubmit submit;
    HotWork work;
    Clock& clock;
    IdSource& ids;
    Log& log;
    /// Whether posts are refused on this shard, whatever the books say.
    std::function<void(HotBar)> bar = nullptr;
    /// The books of a ledger are open, for whoever waits on any shard.
    std::function<asio::awaitable<void>(domain::LedgerId)> opened = nullptr;
    /// Whether this shard keeps a ledger; by default every one.
    std::function<bool(domain::LedgerId)> keeps = nullptr;
    /// Wakes the keeper of one that this shard does not keep.
    std::function<asio::awaitable<void>(domain::LedgerId)> wake_elsewhere = nullptr;
};

/// One per shard. A slow ledger delays no other: each has a life of its own.
class HotKeeper {
public:
    HotKeeper(HotKeeperParts parts, HotKeeperOptions options);
    HotKeeper(HotKeeper&&) = delete;
    ~HotKeeper();

    /// Its one background life. On cancellation the work of every ledger is flushed and released,
    /// as long as that takes at most.
    asio::awaitable<void> run();

    /// A post was told that this ledger, whichever it is, is to be opened first.
    void wake(domain::LedgerId ledger);

    /// See HotLedgerLife. Of a ledger that is not kept here: unavailable.
    asio::awaitable<Result<std::int64_t>> close(domain::LedgerId ledger, SteadyTime deadline);

    HotInspector& inspector() { return inspector_; }
    HotKeeperMetrics const& metrics() const { return metrics_; }
    /// Null: not kept here.
    HotLedgerLife const* find(domain::LedgerId ledger) const;

private:
    struct Kept;

    asio::awaitable<void> refresh_now_and_then();
    asio::awaitable<void> refresh();
    asio::awaitable<std::optional<std::set<domain::LedgerId>>> list();
    asio::awaitable<void> reap(std::set<domain::LedgerId> present);
    void start(domain::LedgerId ledger);
    asio::awaitable<void> watch_health();
    void judge(cache::RedisMemory const& memory);
    void bar(HotBar bar);
    asio::awaitable<void> forward();
    void sum_up();
    HotLedgerLife* find_life(domain::LedgerId ledger) const;

    HotKeeperParts parts_;
    HotKeeperOptions options_;
    HotKeeperMetrics metrics_;
    cache::HotBooks books_;
    cache::HotJournal journal_;
    cache::HotClosing closing_;
    HotInspector inspector_;
    HotLifeParts life_parts_;
    std::map<domain::LedgerId, std::unique_ptr<Kept>> kept_;
    std::set<domain::LedgerId> elsewhere_;  ///< to be woken there
    reactor::Pulse changed_;
    reactor::Pulse forwarding_;
    std::optional<HotBar> bar_;  ///< nothing: Redis has not said how it is
    bool is_allowed_ = false;
    LogLimit list_failures_;
};

/// The keepers of all shards: a ledger is kept where its lane is.
class HotKeepers {
public:
    explicit HotKeepers(reactor::Reactor& reactor) : reactor_(reactor) {}
    HotKeepers(HotKeepers&&) = delete;

    /// Shards in their order, before they run. Sets what `desk` is to be told and may ask; of
    /// `parts` everything but that.
    HotKeeper& add_shard(HotKeeperParts parts, HotKeeperOptions options, HotDesk& desk);
    HotKeeper& of_shard(std::size_t shard) { return *keepers_.at(shard); }
    HotKeeper const& of_shard(std::size_t shard) const { return *keepers_.at(shard); }

    /// From any shard.
    asio::awaitable<Result<std::int64_t>> close(domain::LedgerId ledger, SteadyTime deadline);

private:
    std::size_t shard_of(domain::LedgerId ledger) const;
    asio::awaitable<void> wake(domain::LedgerId ledger);
    asio::awaitable<void> wake_on(std::size_t shard, domain::LedgerId ledger);
    asio::awaitable<void> tell_opened(domain::LedgerId ledger);
    asio::awaitable<void> tell_opened_on(std::size_t shard, domain::LedgerId ledger);

    reactor::Reactor& reactor_;
    std::vector<std::unique_ptr<HotKeeper>> keepers_;
    std::vector<HotDesk*> desks_;
};

}  // namespace penstock::server
