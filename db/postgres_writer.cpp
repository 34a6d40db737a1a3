#include "db/postgres_writer.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "db/postgres_credits.hpp"
#include "db/postgres_exports.hpp"
#include "db/postgres_hot.hpp"
#include "db/postgres_rows.hpp"
#include "db/postgres_streams.hpp"
#include "db/sql.hpp"
#include "domain/assert.hpp"

namespace penstock::db {
namespace {

using namespace domain;

template <class Names>
pg::TextArray texts(Names const& names) {
    pg::TextArray array;
    for (auto const& name : names) array.push(name);
    return array;
}

template <class Array>
pg::Params params_of(Array const& array) {
    pg::Params params;
    params.add(array);
    return params;
}

/// The record of a key that is in the row it made.
template <class T>
void add_key_of(T made, Loaded& to) {
    if (!made.key_use) throw pg::BadReply(0, "a row with a key");
    auto const use = *made.key_use;
    auto const at = made.created_at();
    to.keys.emplace_back(use.key, KeyRecord{use.fingerprint, at, std::move(made)});
}

/// The keys of the bulk answers that were found: what their transfers are is not known yet.
std::vector<IdempotencyKey> bulk_answers(Loaded const& loaded) {
    std::vector<IdempotencyKey> keys;
    for (auto const& [key, record] : loaded.keys) {
        auto const* made = std::get_if<1>(&record.made);
        if (made && !made->first.transfers.empty()) keys.push_back(key);
    }
    return keys;
}

/// A row of answered_transfers.
void add_answered(pg::Row row, Loaded& to) {
    IdempotencyKey const key{rows::uuid(row, rows::transfer_columns)};
    // The rows of one answer follow each other, so the last one found is tried first.
    auto const is_it = [&](auto const& entry) {
        return entry.first == key && entry.second.made.index() == 1;
    };
    auto at = std::find_if(to.keys.rbegin(), to.keys.rend(), is_it);
    if (at == to.keys.rend()) throw pg::BadReply(rows::transfer_columns, "an answer's key");
    if (at != to.keys.rbegin()) std::iter_swap(at, to.keys.rbegin());
    auto& made = std::get<1>(to.keys.back().second.made);
    made.second.push_back(rows::transfer(row));
}

/// The segment that loads a KeySet, and how its answer is read. Only what is asked for is sent,
/// in one fixed order; READ COMMITTED gives each statement a snapshot taken after the locks that
/// the ones before it waited for. That is why keys come last: an earlier attempt at the same
/// command has committed or is gone once its accounts and products are ours.
class LoadPlan {
public:
    explicit LoadPlan(KeySet const& keys) {
        segment_.begin();
        add_roots(keys);
        add_ledgers(keys);
        credits::load_roots(keys, adder());
        if (!keys.hot_ledgers.empty())
            add(sql::lock_hot_ledgers, params_of(rows::uuids(keys.hot_ledgers)), hot::add_locked);
        if (!keys.accounts.empty())
            add(sql::lock_accounts, rows::names(keys.accounts), [](pg::Row row, Loaded& to) {
                to.accounts.push_back(rows::account_for_decisions(row));
            });
        if (!keys.products.empty())
            add(sql::lock_products, params_of(rows::uuids(keys.products)),
                [](pg::Row row, Loaded& to) { to.products.push_back(rows::product(row)); });
        if (!keys.streams.empty())
            add(sql::lock_streams, rows::children(keys.streams), streams::add_locked);
        transaction_ = segment_.add(sql::current_transaction);
        add_children(keys);
        credits::load_children(keys, adder());
        if (!keys.reverted.empty())
            add(sql::reverted_transfers, params_of(rows::uuids(keys.reverted)),
                [](pg::Row row, Loaded& to) { to.reverted.insert({rows::uuid(row, 0)}); });
        if (!keys.jobs.empty())
            add(sql::lock_jobs, params_of(rows::uuids(keys.jobs)),
                [](pg::Row row, Loaded& to) { to.jobs.push_back(rows::job(row)); });
        if (!keys.keys.empty()) add_keys(keys.keys);
    }

    pg::Segment take_segment() { return std::move(segment_); }

    pg::TransactionId id(std::vector<pg::Rows> const& answer) const {
        auto const row = transaction(answer);
        return {row.xid8(0), row.int8(2)};
    }
    std::chrono::microseconds lock_wait(std::vector<pg::Rows> const& answer) const {
        return std::chrono::microseconds(std::max<std::int64_t>(0, transaction(answer).int8(1)));
    }

    Loaded read(std::vector<pg::Rows> const& answer) {
        Loaded loaded;
        for (auto const& [index, reader] : readers_)
            for (pg::Row const row : answer[index]) reader(row, loaded);
        return loaded;
    }

private:
    using Reader = void (*)(pg::Row, Loaded&);

    pg::Row transaction(std::vector<pg::Rows> const& answer) const {
        if (answer[transaction_].empty()) throw pg::BadReply(0, "a row");
        return answer[transaction_][0];
    }

    void add(Statement const& statement, pg::Params params, Reader reader) {
        readers_.emplace_back(segment_.add(statement, std::move(params)), reader);
    }

    credits::Add adder() {
        return [this](Statement const& statement, pg::Params params, Reader reader) {
            add(statement, std::move(params), reader);
        };
    }

    void add_roots(KeySet const& keys) {
        if (!keys.organizations.empty())
            add(sql::existing_organizations, params_of(rows::uuids(keys.organizations)),
                [](pg::Row row, Loaded& to) { to.organizations.insert({rows::uuid(row, 0)}); });
        if (!keys.organization_names.empty())
            add(sql::taken_organization_names, params_of(texts(keys.organization_names)),
                [](pg::Row row, Loaded& to) { to.organization_names.emplace(row.text(0)); });
        if (!keys.api_keys.empty())
            add(sql::lock_api_keys, params_of(rows::uuids(keys.api_keys)),
                [](pg::Row row, Loaded& to) { to.api_keys.push_back(rows::api_key(row)); });
    }

    void add_ledgers(KeySet const& keys) {
        if (!keys.ledger_names.empty())
            add(sql::taken_ledger_names, rows::names(keys.ledger_names),
                [](pg::Row row, Loaded& to) {
                    to.ledger_names.insert({{rows::uuid(row, 0)}, std::string(row.text(1))});
                });
        Reader const read_ledger = [](pg::Row row, Loaded& to) {
            to.ledgers.push_back(rows::ledger(row));
        };
        std::vector<LedgerId> shared;  // a ledger in both sets is locked, and given, once
        for (auto const& id : keys.ledgers)
            if (!keys.ledgers_exclusive.contains(id)) shared.push_back(id);
        if (!shared.empty())
            add(sql::lock_ledgers_shared, params_of(rows::uuids(shared)), read_ledger);
        if (keys.ledgers_exclusive.empty()) return;
        auto const exclusive = params_of(rows::uuids(keys.ledgers_exclusive));
        add(sql::lock_ledgers_exclusive, exclusive, read_ledger);
        add(sql::ledgers_not_empty, exclusive,
            [](pg::Row row, Loaded& to) { to.ledgers_not_empty.insert({rows::uuid(row, 0)}); });
    }

    void add_children(KeySet const& keys) {
        if (!keys.purchases.empty())
            add(sql::purchases_by_id, rows::children(keys.purchases),
                [](pg::Row row, Loaded& to) { to.purchases.push_back(rows::purchase(row)); });
        if (!keys.holds.empty())
            add(sql::holds_by_id, rows::children(keys.holds),
                [](pg::Row row, Loaded& to) { to.holds.push_back(rows::hold(row)); });
        if (!keys.orders.empty())
            add(sql::orders_by_id, rows::children(keys.orders),
                [](pg::Row row, Loaded& to) { to.orders.push_back(rows::order(row)); });
        if (!keys.sale_users.empty())
            add(sql::sale_users, rows::names(keys.sale_users),
                [](pg::Row row, Loaded& to) { to.sale_users.push_back(rows::sale_user(row)); });
    }

    void add_keys(std::set<IdempotencyKey> const& keys) {
        auto const params = params_of(rows::uuids(keys));
        add(sql::transfers_by_key, params,
            [](pg::Row row, Loaded& to) { add_key_of(rows::transfer(row), to); });
        add(sql::purchases_by_key, params,
            [](pg::Row row, Loaded& to) { add_key_of(rows::purchase(row), to); });
        add(sql::orders_by_key, params,
            [](pg::Row row, Loaded& to) { add_key_of(rows::order(row), to); });
        credits::load_keys(params, adder());
        add(sql::answers_by_key, params, [](pg::Row row, Loaded& to) {
            auto answer = rows::answer(row);
            auto const use = answer.key_use;
            auto const at = answer.created_at;
            std::pair<Answer, std::vector<Transfer>> made(std::move(answer), {});
            to.keys.emplace_back(use.key, KeyRecord{use.fingerprint, at, std::move(made)});
        });
    }

    pg::Segment segment_;
    std::size_t transaction_ = 0;
    std::vector<std::pair<std::size_t, Reader>> readers_;
};

void add_ledger_changes(pg::Segment& segment, Changes const& changes) {
    std::map<LedgerId, Instant> deleted(changes.deleted_ledgers.begin(),
                                        changes.deleted_ledgers.end());
    // Deleted first: their names are free for the new ones.
    if (!changes.deleted_ledgers.empty())
        segment.add(sql::delete_ledgers, rows::at_instants(changes.deleted_ledgers));
    for (auto const& ledger : changes.new_ledgers) {
        std::optional<Instant> deleted_at;
        if (auto const at = deleted.find(ledger.id); at != deleted.end()) deleted_at = at->second;
        segment.add(sql::insert_ledger, rows::insert_ledger(ledger, deleted_at));
    }
    for (auto const& ledger : changes.changed_ledgers)
        segment.add(sql::update_ledger, rows::update_ledger(ledger));
}

void add_answers(pg::Segment& segment, std::vector<Answer> const& answers) {
    std::vector<Answer const*> plain;
    for (auto const& answer : answers) {
        if (answer.items.empty() && answer.transfers.empty())
            plain.push_back(&answer);
        else
            segment.add(sql::insert_bulk_answer, rows::insert_bulk_answer(answer));
    }
    if (!plain.empty()) segment.add(sql::insert_answers, rows::insert_answers(plain));
}

/// What is made comes before what ends: a batch may do both to one row.
void add_wallet_changes(pg::Segment& segment, Changes const& changes) {
    if (!changes.new_purchases.empty())
        segment.add(sql::insert_purchases, rows::insert_purchases(changes.new_purchases));
    if (!changes.refunded_purchases.empty())
        segment.add(sql::refund_purchases, rows::refund_purchases(changes.refunded_purchases));
    if (!changes.new_holds.empty())
        segment.add(sql::insert_holds, rows::insert_holds(changes.new_holds));
    if (!changes.ended_holds.empty())
        segment.add(sql::end_holds, rows::end_holds(changes.ended_holds));
    if (!changes.events.empty())
        segment.add(sql::insert_events, rows::insert_events(changes.events));
}

void add_sale_changes(pg::Segment& segment, Changes const& changes) {
    if (!changes.new_products.empty())
        segment.add(sql::insert_products, rows::insert_products(changes.new_products));
    if (!changes.changed_products.empty())
        segment.add(sql::update_products, rows::update_products(changes.changed_products));
    if (!changes.new_orders.empty())
        segment.add(sql::insert_orders, rows::insert_orders(changes.new_orders));
    if (!changes.cancelled_orders.empty())
        segment.add(sql::cancel_orders, rows::cancel_orders(changes.cancelled_orders));
}

void add_jobs(pg::Segment& segment, Changes const& changes) {
    if (!changes.new_jobs.empty())
        segment.add(sql::insert_jobs, rows::insert_jobs(changes.new_jobs));
    if (!changes.retried_jobs.empty())
        segment.add(sql::retry_jobs, rows::at_instants(changes.retried_jobs));
    if (!changes.new_jobs.empty() || !changes.retried_jobs.empty()) segment.add(sql::notify_jobs);
}

/// Statements for what changed and for nothing else.
pg::Segment commit_segment(Changes const& changes) {
    pg::Segment segment;
    if (!changes.freed_keys.empty()) {
        auto const keys = params_of(rows::uuids(changes.freed_keys));
        segment.add(sql::free_transfer_keys, keys);
        segment.add(sql::free_purchase_keys, keys);
        segment.add(sql::free_order_keys, keys);
        segment.add(sql::free_credit_keys, keys);
        segment.add(sql::free_answer_keys, keys);
    }
    if (!changes.new_organizations.empty())
        segment.add(sql::insert_organizations,
                    rows::insert_organizations(changes.new_organizations));
    if (!changes.new_api_keys.empty())
        segment.add(sql::insert_api_keys, rows::insert_api_keys(changes.new_api_keys));
    if (!changes.revoked_api_keys.empty())
        segment.add(sql::revoke_api_keys, rows::at_instants(changes.revoked_api_keys));
    add_ledger_changes(segment, changes);
    if (!changes.new_accounts.empty())
        segment.add(sql::insert_accounts, rows::insert_accounts(changes.new_accounts));
    if (!changes.changed_accounts.empty())
        segment.add(sql::update_accounts, rows::update_accounts(changes.changed_accounts));
    if (!changes.transfers.empty())
        segment.add(sql::insert_transfers, rows::insert_transfers(changes.transfers));
    add_wallet_changes(segment, changes);
    add_sale_changes(segment, changes);
    credits::write(segment, changes);
    streams::write(segment, changes);
    hot::write(segment, changes);
    add_answers(segment, changes.answers);
    add_jobs(segment, changes);
    exports::write(segment, changes);
    // Last before COMMIT: every batch of a ledger adds to the same few rows.
    if (!changes.totals.empty()) segment.add(sql::add_totals, rows::add_totals(changes.totals));
    return segment;
}

/// Asks for a row that no other transaction can have made: its id is this batch's own. Empty: it
/// makes none of those.
pg::Segment trace_of(Changes const& changes) {
    pg::Segment segment;
    if (!changes.transfers.empty()) {
        auto const& made = changes.transfers.front();
        pg::Params params;
        params.uuid(made.ledger.value.bytes).add(rows::all_kinds()).uuid(made.id.value.bytes);
        segment.add(sql::find_transfer, std::move(params));
    } else if (!changes.new_orders.empty()) {
        auto const& made = changes.new_orders.front();
        pg::Params params;
        params.uuid(made.product.value.bytes).uuid(made.id.value.bytes);
        segment.add(sql::find_order, std::move(params));
    } else if (!changes.new_holds.empty()) {
        auto const& made = changes.new_holds.front();
        pg::Params params;
        params.uuid(made.ledger.value.bytes).uuid(made.id.value.bytes);
        segment.add(sql::find_hold, std::move(params));
    }
    return segment;
}

pg::ConnectionOptions pinned(pg::ConnectionOptions options) {
    options.plans = pg::Plans::pinned;
    return options;
}

}  // namespace

PostgresWriter::PostgresWriter(asio::any_io_executor executor, PostgresOptions const& options,
                               reactor::Histogram& lock_waits)
    : options_(options),
      session_(executor, pinned(options.connection), options.backoff, options.on_connection),
      lock_waits_(lock_waits) {}

asio::awaitable<void> PostgresWriter::run() { return session_.run(); }

asio::awaitable<Result<Loaded>> PostgresWriter::load(KeySet keys, SteadyTime deadline) {
    PENSTOCK_ASSERT(!open_);
    auto const patience_ends = steady_now() + options_.connection.ready_max;
    bool const ready = co_await session_.ready(std::min(deadline, patience_ends));
    if (!ready) co_return Errc::unavailable;
    LoadPlan plan(keys);
    auto lease = session_.lease();
    auto const answer = co_await lease.execute(plan.take_segment(), deadline);
    // A segment that failed is rolled back by the connection itself.
    if (!answer) co_return noted(answer.error());
    open_ = lease;
    auto read = [&] {
        transaction_ = plan.id(*answer);
        lock_waits_.record(plan.lock_wait(*answer));
        return plan.read(*answer);
    };
    auto loaded = pg::decoded(read);
    error_code error;
    if (loaded) error = co_await load_repeated(*loaded, deadline);
    if (!loaded || error) co_await abandon();
    if (error) co_return error;
    co_return loaded;
}

/// Repeated bulks and requests for credits are rare, so what they made costs the others nothing.
asio::awaitable<error_code> PostgresWriter::load_repeated(Loaded& loaded, SteadyTime deadline) {
    auto const bulks = bulk_answers(loaded);
    auto const credited = credits::found_keys(loaded);
    if (bulks.empty() && credited.empty()) co_return error_code();
    pg::Segment segment;
    auto params = params_of(rows::uuids(bulks));
    params.add(rows::all_kinds());
    auto const transfers = segment.add(sql::answered_transfers, std::move(params));
    auto const lines = segment.add(sql::credit_lines_by_key, params_of(rows::uuids(credited)));
    auto lease = *std::exchange(open_, std::nullopt);
    auto const answer = co_await lease.execute(std::move(segment), deadline);
    if (!answer) co_return noted(answer.error());
    open_ = lease;
    auto read = [&] {
        for (pg::Row const row : answer->at(transfers)) add_answered(row, loaded);
        for (pg::Row const row : answer->at(lines)) credits::add_line(row, loaded);
        return loaded.keys.size();
    };
    auto const done = pg::decoded(read);
    co_return done ? error_code() : done.error();
}

asio::awaitable<error_code> PostgresWriter::commit(Changes changes, SteadyTime deadline) {
    PENSTOCK_ASSERT(open_);
    auto segment = commit_segment(changes);
    if (segment.empty()) {
        co_await abandon();
        co_return error_code();
    }
    if (before_commit_) before_commit_(segment);
    auto const last = segment.commit();
    auto lease = *std::exchange(open_, std::nullopt);
    auto const answer = co_await lease.execute(std::move(segment), deadline);
    if (answer) {
        // COMMIT of a transaction that had failed answers ROLLBACK.
        bool const committed = answer->at(last).tag() == "COMMIT";
        co_return committed ? error_code() : make_error_code(Errc::unexpected_reply);
    }
    auto const error = noted(answer.error());
    if (error != Errc::commit_unknown) co_return error;
    co_return co_await resolve(changes, deadline);
}

/// The answer to COMMIT will not come: what became of the transaction?
asio::awaitable<error_code> PostgresWriter::resolve(Changes const& changes, SteadyTime deadline) {
    auto const outcome = co_await pg::ask_outcome(options_.connection, transaction_, deadline);
    if (!outcome) co_return outcome.error();
    switch (*outcome) {
        case pg::TransactionOutcome::committed:
            co_return error_code();
        case pg::TransactionOutcome::aborted:
            co_return make_error_code(Errc::connection_lost);
        case pg::TransactionOutcome::number_committed:
            co_return co_await look_for(changes, deadline);
        case pg::TransactionOutcome::in_progress:
            break;
    }
    co_return make_error_code(Errc::commit_unknown);
}

/// The server has lost its memory, or is another one: what was made there tells, if anything was.
asio::awaitable<error_code> PostgresWriter::look_for(Changes const& changes, SteadyTime deadline) {
    auto segment = trace_of(changes);
    if (segment.empty()) co_return make_error_code(Errc::commit_unknown);
    bool const ready = co_await session_.ready(deadline);
    if (!ready) co_return make_error_code(Errc::commit_unknown);
    auto const answer = co_await session_.execute(std::move(segment), deadline);
    if (!answer) co_return make_error_code(Errc::commit_unknown);
    bool const is_there = !answer->front().empty();
    co_return is_there ? error_code() : make_error_code(Errc::connection_lost);
}

asio::awaitable<void> PostgresWriter::abandon() {
    if (!open_) co_return;
    auto lease = *std::exchange(open_, std::nullopt);
    pg::Segment segment;
    segment.add(pg::rollback);
    auto const answer =
        co_await lease.execute(std::move(segment), steady_now() + options_.abandon_max);
    if (!answer) lease.drop("ROLLBACK was not answered");
}

error_code PostgresWriter::noted(pg::Failure const& failure) const {
    if (options_.on_failure) options_.on_failure(failure);
    return failure.code;
}

}  // namespace penstock::db
