// WHOSE balance comes into the store: claimed, collected, written when the drain has passed it, and
// released.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cache/hot_schedule.hpp"
#include "reactor/backoff.hpp"
#include "reactor/collector.hpp"
#include "server/hot/steps.hpp"
#include "server/hot/worker.hpp"

namespace penstock::server {

struct SyncOptions {
    /// The timer starts with the first account of an empty buffer; no more than a batch is claimed.
    reactor::BatchLimits batch{512, milliseconds{20}, 512, false};
    int rests = 3;              ///< as long as a batch took, so often, behind it
    milliseconds delay{100};    ///< from an account's first change until it may be claimed
    milliseconds lease{5'000};  ///< of a claim; renewed when half of it is over
    /// How often the schedule is looked at, and whether the drain has passed what waits for it.
    reactor::BackoffLimits polls{milliseconds{10}, milliseconds{200}, milliseconds{0}};
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{2'000}, milliseconds{0}};
    /// By the database, of one that stands alone while others are written: a dead letter.
    int refusals_max = 8;
    milliseconds step_max{1'000};  ///< of one answer of Redis
    milliseconds flush_max{5'000};
    milliseconds stop_max{5'000};  ///< for what is in hand when it is cancelled
};

/// Summed over the ledgers of a shard.
struct SyncMetrics {
    reactor::CollectorMetrics batches;
    reactor::Count claimed;
    reactor::Count clean;        ///< written, and not changed since
    reactor::Count changed;      ///< written, and due again
    reactor::Count released;     ///< not written
    reactor::Count waits;        ///< claims that the drain had not passed yet
    reactor::Count claims_lost;  ///< their lease was over
    reactor::Count mended;       ///< rows that were behind, after the books were lost
    reactor::Count dead_letters;
    reactor::Count failures;   ///< of Redis or of the lane: tried again
    reactor::Histogram flush;  ///< of one command; Histogram::duration_unit
    reactor::Histogram lag;    ///< from the change that was written until the store has it
};

/// One life per ledger and server. A claim that it loses does no harm: versions decide.
class Sync {
public:
    Sync(HotLedgerParts parts, SyncOptions options);
    Sync(Sync&&) = delete;

    /// Until it is cancelled, superseded or removed. What is in hand then is written if that takes
    /// no longer than `stop_max`, and no claim is left behind.
    asio::awaitable<void> run();

    /// Nothing while it runs.
    std::optional<HotEnd> end() const { return end_; }
    std::optional<domain::Instant> last_flush_at() const { return last_flush_at_; }

private:
    using Addresses = std::vector<std::string>;

    asio::awaitable<std::optional<SteadyTime>> step();
    asio::awaitable<error_code> renew();
    asio::awaitable<error_code> claim(std::size_t room);
    std::size_t room() const;
    asio::awaitable<error_code> take_in(std::vector<cache::Claim> claims);
    void let_pass();
    void take_batch();
    asio::awaitable<SteadyTime> flush();
    asio::awaitable<Result<domain::Outcome>> submit(std::size_t accounts);
    asio::awaitable<void> note_written(std::size_t accounts);
    asio::awaitable<SteadyTime> note_refusal(error_code error, std::size_t accounts);
    asio::awaitable<void> release(Addresses addresses, bool is_written);
    asio::awaitable<error_code> bury(std::string address, std::string why);
    asio::awaitable<void> finish();

    bool has_passed(cache::Claim const& claim) const;
    void forget(std::string const& address);
    error_code note(cache::Failure const& failure);
    SteadyTime at_once() const { return steady_now(); }
    SteadyTime after(reactor::Backoff& pauses);
    SteadyTime fail(error_code error, char const* what);
    SteadyTime in(milliseconds limit) const;

    HotLedgerParts parts_;
    SyncOptions options_;
    std::string owner_;
    Steps steps_;
    std::map<std::string, cache::Claim> claims_;  ///< all that are ours, the newest of each address
    std::set<std::string> waiting_;               ///< those that the drain has not passed
    reactor::BatchWindow<std::string> window_;    ///< and those that it has
    Addresses batch_;                             ///< on its way home
    reactor::Backoff polls_;
    reactor::Backoff pauses_;
    SteadyTime renew_at_ = never;
    SteadyTime stop_at_ = never;  ///< once it is cancelled
    std::int64_t drained_ = 0;
    std::size_t accounts_max_ = 0;  ///< of the next command; 0: no matter
    std::map<std::string, int> refusals_;
    /// Accounts were written since one was laid aside: it is not that the store takes none.
    bool has_written_ = false;
    std::string complaint_;  ///< of Redis
    std::optional<domain::Instant> last_flush_at_;
    std::optional<HotEnd> ending_;
    std::optional<HotEnd> end_;
};

}  // namespace penstock::server
