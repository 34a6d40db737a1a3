// WHOSE balance comes into the store: claimed, collected, written when the drain has passed it, and
// released.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cache/hot_schedule.hpp"
#include "reactor/backoff.hpp"
#include "reactor/collector.hpp"
#include "reactor/pulse.hpp"
#include "server/hot/worker.hpp"

namespace penstock::server {

struct SyncOptions {
    /// The timer starts with the first account of an empty buffer.
    reactor::BatchLimits batch{512, milliseconds{20}, 512, false};
    milliseconds delay{100};    ///< an account is claimed so long after its first change
    milliseconds lease{5'000};  ///< of a claim; renewed when half of it is over
    reactor::BackoffLimits polls{milliseconds{10}, milliseconds{100}, milliseconds{0}};
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{2'000}, milliseconds{0}};
    int refusals_max = 8;          ///< by the database, of one that stands alone: a dead letter
    milliseconds step_max{1'000};  ///< of one answer of Redis
    milliseconds flush_max{15'000};
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
    reactor::Count dead_letters;
    reactor::Count failures;   ///< of Redis or of the lane: tried again
    reactor::Histogram flush;  ///< of one batch; Histogram::duration_unit
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

    /// The drain has come further. On its own shard.
    void wake() { woken_.notify(); }

    /// Nothing while it runs.
    std::optional<HotEnd> end() const { return end_; }
    std::optional<domain::Instant> last_flush_at() const { return last_flush_at_; }

private:
    using Claims = std::vector<cache::Claim>;
    struct Next {
        SteadyTime at;
        bool can_be_woken = false;
    };

    asio::awaitable<Next> work();
    asio::awaitable<error_code> renew();
    asio::awaitable<error_code> claim();
    asio::awaitable<error_code> take_in(Claims claims);
    void let_pass();
    Claims take_batch();
    asio::awaitable<Next> flush();
    asio::awaitable<Result<domain::Outcome>> submit(std::size_t accounts);
    asio::awaitable<Next> note_refusal(error_code error, std::size_t accounts);
    asio::awaitable<void> release(Claims claims, bool is_written);
    asio::awaitable<error_code> bury(cache::Claim claim, std::string why);
    asio::awaitable<void> finish();
    std::size_t room() const;
    std::vector<std::string> addresses() const;
    Next at_once() const { return {steady_now()}; }
    Next later(reactor::Backoff& pauses, bool can_be_woken = false);
    Next fail(error_code error);
    void tell(HotNotice::What what, std::string member, std::string why);
    SteadyTime step() const;

    HotLedgerParts parts_;
    SyncOptions options_;
    std::string owner_;
    reactor::Pulse woken_;
    reactor::BatchWindow<cache::Claim> window_;  ///< the drain has passed these
    Claims waiting_;                             ///< and these not yet
    Claims batch_;                               ///< on its way home
    reactor::Backoff polls_;
    reactor::Backoff pauses_;
    SteadyTime renew_at_ = never;
    SteadyTime stop_at_ = never;  ///< once it is cancelled
    std::int64_t drained_ = 0;
    std::size_t accounts_max_ = 0;  ///< of the next command; 0: any number
    int refusals_ = 0;
    std::optional<domain::Instant> last_flush_at_;
    std::optional<HotEnd> end_;
};

}  // namespace penstock::server
