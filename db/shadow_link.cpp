// WHEN do commits of the primary reach the shadow.
#include "db/shadow_link.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "db/move.hpp"
#include "db/postgres_rows.hpp"
#include "db/shadow_keys.hpp"
#include "db/sql.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"
#include "reactor/until_cancelled.hpp"

namespace penstock::db {
namespace {

using namespace domain;

constexpr std::string_view accounts_table = "accounts";

std::size_t rows_of(Changes const& changes) {
    auto const& c = changes;
    return 1 + c.new_organizations.size() + c.new_api_keys.size() + c.revoked_api_keys.size() +
           c.new_ledgers.size() + c.changed_ledgers.size() + c.deleted_ledgers.size() +
           c.new_accounts.size() + c.changed_accounts.size() + c.transfers.size() +
           c.totals.size() + c.answers.size() + c.new_purchases.size() +
           c.refunded_purchases.size() + c.new_holds.size() + c.ended_holds.size() +
           c.events.size() + c.new_jobs.size() + c.retried_jobs.size() + c.new_products.size() +
           c.changed_products.size() + c.new_orders.size() + c.cancelled_orders.size() +
           c.hot_ledgers.size() + c.credit_ledgers.size() + c.credit_operations.size() +
           c.credit_entries.size() + c.new_lots.size() + c.changed_lots.size() +
           c.new_streams.size() + c.changed_streams.size() + c.new_exports.size() +
           c.export_audits.size();
}

/// A statement of the writer that passes over rows that are there: those that are applied twice.
struct Repeatable {
    std::string name, text;
    Statement statement;

    Repeatable(Statement const& once, std::string const& key)
        : name("again_" + std::string(once.name)),
          text(std::string(once.text) + "\nON CONFLICT (" + key + ") DO NOTHING"),
          statement{name, text} {}
    Repeatable(Repeatable&&) = delete;
};

Repeatable const insert_transfers(sql::insert_transfers, "ledger_id, kind, id");
Repeatable const insert_purchases(sql::insert_purchases, "ledger_id, id");
Repeatable const insert_orders(sql::insert_orders, "product_id, id");
Repeatable const insert_events(sql::insert_events, "scope_id, type, id");
Repeatable const insert_answers(sql::insert_answers, "idempotency_key");
Repeatable const insert_bulk_answer(sql::insert_bulk_answer, "idempotency_key");

/// Rows that say everything about themselves.
void add_made(pg::Segment& segment, Changes const& changes) {
    if (!changes.transfers.empty())
        segment.add(insert_transfers.statement, rows::insert_transfers(changes.transfers));
    if (!changes.new_purchases.empty())
        segment.add(insert_purchases.statement, rows::insert_purchases(changes.new_purchases));
    if (!changes.new_orders.empty())
        segment.add(insert_orders.statement, rows::insert_orders(changes.new_orders));
    if (!changes.events.empty())
        segment.add(insert_events.statement, rows::insert_events(changes.events));
    std::vector<Answer const*> plain;
    for (auto const& answer : changes.answers) {
        if (answer.items.empty() && answer.transfers.empty())
            plain.push_back(&answer);
        else
            segment.add(insert_bulk_answer.statement, rows::insert_bulk_answer(answer));
    }
    if (!plain.empty()) segment.add(insert_answers.statement, rows::insert_answers(plain));
}

pg::ConnectionOptions pinned(pg::ConnectionOptions options, char const* role) {
    options.plans = pg::Plans::pinned;
    options.application_name += role;
    return options;
}

std::uint64_t steady_ms(SteadyTime at) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count());
}

/// Doing the same again may end differently once the primary is asked about every row.
bool wants_thoroughness(error_code error) {
    return error == Errc::refused_by_database || error == Errc::retry_transaction ||
           error == Errc::unexpected_reply || error == Errc::schema_mismatch;
}

}  // namespace

milliseconds ShadowMetrics::behind() const {
    auto const since = waits_since.get();
    if (since == 0) return milliseconds{0};
    auto const now = steady_ms(steady_now());
    return milliseconds{static_cast<std::int64_t>(now > since ? now - since : 0)};
}

ShadowLink::ShadowLink(asio::any_io_executor executor, ShadowOptions options)
    : executor_(executor),
      options_(std::move(options)),
      source_(executor, pinned(options_.source, "-shadow-source"), options_.backoff),
      target_(executor, pinned(options_.target, "-shadow"), options_.backoff,
              options_.on_connection),
      changed_(executor) {}

ShadowLink::~ShadowLink() = default;

asio::awaitable<void> ShadowLink::run() {
    reactor::TaskGroup lives(executor_);
    lives.spawn(source_.run());
    lives.spawn(target_.run());
    lives.spawn(apply_all());
    co_await reactor::until_cancelled(lives);
    ended_ = true;
    auto const left = progress_.pushed.load() - progress_.applied.load();
    queue_.clear();
    queued_rows_ = 0;
    if (left > 0) leave_out(left);
    note_queue();
}

void ShadowLink::push(Changes changes, bool certain, std::optional<ShadowMark> mark) {
    Batch batch;
    batch.mark = mark;
    // It may be committed still, after it was looked for.
    if (!certain && mark) {
        marks_.left_out(*mark);
        miss();
    }
    // A key that is used again stands in another row as well, which the batch does not name.
    batch.thorough = !certain || !changes.freed_keys.empty();
    batch.rows = rows_of(changes);
    batch.changes = std::move(changes);
    enqueue(std::move(batch));
}

void ShadowLink::touch(std::string_view table, mirror::Fields row) {
    Batch batch;
    batch.touched[table].push_back(std::move(row));
    batch.rows = 1;
    enqueue(std::move(batch));
}

void ShadowLink::miss() {
    progress_.pushed.fetch_add(1);
    leave_out(1);
    note_queue();
}

void ShadowLink::touch_range(std::string_view table, mirror::Range range) {
    Batch batch;
    batch.ranges.emplace_back(table, std::move(range));
    batch.rows = 1;
    enqueue(std::move(batch));
}

void ShadowLink::enqueue(Batch batch) {
    progress_.pushed.fetch_add(1);
    if (ended_) {
        leave_out(batch);
        return;
    }
    // One batch is always taken, however large: else it could never be applied.
    if (queued_rows_ > 0 && queued_rows_ + batch.rows > options_.queue_rows) {
        leave_out(batch);
        return;
    }
    batch.at = steady_now();
    queued_rows_ += batch.rows;
    queue_.push_back(std::move(batch));
    note_queue();
    changed_.notify();
}

void ShadowLink::leave_out(Batch const& batch) {
    if (batch.mark) marks_.left_out(*batch.mark);
    leave_out(1);
}

void ShadowLink::leave_out(std::uint64_t batches) {
    progress_.applied.fetch_add(batches);
    metrics_.gaps.add(batches);
    if (options_.on_gap) options_.on_gap(batches);
}

void ShadowLink::note_queue() {
    metrics_.queued.set(progress_.pushed.load() - progress_.applied.load());
    metrics_.queued_rows.set(queued_rows_);
    if (queued_rows_ == 0) metrics_.waits_since.set(0);
}

ShadowLink::Group ShadowLink::take() {
    Group group;
    std::size_t rows = 0;
    while (!queue_.empty() &&
           (group.empty() || rows + queue_.front().rows <= options_.group_rows)) {
        rows += queue_.front().rows;
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return group;
}

/// Nothing is written to a database that has not been found to be the shadow of this primary.
/// False: cancelled.
asio::awaitable<bool> ShadowLink::get_to_know() {
    for (int attempt = 1;; ++attempt) {
        auto const deadline = steady_now() + options_.step_max;
        bool const reachable = co_await target_.ready(deadline);
        auto error = make_error_code(Errc::unavailable);
        if (reachable) error = co_await learn_tables(deadline);
        if (!error) co_return true;
        note_failure(error);
        bool const awake = co_await pause(attempt);
        if (!awake) co_return false;
    }
}

void ShadowLink::note_failure(error_code error) {
    metrics_.failures.add();
    if (options_.on_failure) options_.on_failure(error, std::exchange(reason_, {}));
}

/// Ends on cancellation.
asio::awaitable<void> ShadowLink::apply_all() {
    bool const known = co_await get_to_know();
    if (!known) co_return;
    // A database makes a secret of its own when it is migrated.
    touch_range("export_secrets", mirror::Range());
    for (;;) {
        if (queue_.empty()) {
            bool const awake = co_await changed_.wait();
            if (!awake) co_return;
            continue;
        }
        auto const due = queue_.front().at + options_.linger;
        if (queued_rows_ < options_.group_rows && steady_now() < due) {
            bool const awake = co_await reactor::sleep_until(due);
            if (!awake) co_return;
        }
        auto group = take();
        metrics_.waits_since.set(std::max<std::uint64_t>(1, steady_ms(group.front().at)));
        bool const go_on = co_await apply_until_done(group);
        if (!go_on) co_return;
        std::size_t rows = 0;
        for (auto const& batch : group) rows += batch.rows;
        queued_rows_ -= rows;
        note_queue();
    }
}

/// Until it is applied, or the shadow has refused it so often that it never will be. False:
/// cancelled.
asio::awaitable<bool> ShadowLink::apply_until_done(Group& group) {
    bool thorough =
        std::any_of(group.begin(), group.end(), [](Batch const& batch) { return batch.thorough; });
    int refusals = 0;
    for (int attempt = 1;; ++attempt) {
        auto const error = co_await apply(group, thorough);
        if (!error) break;
        note_failure(error);
        if (wants_thoroughness(error) && thorough && ++refusals >= options_.refusals_max) {
            for (auto const& batch : group) leave_out(batch);
            co_return true;
        }
        if (wants_thoroughness(error)) thorough = true;
        bool const awake = co_await pause(attempt);
        if (!awake) co_return false;
    }
    auto const now = steady_now();
    for (auto const& batch : group) {
        metrics_.lag.record(now - batch.at);
        metrics_.rows.add(batch.rows);
    }
    metrics_.batches.add(group.size());
    progress_.applied.fetch_add(group.size());
    co_return true;
}

asio::awaitable<bool> ShadowLink::pause(int attempt) {
    auto const length =
        std::min(options_.pause_max, options_.pause_min * (1 << std::min(attempt, 6)));
    co_return co_await reactor::sleep_until(steady_now() + length);
}

error_code ShadowLink::because(pg::Failure const& failure) {
    reason_ = failure.message;
    return failure.code;
}

/// That it is the primary's shadow, and its tables: once, and again when it says no.
asio::awaitable<error_code> ShadowLink::learn_tables(SteadyTime deadline) {
    if (!claimed_) {
        auto const claimed = co_await claim_shadow(options_.source.address, options_.target.address,
                                                   options_.migrations, deadline);
        if (!claimed) co_return because(claimed.error());
        claimed_ = true;
    }
    auto const learnt = co_await mirror::read_catalog(target_, deadline);
    if (!learnt) co_return learnt.error();
    // Whose statements connections have prepared stays.
    if (catalogs_.empty() || !catalogs_.back()->same_shape(**learnt)) catalogs_.push_back(*learnt);
    co_return error_code();
}

asio::awaitable<error_code> ShadowLink::apply(Group const& group, bool thorough) {
    auto const deadline = steady_now() + options_.step_max;
    bool const reachable = co_await target_.ready(deadline);
    if (!reachable) co_return make_error_code(Errc::unavailable);
    bool const readable = co_await source_.ready(deadline);
    if (!readable) co_return make_error_code(Errc::unavailable);
    if (thorough) {
        auto const error = co_await learn_tables(deadline);
        if (error) co_return error;
    }
    auto segment = mirror::locked_transaction();
    for (auto const& batch : group)
        if (batch.mark) marks_.handled(*batch.mark);
    marks_.add_to(segment, options_.server);
    std::map<AccountId, Account> standings;  // the batches' last word on each
    for (auto const& batch : group) {
        if (thorough) break;
        add_made(segment, batch.changes);
        for (auto const& account : batch.changes.changed_accounts)
            standings.insert_or_assign(account.id, account);
    }
    std::vector<Account> changed;
    for (auto& [id, account] : standings) changed.push_back(std::move(account));
    std::optional<std::size_t> unsure_at;
    if (!changed.empty())
        unsure_at = segment.add(sql::mirror_accounts, rows::update_accounts(changed));
    // Where a key that was used again still stands is in no batch: in whatever table it was.
    std::vector<std::string> freed;
    for (auto const& batch : group)
        for (auto const& key : batch.changes.freed_keys) freed.push_back(key.to_string());
    std::vector<std::pair<mirror::Table const*, std::size_t>> carriers;
    for (auto const& table : catalogs_.back()->tables())
        if (!freed.empty() && table->has_idempotency_keys())
            carriers.emplace_back(table.get(), table->add_carriers(segment, freed));
    auto lease = target_.lease();
    auto const begun = co_await lease.execute(std::move(segment), deadline);
    if (!begun) co_return because(begun.error());
    Found found;
    auto read = [&] {
        if (unsure_at)
            for (pg::Row const row : begun->at(*unsure_at)) {
                mirror::Key const key{rows::uuid(row, 0).to_string()};
                found[accounts_table].insert(key);
            }
        for (auto const& [table, at] : carriers)
            for (pg::Row const row : begun->at(at))
                found[table->name()].insert(mirror::read_key(row, 0));
        return found.size();
    };
    auto const seen = pg::decoded(read);
    if (!seen) lease.drop("a mirror's answer could not be read");
    if (!seen) co_return seen.error();
    auto portions = portions_of(group, thorough, std::move(found));
    auto const copied =
        co_await mirror::copy(source_, lease, std::move(portions), thorough, deadline);
    if (!copied) co_return copied.error();
    metrics_.mirrored.add(*copied);
    co_return error_code();
}

/// In the order in which tables can be filled.
mirror::Portions ShadowLink::portions_of(Group const& group, bool thorough, Found keys) const {
    auto const& catalog = *catalogs_.back();
    std::vector<std::pair<std::string_view, mirror::Range>> ranges;
    auto const add = [&](std::string_view name, mirror::Fields const& row) {
        auto const* table = catalog.find(name);
        if (table == nullptr) return;
        auto const key = table->key_among(row);
        PENSTOCK_ASSERT(key);
        keys[name].insert(*key);
    };
    for (auto const& batch : group) {
        add_changed_rows(batch.changes, add);
        if (thorough) add_made_rows(batch.changes, add);
        for (auto const& [name, rows] : batch.touched)
            for (auto const& row : rows) add(name, row);
        for (auto const& range : batch.ranges) ranges.push_back(range);
    }
    mirror::Portions portions;
    for (auto const& table : catalog.tables()) {
        for (auto& [name, range] : ranges)
            if (name == table->name()) portions.emplace_back(*table, std::move(range));
        if (auto const found = keys.find(table->name()); found != keys.end())
            portions.emplace_back(*table, std::move(found->second));
    }
    return portions;
}

}  // namespace penstock::db
