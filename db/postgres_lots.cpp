#include "db/postgres_lots.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <span>
#include <utility>

#include "db/pg/session.hpp"
#include "db/postgres_columns.hpp"
#include "db/postgres_reads.hpp"
#include "db/sql.hpp"
#include "domain/credits_replay.hpp"
#include "reactor/cancellation.hpp"
#include "reactor/task_group.hpp"

namespace penstock::db {

using namespace domain;

namespace {

/// Rows in one statement's answer, or in its arrays.
constexpr std::size_t page_rows = 10'000;
/// Between two statements of a transaction nothing but a page is worked on.
constexpr milliseconds idle_max{60'000};
/// For the ledger's row: another repair may have it, beside the writers.
constexpr milliseconds lock_max{60'000};

pg::ConnectionOptions for_lots(PostgresOptions const& all) {
    auto options = all.connection;
    // Every statement walks named indexes: nothing for the planner to choose.
    options.plans = pg::Plans::pinned;
    options.statement_timeout = all.verify_max;
    options.response_max = all.verify_max + milliseconds{10'000};
    options.idle_in_transaction_max = idle_max;
    options.lock_timeout = lock_max;
    options.application_name += "-lots";
    return options;
}

/// What a replay must know of an operation. Parties have no addresses here: ids say who they are.
CreditOperation replayed_operation(LedgerId ledger, pg::Row row) {
    CreditOperation operation;
    operation.ledger = ledger;
    operation.id = {rows::uuid(row, 0)};
    operation.kind = rows::enumerator<CreditKind>(row, 1);
    if (auto const sender = row.optional_uuid(2)) operation.sender = Party{{{*sender}}, ""};
    operation.minted = row.boolean(3);
    operation.drain = rows::enumerator<Drain>(row, 4);
    return operation;
}

CreditEntry replayed_entry(CreditOperation const& operation, pg::Row row) {
    CreditEntry entry;
    entry.ledger = operation.ledger;
    entry.operation = operation.id;
    entry.index = row.int4(5);
    entry.kind = operation.kind;
    entry.party = {{rows::uuid(row, 6)}, ""};
    entry.amount = row.int8(7);
    entry.expires_at = rows::optional_instant(row, 8);
    return entry;
}

pg::Params columns_of(std::span<Lot const> lots) {
    pg::Params params;
    params.add(rows::column<pg::UuidArray>(
        lots, [](Lot const& lot) { return lot.place.operation.value.bytes; }));
    params.add(rows::column<pg::UuidArray>(
        lots, [](Lot const& lot) { return lot.party.account.value.bytes; }));
    params.add(rows::column<pg::Int8Array>(lots, &Lot::amount));
    params.add(rows::column<pg::Int8Array>(lots, &Lot::remaining));
    params.add(rows::optional_column<pg::InstantMsArray>(
        lots, [](Lot const& lot) { return rows::ms(lot.expires_at); }));
    params.add(rows::column<pg::Int4Array>(lots, [](Lot const& lot) { return lot.place.index; }));
    return params;
}

pg::Params columns_of(std::span<LotPlace const> places) {
    pg::Params params;
    params.add(rows::column<pg::UuidArray>(
        places, [](LotPlace const& place) { return place.operation.value.bytes; }));
    params.add(rows::column<pg::Int4Array>(places, &LotPlace::index));
    return params;
}

/// The first page of what is left.
template <class T>
std::span<T const> take_page(std::span<T const>& left) {
    auto const page = left.first(std::min(left.size(), page_rows));
    left = left.subspan(page.size());
    return page;
}

}  // namespace

/// One comparison or repair, on one life of a connection.
class PostgresLots::Work {
public:
    using Ended = asio::awaitable<error_code>;

    Work(LedgerId ledger, std::optional<AccountId> only, SteadyTime deadline)
        : ledger_{ledger},
          only_{only},
          deadline_{deadline},
          replay_{ledger, [this](Lot const& lot) { settled_.push_back(lot); }} {}
    Work(Work&&) = delete;

    SteadyTime deadline() const { return deadline_; }
    LotRepair const& found() const { return found_; }

    Ended compare(pg::Session& session) {
        auto error = co_await begin(session, sql::use_one_snapshot, pg::Params());
        if (!error) error = co_await read_history();
        if (!error && !found_.contradiction) error = co_await hold_the_rest();
        if (!error) error = co_await end(pg::commit);
        co_return error;
    }

    Ended repair(pg::Session& session) {
        auto error = co_await begin(session, sql::use_one_snapshot, pg::Params());
        if (!error) error = co_await read_history();
        if (!error) error = co_await end(pg::commit);
        if (error || found_.contradiction) co_return error;
        error = co_await begin(session, sql::add_credit_ledger, of_ledger());
        if (!error) error = co_await lock();
        if (!error) error = co_await read_history();
        if (!error && !found_.contradiction) error = co_await hold_the_rest();
        if (error) co_return error;
        if (found_.contradiction) co_return co_await end(pg::rollback);
        error = co_await mend();
        if (!error) error = co_await end(pg::commit);
        co_return error;
    }

private:
    asio::awaitable<Result<pg::Rows>> ask(Statement const& statement, pg::Params params) {
        pg::Segment segment;
        segment.add(statement, std::move(params));
        co_return co_await send(std::move(segment));
    }

    /// The rows of the last statement.
    asio::awaitable<Result<pg::Rows>> send(pg::Segment segment) {
        auto answer = co_await lease_->execute(std::move(segment), deadline_);
        if (!answer) co_return answer.error().code;
        co_return std::move(answer->back());
    }

    Ended begin(pg::Session& session, Statement const& first, pg::Params params) {
        lease_.emplace(session.lease());
        pg::Segment segment;
        segment.begin();
        segment.add(first, std::move(params));
        auto const begun = co_await send(std::move(segment));
        co_return begun ? error_code() : begun.error();
    }

    Ended end(Statement const& how) {
        pg::Segment segment;
        if (how.name == pg::commit.name)
            segment.commit();
        else
            segment.add(how);
        auto const ended = co_await send(std::move(segment));
        co_return ended ? error_code() : ended.error();
    }

    /// From now on nobody else changes the credits of the ledger.
    Ended lock() {
        pg::UuidArray ledgers;
        ledgers.push(ledger_.value.bytes);
        pg::Params params;
        params.add(ledgers);
        auto const locked = co_await ask(sql::lock_credit_ledgers, std::move(params));
        co_return locked ? error_code() : locked.error();
    }

    /// From where it was left to the end of what can be seen.
    Ended read_history() {
        for (;;) {
            auto const page = co_await ask(sql::read_credit_history, next_page());
            if (!page) co_return page.error();
            auto const take_all = [&] {
                for (pg::Row const row : *page) take(row);
                return pg::Done();
            };
            auto const taken = pg::decoded(take_all);
            if (!taken) co_return taken.error();
            bool const is_last = page->size() < page_rows;
            if (is_last) play();
            if (found_.contradiction) co_return error_code();
            auto const error = co_await hold_settled();
            if (error || is_last) co_return error;
        }
    }

    pg::Params next_page() const {
        pg::Params params;
        params.uuid(ledger_.value.bytes).uuid(after_.operation.value.bytes).int4(after_.index);
        params.int8(reads::limit_of(page_rows));
        return params;
    }

    void take(pg::Row row) {
        CreditOperationId const id{rows::uuid(row, 0)};
        if (id != operation_.id) {
            play();
            operation_ = replayed_operation(ledger_, row);
        }
        entries_.push_back(replayed_entry(operation_, row));
        after_ = {id, entries_.back().index};
        found_.entries += 1;
    }

    /// The operation whose entries are together.
    void play() {
        if (entries_.empty() || found_.contradiction) return;
        if (!replay_.add(operation_, entries_)) found_.contradiction = operation_.id;
        entries_.clear();
        found_.lots += replay_.lots_made();
        made_.push_back({operation_.id, replay_.lots_made()});
    }

    void note(LotPlace place) {
        if (!found_.first || place < *found_.first) found_.first = place;
    }

    bool is_asked_for(AccountId account) const { return !only_ || *only_ == account; }

    /// What no later operation can change is held against what is stored. Neither can a writer
    /// that goes on meanwhile: it only changes lots that are valid.
    Ended hold_settled() {
        for (std::span<Lot const> left(settled_); !left.empty();) {
            auto const error = co_await hold(take_page(left));
            if (error) co_return error;
        }
        settled_.clear();
        for (std::span<LotPlace const> left(made_); !left.empty();) {
            auto const found = co_await ask(sql::surplus_credit_lots, columns_of(take_page(left)));
            if (!found) co_return found.error();
            auto const error = take_surplus(*found);
            if (error) co_return error;
        }
        made_.clear();
        co_return error_code();
    }

    Ended hold(std::span<Lot const> lots) {
        auto const found = co_await ask(sql::differing_credit_lots, columns_of(lots));
        if (!found) co_return found.error();
        auto const take_all = [&] {
            for (pg::Row const row : *found) {
                auto const& lot = lots[static_cast<std::size_t>(row.int8(0) - 1)];
                if (!is_asked_for(lot.party.account)) continue;
                (row.boolean(1) ? found_.missing : found_.differing) += 1;
                note(lot.place);
                wrong_.push_back(lot);
            }
            return pg::Done();
        };
        auto const taken = pg::decoded(take_all);
        co_return taken ? error_code() : taken.error();
    }

    error_code take_surplus(pg::Rows const& found) {
        auto const take_all = [&] {
            for (pg::Row const row : found) {
                if (!is_asked_for({rows::uuid(row, 2)})) continue;
                surplus_.push_back({{rows::uuid(row, 0)}, row.int4(1)});
                found_.surplus += 1;
                note(surplus_.back());
            }
            return pg::Done();
        };
        auto const taken = pg::decoded(take_all);
        return taken ? error_code() : taken.error();
    }

    Ended hold_the_rest() {
        replay_.finish();
        auto error = co_await hold_settled();
        if (!error) error = co_await find_strays();
        co_return error;
    }

    /// A page of them.
    Ended find_strays() {
        auto params = of_ledger_and_account();
        params.int8(reads::limit_of(page_rows));
        auto const found = co_await ask(sql::stray_credit_lots, std::move(params));
        if (!found) co_return found.error();
        strays_end_here_ = found->size() < page_rows;
        co_return take_surplus(*found);
    }

    pg::Params of_ledger() const {
        pg::Params params;
        params.uuid(ledger_.value.bytes);
        return params;
    }

    pg::Params of_ledger_and_account() const {
        auto params = of_ledger();
        params.optional_uuid(rows::bytes(only_));
        return params;
    }

    Ended mend() {
        for (std::span<Lot const> left(wrong_); !left.empty();) {
            auto const mended = co_await ask(sql::mend_credit_lots, columns_of(take_page(left)));
            if (!mended) co_return mended.error();
        }
        for (;;) {
            auto const error = co_await delete_surplus();
            if (error) co_return error;
            if (strays_end_here_) break;
            auto const more = co_await find_strays();
            if (more) co_return more;
        }
        auto const closed = co_await ask(sql::close_recorded_lots, of_ledger_and_account());
        if (!closed) co_return closed.error();
        found_.misclosed = static_cast<std::int64_t>(closed->affected());
        if (only_) co_return error_code();  // of the others nothing is known
        auto params = of_ledger();
        params.uuid(after_.operation.value.bytes);
        auto const written = co_await ask(sql::set_credit_lots_written, std::move(params));
        co_return written ? error_code() : written.error();
    }

    Ended delete_surplus() {
        for (std::span<LotPlace const> left(surplus_); !left.empty();) {
            auto const gone = co_await ask(sql::delete_credit_lots, columns_of(take_page(left)));
            if (!gone) co_return gone.error();
        }
        surplus_.clear();
        co_return error_code();
    }

    LedgerId ledger_;
    std::optional<AccountId> only_;
    SteadyTime deadline_;
    std::optional<pg::Lease> lease_;

    LotPlace after_{{}, -1};  ///< the entry that was read last
    CreditOperation operation_;
    std::vector<CreditEntry> entries_;  ///< of that operation
    CreditReplay replay_;
    std::vector<Lot> settled_;    ///< to be held against what is stored
    std::vector<LotPlace> made_;  ///< operations, with how many lots each has made
    std::vector<Lot> wrong_;      ///< as they should be
    std::vector<LotPlace> surplus_;
    bool strays_end_here_ = true;
    LotRepair found_;
};

PostgresLots::PostgresLots(asio::any_io_executor executor, PostgresOptions const& options)
    : executor_{std::move(executor)}, connection_{for_lots(options)} {}

CreditStore::Repaired PostgresLots::compare(LedgerId ledger, SteadyTime deadline) const {
    Work work(ledger, std::nullopt, deadline);
    co_return co_await run(work, false);
}

CreditStore::Repaired PostgresLots::repair(LedgerId ledger, std::optional<AccountId> only,
                                           SteadyTime deadline) const {
    Work work(ledger, only, deadline);
    co_return co_await run(work, true);
}

CreditStore::Repaired PostgresLots::run(Work& work, bool mends) const {
    pg::Session session(executor_, connection_);
    reactor::TaskGroup life(executor_);
    life.spawn(session.run());
    std::exception_ptr thrown;
    error_code error;
    try {
        auto const up_by = std::min(work.deadline(), steady_now() + connection_.connect_max);
        bool const ready = co_await session.ready(up_by);
        if (!ready) error = Errc::unavailable;
        if (ready && mends) error = co_await work.repair(session);
        if (ready && !mends) error = co_await work.compare(session);
    } catch (...) {
        thrown = std::current_exception();
    }
    // Whoever is cancelled still waits for the end of what he has begun.
    auto const state = co_await asio::this_coro::cancellation_state;
    if (reactor::is_cancelled(state))
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    life.cancel();
    co_await life.join();
    if (thrown) std::rethrow_exception(thrown);
    if (error) co_return error;
    co_return work.found();
}

}  // namespace penstock::db
