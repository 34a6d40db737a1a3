// HOW a whole database is copied into another one, and how the two are compared.
#include "db/move.hpp"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "db/shadow_state.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::db {
namespace {

using mirror::Key;
using mirror::Range;
using mirror::Table;

constexpr milliseconds reach_max{10'000};
constexpr milliseconds position_every{500};
constexpr milliseconds settle_pause{50};
constexpr milliseconds hold_pause{5};

pg::ConnectionOptions walking(pg::ConnectionOptions options, MoveOptions const& limits) {
    options.application_name += "-move";
    options.plans = pg::Plans::pinned;
    options.statement_timeout = limits.step_max;
    options.response_max = limits.step_max + milliseconds{5'000};
    options.idle_in_transaction_max = limits.step_max;
    return options;
}

std::string shown(Key const& key) {
    std::string text;
    for (auto const& part : key) text += (text.empty() ? "" : "/") + part;
    return text;
}

/// A range as one database has it.
struct Digest {
    std::int64_t rows = 0;
    std::string md5;

    bool operator==(Digest const&) const = default;
};

using Digests = std::map<Key, std::string>;

Digests digests_of(pg::Rows const& rows) {
    Digests digests;
    for (pg::Row const row : rows) digests.emplace(mirror::read_key(row, 0), row.text(1));
    return digests;
}

/// Keys that only one of them has, or both with different rows.
std::vector<Key> differing(Digests const& ours, Digests const& theirs) {
    std::vector<Key> keys;
    for (auto const& [key, digest] : ours) {
        auto const found = theirs.find(key);
        if (found == theirs.end() || found->second != digest) keys.push_back(key);
    }
    for (auto const& [key, digest] : theirs)
        if (!ours.contains(key)) keys.push_back(key);
    return keys;
}

/// Both databases, for as long as a walk over them lasts.
class Pair {
public:
    Pair(asio::any_io_executor executor, MoveOptions its_options)
        : options(std::move(its_options)),
          source(executor, walking(options.source, options)),
          target(executor, walking(options.target, options)),
          lives_(executor) {
        lives_.spawn(source.run());
        lives_.spawn(target.run());
    }
    Pair(Pair&&) = delete;

    asio::awaitable<pg::Answer<pg::Done>> open() {
        auto const deadline = steady_now() + reach_max;
        bool const here = co_await source.ready(deadline);
        if (!here) co_return pg::failure_of(Errc::unavailable, "the source cannot be reached");
        bool const there = co_await target.ready(deadline);
        if (!there) co_return pg::failure_of(Errc::unavailable, "the target cannot be reached");
        auto const ours = co_await mirror::read_catalog(source, deadline);
        if (!ours) co_return pg::failure_of(ours.error(), "the source's tables");
        auto const theirs = co_await mirror::read_catalog(target, deadline);
        if (!theirs) co_return pg::failure_of(theirs.error(), "the target's tables");
        if (!(*ours)->same_shape(**theirs))
            co_return pg::failure_of(Errc::schema_mismatch, "their tables are not the same");
        catalog = *ours;
        co_return pg::Done();
    }

    asio::awaitable<void> close() {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        lives_.cancel();
        co_await lives_.join();
    }

    SteadyTime soon() const { return steady_now() + options.step_max; }

    MoveOptions options;
    std::shared_ptr<mirror::Catalog const> catalog;  ///< before the sessions
    pg::Session source;
    pg::Session target;

private:
    reactor::TaskGroup lives_;
};

/// The next range of a table, as the source has it.
struct Page {
    Range range;
    Digest digest;
    std::optional<Key> last = {};
    bool is_last = false;
};

asio::awaitable<Result<Page>> read_page(Pair& pair, Table const& table, std::optional<Key> after) {
    pg::Segment segment;
    table.add_page(segment, after);
    auto const answer = co_await pair.source.execute(std::move(segment), pair.soon());
    if (!answer) co_return answer.error().code;
    auto read = [&] {
        Page page;
        auto const row = answer->front()[0];
        page.digest = {row.int8(0), std::string(row.text(1))};
        if (!row.is_null(2)) page.last = mirror::read_key(row, 2);
        page.is_last = page.digest.rows < static_cast<std::int64_t>(table.listed().page_rows);
        // The last range has no end: what only the target has behind it belongs to it, too.
        page.range.after = after;
        if (!page.is_last) page.range.upto = page.last;
        return page;
    };
    co_return pg::decoded(read);
}

asio::awaitable<Result<Digest>> read_digest(Pair& pair, pg::Session& session, Table const& table,
                                            Range range) {
    pg::Segment segment;
    table.add_digest(segment, range);
    auto const answer = co_await session.execute(std::move(segment), pair.soon());
    if (!answer) co_return answer.error().code;
    auto read = [&] {
        auto const row = answer->front()[0];
        return Digest{row.int8(0), std::string(row.text(1))};
    };
    co_return pg::decoded(read);
}

/// So that a walk looks at no more rows per second than it may.
class Throttle {
public:
    explicit Throttle(std::size_t rows_per_s) : rows_per_s_(rows_per_s) {}

    asio::awaitable<void> looked_at(std::int64_t rows) {
        if (rows_per_s_ == 0) co_return;
        auto const share =
            std::chrono::microseconds(rows * 1'000'000 / static_cast<std::int64_t>(rows_per_s_));
        free_at_ = std::max(free_at_, steady_now()) + share;
        bool const awake = co_await reactor::sleep_until(free_at_);
        static_cast<void>(awake);
    }

private:
    std::size_t rows_per_s_;
    SteadyTime free_at_ = steady_now();
};

class Backfill {
public:
    explicit Backfill(Pair& pair) : pair_(pair), throttle_(pair.options.rows_per_s) {}

    asio::awaitable<pg::Answer<BackfillReport>> run() {
        auto const& target = pair_.options.target.address;
        auto const known = co_await read_backfill(target, pair_.soon());
        if (!known) co_return known.error();
        for (auto const& table : pair_.catalog->tables()) {
            BackfillPosition position{table->name(), std::nullopt, false};
            for (auto const& one : *known)
                if (one.table == table->name()) position = one;
            if (position.complete) continue;
            auto const before = report_;
            auto const error = co_await copy_table(*table, std::move(position));
            if (error) co_return pg::failure_of(error, "table " + table->name());
            if (!pair_.options.tell) continue;
            pair_.options.tell(table->name() + ": " + std::to_string(report_.rows - before.rows) +
                               " rows, " + std::to_string(report_.copied - before.copied) +
                               " of them copied");
        }
        co_return report_;
    }

private:
    asio::awaitable<error_code> copy_table(Table const& table, BackfillPosition position) {
        auto const& target = pair_.options.target.address;
        auto noted_at = steady_now();
        while (!position.complete) {
            auto page = co_await read_page(pair_, table, position.after);
            if (!page) co_return page.error();
            auto const there = co_await read_digest(pair_, pair_.target, table, page->range);
            if (!there) co_return there.error();
            if (*there != page->digest) {
                auto const error = co_await copy_range(table, page->range);
                if (error) co_return error;
            }
            report_.rows += static_cast<std::uint64_t>(page->digest.rows);
            co_await throttle_.looked_at(page->digest.rows);
            if (page->last) position.after = page->last;
            position.complete = page->is_last;
            if (!position.complete && steady_now() < noted_at + position_every) continue;
            auto const noted = co_await write_backfill(target, position, pair_.soon());
            if (!noted) co_return noted.error().code;
            noted_at = steady_now();
        }
        co_return error_code();
    }

    asio::awaitable<error_code> copy_range(Table const& table, Range range) {
        error_code error;
        for (int attempt = 0; attempt < pair_.options.attempts_max; ++attempt) {
            // The first failure may be that of a row in the way of another, or of one whose
            // parent is not there yet.
            bool const thorough = attempt > 0;
            auto const* parent = pair_.catalog->find(table.listed().parent);
            if (thorough && parent) {
                Range const everything;
                error = co_await copy_range(*parent, everything);
                if (error) co_return error;
            }
            error = co_await try_range(table, range, thorough);
            if (!error) co_return error;
            bool const awake = co_await reactor::sleep_until(steady_now() + pair_.options.pause);
            if (!awake) break;
        }
        co_return error;
    }

    asio::awaitable<error_code> try_range(Table const& table, Range range, bool thorough) {
        auto const deadline = pair_.soon();
        bool const up = co_await pair_.target.ready(deadline);
        if (!up) co_return make_error_code(Errc::unavailable);
        auto lease = pair_.target.lease();
        auto const begun = co_await lease.execute(mirror::locked_transaction(), deadline);
        if (!begun) co_return begun.error().code;
        mirror::Portions portions;
        portions.emplace_back(table, std::move(range));
        auto const copied =
            co_await mirror::copy(pair_.source, lease, std::move(portions), thorough, deadline);
        if (!copied) co_return copied.error();
        report_.copied += *copied;
        co_return error_code();
    }

    Pair& pair_;
    Throttle throttle_;
    BackfillReport report_;
};

class Comparison {
public:
    explicit Comparison(Pair& pair) : pair_(pair), throttle_(pair.options.rows_per_s) {}

    asio::awaitable<pg::Answer<std::vector<TableReport>>> run() {
        std::vector<TableReport> reports;
        for (auto const& table : pair_.catalog->tables()) {
            TableReport report{table->name()};
            auto const error = co_await compare(*table, report);
            if (error) co_return pg::failure_of(error, "table " + table->name());
            found_ += report.differences.size();
            reports.push_back(std::move(report));
        }
        co_return reports;
    }

private:
    bool enough(TableReport const& report) const {
        return found_ + report.differences.size() >= pair_.options.differences_max;
    }

    asio::awaitable<error_code> compare(Table const& table, TableReport& report) {
        std::optional<Key> after;
        for (bool last = false; !last && !enough(report);) {
            auto page = co_await read_page(pair_, table, after);
            if (!page) co_return page.error();
            auto const there = co_await read_digest(pair_, pair_.target, table, page->range);
            if (!there) co_return there.error();
            if (*there != page->digest) {
                auto const error = co_await look_closer(table, page->range, report);
                if (error) co_return error;
            }
            report.rows += static_cast<std::uint64_t>(page->digest.rows);
            co_await throttle_.looked_at(page->digest.rows);
            after = page->last;
            last = page->is_last;
        }
        co_return error_code();
    }

    /// Row by row; those that differ may still be on their way.
    asio::awaitable<error_code> look_closer(Table const& table, Range range, TableReport& report) {
        pg::Segment ours, theirs;
        table.add_row_digests(ours, range);
        table.add_row_digests(theirs, range);
        auto const there = co_await pair_.target.execute(std::move(theirs), pair_.soon());
        if (!there) co_return there.error().code;
        auto const here = co_await pair_.source.execute(std::move(ours), pair_.soon());
        if (!here) co_return here.error().code;
        auto keys = differing(digests_of(here->front()), digests_of(there->front()));
        auto const settled_by = steady_now() + pair_.options.settle;
        while (!keys.empty()) {
            auto left = co_await still_differing(table, keys);
            if (!left) co_return left.error();
            keys = std::move(*left);
            if (keys.empty() || steady_now() >= settled_by) break;
            bool const awake = co_await reactor::sleep_until(steady_now() + settle_pause);
            if (!awake) co_return error_code(asio::error::operation_aborted);
        }
        for (auto const& key : keys) {
            if (enough(report)) break;
            auto const error = co_await judge(table, key, report);
            if (error) co_return error;
        }
        co_return error_code();
    }

    asio::awaitable<Result<std::vector<Key>>> still_differing(Table const& table,
                                                              std::vector<Key> keys) {
        pg::Segment ours, theirs;
        table.add_digests_of(ours, keys, false);
        table.add_digests_of(theirs, keys, false);
        auto const there = co_await pair_.target.execute(std::move(theirs), pair_.soon());
        if (!there) co_return there.error().code;
        auto const here = co_await pair_.source.execute(std::move(ours), pair_.soon());
        if (!here) co_return here.error().code;
        co_return differing(digests_of(here->front()), digests_of(there->front()));
    }

    /// Whether a row that writers change all the time is the same cannot be seen while they do:
    /// it is held still in the primary until the shadow has had time to follow.
    asio::awaitable<error_code> judge(Table const& table, Key key, TableReport& report) {
        std::vector<Key> const keys{key};
        pg::Segment hold;
        hold.begin();
        auto const at = table.add_digests_of(hold, keys, true);
        auto lease = pair_.source.lease();
        auto const held = co_await lease.execute(std::move(hold), pair_.soon());
        if (!held) co_return held.error().code;
        auto const ours = digests_of(held->at(at));
        auto const until = steady_now() + pair_.options.hold;
        bool same = false;
        error_code error;
        for (;;) {
            pg::Segment look;
            table.add_digests_of(look, keys, false);
            auto const there = co_await pair_.target.execute(std::move(look), pair_.soon());
            if (!there) error = there.error().code;
            if (there) same = digests_of(there->front()) == ours;
            // A row that the primary does not have is nothing to wait for any more.
            if (error || same || steady_now() >= until) break;
            bool const awake = co_await reactor::sleep_until(steady_now() + hold_pause);
            if (!awake) break;
        }
        std::string what;
        if (!same && !error) what = co_await describe(table, key, lease);
        pg::Segment release;
        release.add(pg::rollback);
        auto const released = co_await lease.execute(std::move(release), pair_.soon());
        if (!released) lease.drop("ROLLBACK was not answered");
        if (!same && !error)
            report.differences.push_back({table.name(), shown(key), std::move(what)});
        co_return error;
    }

    asio::awaitable<std::string> describe(Table const& table, Key key, pg::Lease source) {
        pg::Segment ours, theirs;
        table.add_row_text(ours, key);
        table.add_row_text(theirs, key);
        auto const here = co_await source.execute(std::move(ours), pair_.soon());
        auto const there = co_await pair_.target.execute(std::move(theirs), pair_.soon());
        if (!here || !there) co_return "differs";
        if (here->front().empty()) co_return "only the shadow has it";
        if (there->front().empty()) co_return "the shadow does not have it";
        auto const left = here->front()[0].optional_texts(0);
        auto const right = there->front()[0].optional_texts(0);
        std::string text;
        for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
            if (left[i] == right[i]) continue;
            text += (text.empty() ? "" : "; ") + table.columns()[i].name + ": " +
                    left[i].value_or("NULL") + ", in the shadow " + right[i].value_or("NULL");
        }
        co_return text.empty() ? "differs" : text;
    }

    Pair& pair_;
    Throttle throttle_;
    std::size_t found_ = 0;
};

asio::awaitable<pg::Answer<BackfillReport>> walk(MoveOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    auto const pair = std::make_unique<Pair>(executor, std::move(options));
    auto const opened = co_await pair->open();
    pg::Answer<BackfillReport> report(BackfillReport{});
    if (opened) {
        Backfill work(*pair);
        report = co_await work.run();
    } else {
        report = opened.error();
    }
    co_await pair->close();
    co_return report;
}

}  // namespace

asio::awaitable<pg::Answer<BackfillReport>> backfill(MoveOptions options) {
    auto const source = options.source.address;
    auto const target = options.target.address;
    bool anew = options.restart;
    BackfillReport all;
    for (;;) {
        auto const soon = steady_now() + reach_max;
        if (anew) {
            auto const forgotten = co_await forget_backfill(target, soon);
            if (!forgotten) co_return forgotten.error();
        }
        auto const known = co_await read_backfill(target, soon);
        if (!known) co_return known.error();
        // Whatever these left out until now is there when a walk over everything has ended.
        auto const servers = co_await list_shadow_servers(source, soon);
        if (!servers) co_return servers.error();
        auto const marks = co_await read_shadow_marks(source, soon);
        if (!marks) co_return marks.error();
        auto const report = co_await walk(options);
        if (!report) co_return report;
        all.rows += report->rows;
        all.copied += report->copied;
        auto const completed = co_await complete_backfill(target, steady_now() + reach_max);
        if (!completed) co_return completed.error();
        bool const gaps = std::any_of(servers->begin(), servers->end(),
                                      [](auto const& one) { return one.left_a_gap(); });
        // Of a walk that was continued the first part is older than what was listed.
        anew = gaps && !known->empty();
        if (anew) continue;
        if (known->empty()) {
            auto const marked =
                co_await write_shadow_marks(target, *marks, steady_now() + reach_max);
            if (!marked) co_return marked.error();
        }
        auto const closed =
            co_await close_shadow_gaps(source, *servers, *marks, steady_now() + reach_max);
        if (!closed) co_return closed.error();
        co_return all;
    }
}

asio::awaitable<pg::Answer<std::vector<TableReport>>> compare_tables(MoveOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    auto const pair = std::make_unique<Pair>(executor, std::move(options));
    auto const opened = co_await pair->open();
    pg::Answer<std::vector<TableReport>> reports(std::vector<TableReport>{});
    if (opened) {
        Comparison work(*pair);
        reports = co_await work.run();
    } else {
        reports = opened.error();
    }
    co_await pair->close();
    co_return reports;
}

}  // namespace penstock::db
