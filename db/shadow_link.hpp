// WHEN do commits of the primary reach the shadow: a bounded queue, and the one task that empties
// it.
//
// A batch is applied under the shadow's mirror lock: transfers and other rows that never change
// come from its Changes, standings too where they are newer than the shadow's; every other row that
// it touched is read from the primary after the lock was taken. So whatever is applied twice, late
// or after a gap leaves the shadow with a state that the primary has had since, never with an older
// one than it had.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "db/migration.hpp"
#include "db/mirror.hpp"
#include "db/pg/session.hpp"
#include "db/shadow_positions.hpp"
#include "domain/working_set.hpp"
#include "reactor/counters.hpp"
#include "reactor/pulse.hpp"

namespace penstock::db {

struct ShadowOptions {
    ShadowOptions(pg::Address its_source, pg::Address its_target)
        : source(std::move(its_source)), target(std::move(its_target)) {}

    pg::ConnectionOptions source;
    pg::ConnectionOptions target;
    std::string server;  ///< whose commits are marked
    Migrations migrations;
    reactor::BackoffLimits backoff = pg::reconnect_pauses;
    std::size_t queue_rows = 200'000;  ///< more: the batch is left out, which is a gap
    std::size_t group_rows = 4'000;    ///< that are applied in one transaction
    /// How long a batch waits for company: a group costs the same few round trips, of which one
    /// is the primary's, however many batches it holds.
    milliseconds linger{50};
    milliseconds step_max{20'000};  ///< of one attempt at a group
    milliseconds pause_min{20};
    milliseconds pause_max{1'000};  ///< between attempts
    int refusals_max = 5;           ///< of one group by the shadow, before it is left out
    /// Every "no" of the shadow, for the log.
    std::function<void(error_code, std::string const& why)> on_failure = nullptr;
    /// Batches were left out: a backfill must follow.
    std::function<void(std::uint64_t)> on_gap = nullptr;
    pg::Session::Observer on_connection = nullptr;
};

/// What a link counts, per event loop.
struct ShadowMetrics {
    reactor::Count batches;       ///< applied
    reactor::Count rows;          ///< applied
    reactor::Count mirrored;      ///< rows that were read from the primary
    reactor::Count failures;      ///< attempts that failed
    reactor::Count gaps;          ///< batches that were left out
    reactor::Count queued;        ///< batches that wait
    reactor::Count queued_rows;   ///< their rows
    reactor::Count waits_since;   ///< of the oldest one, in milliseconds of steady time; 0: none
    reactor::Count reads;         ///< answered by the shadow
    reactor::Count reads_behind;  ///< that the primary answered, because the shadow was behind
    reactor::Histogram lag;       ///< from a commit to its being applied

    /// How long the oldest batch has been waiting.
    milliseconds behind() const;
};

/// How far the links of a process are; any thread may read.
struct ShadowProgress {
    std::atomic<std::uint64_t> pushed{0};
    std::atomic<std::uint64_t> applied{0};  ///< or left out

    bool done() const { return applied.load() >= pushed.load(); }
};

/// One per event loop. Everything is bounded: push() never waits and never fails.
class ShadowLink {
public:
    ShadowLink(asio::any_io_executor executor, ShadowOptions options);
    ShadowLink(ShadowLink&&) = delete;
    ~ShadowLink();

    /// The connections, and the task that applies. Ends on cancellation; what is still queued
    /// then is a gap.
    asio::awaitable<void> run();

    /// Was committed. `certain`: false when nobody knows; then the primary is asked row by row.
    void push(domain::Changes changes, bool certain = true, std::optional<ShadowMark> mark = {});
    /// One row was changed by something that is not a batch.
    void touch(std::string_view table, mirror::Fields row);
    /// Something was changed, and nobody says what: a gap.
    void miss();
    /// Rows of a range were changed, and nobody says which.
    void touch_range(std::string_view table, mirror::Range range);

    ShadowProgress const& progress() const { return progress_; }

    ShadowMetrics& metrics() { return metrics_; }
    ShadowMetrics const& metrics() const { return metrics_; }
    /// It is there, and it is the primary's.
    /// Any thread may ask.
    bool up() const { return claimed_ && target_.metrics().up.get() == 1; }

private:
    using Touched = std::map<std::string_view, std::vector<mirror::Fields>>;
    struct Batch {
        domain::Changes changes;
        Touched touched;
        std::vector<std::pair<std::string_view, mirror::Range>> ranges;
        std::optional<ShadowMark> mark;
        bool thorough = false;
        std::size_t rows = 0;
        SteadyTime at;
    };
    using Group = std::vector<Batch>;

    void enqueue(Batch batch);
    Group take();
    asio::awaitable<bool> get_to_know();
    asio::awaitable<void> apply_all();
    asio::awaitable<bool> apply_until_done(Group& group);
    asio::awaitable<error_code> apply(Group const& group, bool thorough);
    asio::awaitable<error_code> learn_tables(SteadyTime deadline);
    error_code because(pg::Failure const& failure);
    void note_failure(error_code error);
    using Found = std::map<std::string_view, std::set<mirror::Key>>;
    mirror::Portions portions_of(Group const& group, bool thorough, Found keys) const;
    void leave_out(std::uint64_t batches);
    void leave_out(Batch const& batch);
    void note_queue();
    asio::awaitable<bool> pause(int attempt);

    asio::any_io_executor executor_;
    ShadowOptions options_;
    std::vector<std::shared_ptr<mirror::Catalog const>> catalogs_;  ///< before the sessions
    pg::Session source_;
    pg::Session target_;
    reactor::Pulse changed_;
    std::deque<Batch> queue_;
    std::size_t queued_rows_ = 0;  ///< of the group at work, too
    ShadowMarks marks_;
    ShadowProgress progress_;
    std::atomic<bool> claimed_{false};
    bool ended_ = false;
    std::string reason_;  ///< of the last failure
    ShadowMetrics metrics_;
};

}  // namespace penstock::db
