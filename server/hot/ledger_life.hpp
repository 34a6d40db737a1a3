// IS a hot ledger open, and is it brought home: the life of one ledger on one server.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <optional>
#include <string>

#include "cache/hot_books.hpp"
#include "cache/hot_closing.hpp"
#include "cache/hot_journal.hpp"
#include "cache/lease.hpp"
#include "db/hot_store.hpp"
#include "reactor/backoff.hpp"
#include "reactor/counters.hpp"
#include "reactor/pulse.hpp"
#include "reactor/task_group.hpp"
#include "server/hot/worker.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {

enum class HotTasks : std::uint8_t {
    all,
    drain,  ///< of a journal whose books cannot be used
};

/// What brings a ledger home in one epoch: its drain and its sync. On cancellation it flushes what
/// it holds, releases the rest and ends. It may end by itself when the epoch is over.
using HotWork = std::function<asio::awaitable<void>(domain::LedgerId ledger, std::int64_t epoch,
                                                    HotTasks tasks)>;

struct HotLifeOptions {
    milliseconds look_every{500};       ///< at the books, though nobody complained
    milliseconds look_soon{20};         ///< the same, while a journal is drained to its end
    milliseconds step_max{5'000};       ///< one question to Redis or to the store while opening
    milliseconds opener_lease{10'000};  ///< for so long others wait for one who opens
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{1'000}, milliseconds{1'000}};
    /// How long a ledger that was closed to be deleted waits for that, before it is opened again.
    milliseconds closed_max{5'000};
};

/// Of all lives on one shard.
struct HotLifeMetrics {
    reactor::Count opened;    ///< as the books were
    reactor::Count built;     ///< anew from the store
    reactor::Count sealed;    ///< damaged: drained first, then built
    reactor::Count adopted;   ///< opened by somebody else
    reactor::Count closed;    ///< to be deleted
    reactor::Count failures;  ///< tries of opening that came to nothing
    reactor::Count lost;      ///< acknowledged items that are known to have gone with Redis's data
};

/// What lives share; it outlives them.
struct HotLifeParts {
    asio::any_io_executor executor;
    db::HotStore& store;
    cache::RedisClient& redis;
    cache::HotBooks& books;
    cache::HotJournal& journal;
    cache::HotClosing& closing;
    HotSubmit submit;
    HotWork work;
    Clock& clock;
    IdSource& ids;
    Log& log;
    /// The books are open now, for whoever waits for that on any shard.
    std::function<asio::awaitable<void>(domain::LedgerId)> opened;
    HotLifeMetrics& metrics;
    HotLifeOptions options;
};

/// Several servers keep the same ledger: any of them opens it, under an epoch that the store gives
/// once, and all work in it. Two who open at once do no harm: the later epoch is the one.
class HotLedgerLife {
public:
    /// `parts` outlives it.
    HotLedgerLife(domain::LedgerId ledger, HotLifeParts const& parts, bool is_allowed);
    HotLedgerLife(HotLedgerLife&&) = delete;

    /// Its one background life. Ends on cancellation, or when the store has no such ledger.
    asio::awaitable<void> run();

    /// A post was told that the ledger is to be opened. Cheap, however often.
    void wake();
    /// While Redis must not be trusted it is not opened.
    void allow(bool is_allowed) { is_allowed_ = is_allowed; }

    /// Takes no posts any more and brings everything home: the epoch under which it may be deleted,
    /// or 0 where it has money on it, and goes on. The next wake() opens it again, or closed_max.
    /// One caller at a time: overloaded. It outlives its callers.
    asio::awaitable<Result<std::int64_t>> close(SteadyTime deadline);
    bool has_caller() const { return has_caller_; }
    /// Of itself: the store has no such ledger.
    bool is_gone() const { return is_gone_; }

    domain::LedgerId ledger() const { return ledger_; }
    /// As it was seen last; nothing while it is not open.
    std::optional<cache::HotStanding> const& standing() const { return standing_; }

private:
    /// What is wanted of the books; at `shut` it is so, and everything is home.
    enum class Door : std::uint8_t { open, closing, shut };
    /// Of one try: the epoch to work in, or not yet.
    using Try = std::optional<std::int64_t>;

    asio::awaitable<Try> settle();
    asio::awaitable<void> pause();
    asio::awaitable<Try> attempt();
    asio::awaitable<Try> find_open();
    asio::awaitable<bool> is_ready();
    asio::awaitable<Try> open();
    asio::awaitable<Try> shut();
    asio::awaitable<std::optional<domain::HotLedger>> begin_epoch();
    asio::awaitable<std::optional<cache::HotOpened>> open_books(domain::HotLedger row);
    asio::awaitable<Try> opened_as(cache::HotOpened opened, std::int64_t epoch,
                                   std::int64_t drained);
    asio::awaitable<Try> rebuild(cache::HotOpened sealed, std::int64_t epoch);
    asio::awaitable<bool> drained_to(std::int64_t position, std::int64_t epoch);
    asio::awaitable<void> serve(std::int64_t epoch);
    asio::awaitable<void> end(reactor::TaskGroup& tasks);
    asio::awaitable<bool> is_stopped();
    asio::awaitable<bool> watch(std::int64_t epoch);
    asio::awaitable<bool> look(std::int64_t epoch);
    asio::awaitable<bool> is_seen_open(SteadyTime deadline);
    asio::awaitable<bool> has_money(SteadyTime deadline);
    void note_standing(cache::HotStanding standing);
    void note_lost(std::int64_t position);
    void failed(std::string_view step, cache::Failure const& failure);
    void failed(std::string_view step, error_code error);
    SteadyTime step_deadline() const { return steady_now() + parts_.options.step_max; }

    HotLifeParts const& parts_;
    domain::LedgerId ledger_;
    cache::Lease lease_;  ///< whoever opens, or closes, has it meanwhile
    reactor::Pulse woken_;
    reactor::Pulse shut_;  ///< for the one who waits in close()
    reactor::Backoff pauses_;
    bool is_woken_ = false;
    bool has_caller_ = false;
    bool is_allowed_;
    bool is_gone_ = false;      ///< the store has no such ledger
    bool has_stopped_ = false;  ///< was cancelled
    bool has_ended_ = false;
    Door door_ = Door::open;
    std::int64_t closed_epoch_ = 0;
    /// In which the work ended by itself: something is amiss that opening mends.
    std::int64_t spent_epoch_ = 0;
    SteadyTime closed_until_{};
    std::string process_;     ///< of Redis, for which the books were seen to be ready
    std::int64_t known_ = 0;  ///< the latest position that was ever seen
    std::optional<cache::HotStanding> standing_;
    LogLimit failures_;
};

}  // namespace penstock::server
