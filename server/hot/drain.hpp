// WHAT a hot ledger acknowledged comes into the store: in its order, once, and then leaves the
// journal.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cache/hot_journal.hpp"
#include "reactor/backoff.hpp"
#include "reactor/collector.hpp"
#include "reactor/pulse.hpp"
#include "server/hot/worker.hpp"

namespace penstock::server {

struct DrainOptions {
    /// By items of the journal: a bulk of 500 transfers weighs 500.
    reactor::BatchLimits batch{512, milliseconds{5}, 8'192, true};
    std::size_t entries_at_once = 512;     ///< of one read, at most
    std::size_t read_bytes_max = 1 << 20;  ///< of one read, about: Redis is everybody's
    milliseconds idle{5'000};              ///< after which a server that has entries is dead
    reactor::BackoffLimits polls{milliseconds{2}, milliseconds{50}, milliseconds{0}};  ///< unwoken
    reactor::BackoffLimits gaps{milliseconds{2}, milliseconds{20}, milliseconds{0}};
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{2'000}, milliseconds{0}};
    int refusals_max = 8;  ///< by the database, of an entry that stands alone: a dead letter
    milliseconds step_max{1'000};  ///< of one answer of Redis
    milliseconds commit_max{15'000};
    milliseconds stop_max{5'000};  ///< for what is in hand when it is cancelled
};

/// Summed over the ledgers of a shard.
struct DrainMetrics {
    reactor::CollectorMetrics batches;
    reactor::Count reads;
    reactor::Count taken_over;  ///< entries that another reader had and did not settle
    reactor::Count entries;     ///< that were settled
    reactor::Count gaps;        ///< waits for whoever has the entries before
    reactor::Count dead_letters;
    reactor::Count lost;        ///< positions that are in the journal no more
    reactor::Count failures;    ///< of Redis or of the lane: tried again
    reactor::Histogram commit;  ///< of one batch; Histogram::duration_unit
    reactor::Histogram lag;     ///< from an entry's instant until the store has it
};

/// How many entries may be asked for at once: a reply has a bound, and an entry may be a bulk of
/// thousands. Pure.
class ReadSize {
public:
    ReadSize(std::size_t most, std::size_t bytes_max) : most_(most), bytes_max_(bytes_max) {}

    std::size_t next() const { return count_; }
    /// What the last read brought.
    void read(std::size_t entries, std::size_t bytes);
    /// Perhaps because it was too much.
    void failed();

private:
    static constexpr std::size_t first = 8;

    std::size_t most_;
    std::size_t bytes_max_;
    std::size_t count_ = first;
};

/// One life per ledger and server. Everything that it has in hand can be handed to it, or to
/// another server, again: the store's row of the ledger says what is new.
class Drain {
public:
    Drain(HotLedgerParts parts, DrainOptions options);
    Drain(Drain&&) = delete;

    /// Until it is cancelled, superseded or removed. What is in hand then is committed and settled
    /// if that takes no longer than `stop_max`; else it is pending in the group.
    asio::awaitable<void> run();

    /// Something was posted. On its own shard.
    void wake() { woken_.notify(); }

    /// Nothing while it runs.
    std::optional<HotEnd> end() const { return end_; }
    /// Up to where the store had the journal when it last answered.
    std::int64_t drained() const { return drained_; }
    std::optional<domain::Instant> last_flush_at() const { return last_flush_at_; }

private:
    using Entry = cache::ReadEntry;
    using Entries = std::vector<Entry>;
    /// When to go on; whether wake() may hasten that.
    struct Next {
        SteadyTime at;
        bool can_be_woken = false;
    };
    /// Entries that are in the store and still in the journal.
    struct Unsettled {
        std::vector<std::int64_t> positions;
        std::vector<domain::HoldId> ended;
    };

    asio::awaitable<Next> work();
    asio::awaitable<error_code> fetch();
    asio::awaitable<error_code> take_over();
    asio::awaitable<error_code> read();
    void add(Entries entries);
    void take_batch();
    asio::awaitable<Next> bring_home();
    std::size_t portion() const;
    asio::awaitable<Result<domain::Outcome>> submit(std::size_t entries);
    Next note_refusal(error_code error, std::size_t entries);
    void note_drained(domain::HotLedger const& row);
    asio::awaitable<error_code> settle();
    asio::awaitable<Next> unblock();
    asio::awaitable<Next> pass_over(std::string why);
    asio::awaitable<void> finish();
    Next at_once() const { return {steady_now()}; }
    Next later(reactor::Backoff& pauses, bool can_be_woken = false);
    Next fail(error_code error);
    void tell(HotNotice::What what, std::string member, std::string why, std::int64_t items = 0);
    SteadyTime step() const;

    HotLedgerParts parts_;
    DrainOptions options_;
    std::string consumer_;
    reactor::Pulse woken_;
    reactor::BatchWindow<Entry> window_;
    Entries batch_;  ///< on its way home; ascending, none twice
    Unsettled unsettled_;
    ReadSize read_size_;
    reactor::Backoff polls_;
    reactor::Backoff gaps_;
    reactor::Backoff pauses_;
    SteadyTime take_over_at_{};
    SteadyTime stop_at_ = never;  ///< once it is cancelled
    /// Entries were given to us in a reply that never came.
    bool has_missed_ = false;
    /// Nothing was in the journal before the head of the batch when it was last asked.
    bool is_first_ = false;
    std::int64_t drained_ = 0;
    std::int64_t lost_to_ = 0;     ///< for the next command; see domain::BookJournal
    std::size_t entries_max_ = 0;  ///< of the next command; 0: any number
    int refusals_ = 0;
    std::optional<domain::Instant> last_flush_at_;
    std::optional<HotEnd> end_;
};

}  // namespace penstock::server
