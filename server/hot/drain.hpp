// WHAT a hot ledger acknowledged comes into the store: in its order, once, and then leaves the
// journal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cache/hot_journal.hpp"
#include "reactor/backoff.hpp"
#include "reactor/collector.hpp"
#include "server/hot/steps.hpp"
#include "server/hot/worker.hpp"

namespace penstock::server {

struct DrainOptions {
    /// By items of the journal: a bulk of 500 transfers weighs 500.
    reactor::BatchLimits batch{512, milliseconds{5}, 8'192, true};
    int rests = 3;                         ///< as long as a batch took, so often, behind it
    std::int64_t rests_up_to = 50'000;     ///< items that are not home; beyond it there is no rest
    std::size_t entries_at_once = 512;     ///< of one read, at most
    std::size_t read_bytes_max = 1 << 20;  ///< of one read, about: Redis is everybody's
    milliseconds idle{5'000};              ///< after which a server that has entries is dead
    /// How often the journal is looked at that nothing is heard of.
    reactor::BackoffLimits polls{milliseconds{2}, milliseconds{200}, milliseconds{0}};
    /// How often it is looked whether the entries before these have come home.
    reactor::BackoffLimits gaps{milliseconds{2}, milliseconds{20}, milliseconds{0}};
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{2'000}, milliseconds{0}};
    /// By the database, of an entry that stands alone while others are taken: a dead letter.
    int refusals_max = 8;
    milliseconds step_max{1'000};  ///< of one answer of Redis
    milliseconds commit_max{5'000};
    milliseconds stop_max{5'000};  ///< for what is in hand when it is cancelled
};

/// Summed over the ledgers of a shard.
struct DrainMetrics {
    reactor::CollectorMetrics batches;
    reactor::Count reads;
    reactor::Count taken_over;  ///< entries that a reader had and did not settle
    reactor::Count entries;     ///< that were settled
    reactor::Count gaps;        ///< waits for whoever has the entries before
    reactor::Count dead_letters;
    reactor::Count lost;        ///< positions that are in the journal no more
    reactor::Count failures;    ///< of Redis or of the lane: tried again
    reactor::Histogram commit;  ///< of one command; Histogram::duration_unit
    reactor::Histogram lag;     ///< from an entry's instant until the store has it
};

/// How many entries may be asked for at once: a reply has a bound, and an entry may be a bulk of
/// thousands. Pure.
class ReadSize {
public:
    ReadSize(std::size_t most, std::size_t bytes_max) : most_(most), bytes_max_(bytes_max) {}

    std::size_t next() const { return count_; }
    /// What came of asking for next() of them.
    void brought(std::size_t entries, std::size_t bytes);
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

    /// Nothing while it runs.
    std::optional<HotEnd> end() const { return end_; }
    /// Up to where the store had the journal when it last answered.
    std::int64_t drained() const { return drained_; }

private:
    using Entry = cache::ReadEntry;
    using Entries = std::vector<Entry>;
    using Read = cache::Answer<std::optional<Entries>>;

    asio::awaitable<std::optional<SteadyTime>> step();
    asio::awaitable<error_code> fetch();
    asio::awaitable<error_code> read_missed();
    asio::awaitable<error_code> take_over();
    asio::awaitable<error_code> read();
    error_code note(cache::Failure const& failure);
    error_code note(Read const& answer);
    void add_old(Entries entries);
    void take_window();
    asio::awaitable<SteadyTime> bring_home();
    asio::awaitable<SteadyTime> rest(SteadyTime since);
    std::size_t portion() const;
    asio::awaitable<Result<domain::Outcome>> submit(std::size_t entries);
    void note_home(domain::HotLedger row, std::size_t entries);
    asio::awaitable<error_code> settle();
    asio::awaitable<error_code> settle_rubbish();
    asio::awaitable<SteadyTime> note_refusal(error_code error, std::size_t entries);
    asio::awaitable<SteadyTime> unblock();
    SteadyTime wait_for_others();
    asio::awaitable<SteadyTime> pass_over(std::string why);
    asio::awaitable<error_code> bury(Entry entry, std::string why);
    asio::awaitable<void> finish();

    SteadyTime at_once() const { return steady_now(); }
    SteadyTime after(reactor::Backoff& pauses);
    SteadyTime fail(error_code error, char const* what);
    SteadyTime in(milliseconds limit) const;

    HotLedgerParts parts_;
    DrainOptions options_;
    Steps steps_;
    reactor::BatchWindow<Entry> window_;
    Entries batch_;  ///< on its way home; ascending, none twice
    /// In the store, and still in the journal.
    std::vector<std::int64_t> unsettled_;
    std::vector<domain::HoldId> ended_;
    Entries rubbish_;  ///< no entries, where the store is past already
    ReadSize read_size_;
    reactor::Backoff polls_;
    reactor::Backoff gaps_;
    reactor::Backoff pauses_;
    SteadyTime take_over_at_{};
    SteadyTime stop_at_ = never;  ///< once it is cancelled
    /// Entries were perhaps given to us in a reply that never came, or to whom we were before.
    bool has_missed_ = true;
    /// When the journal was last asked, nothing lay before the head of the batch.
    bool is_first_ = false;
    bool is_waiting_ = false;  ///< for whoever has the entries before
    /// Entries came home since one was laid aside: it is not that the store takes none.
    bool has_brought_ = false;
    std::int64_t drained_ = 0;
    std::int64_t lost_to_ = 0;     ///< for the next command; see domain::BookJournal
    std::size_t entries_max_ = 0;  ///< of the next command; 0: no matter
    int refusals_ = 0;
    std::string complaint_;  ///< of Redis
    std::optional<HotEnd> ending_;
    std::optional<HotEnd> end_;
};

}  // namespace penstock::server
