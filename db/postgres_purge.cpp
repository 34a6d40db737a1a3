#include "db/postgres_purge.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "db/pg/plain_connection.hpp"
#include "db/sql.hpp"
#include "domain/assert.hpp"

namespace penstock::db {
namespace {

using namespace domain;

pg::ConnectionOptions for_purge(pg::ConnectionOptions options) {
    // Every statement walks one named index: nothing for the planner to choose.
    options.plans = pg::Plans::pinned;
    options.application_name += "-purge";
    return options;
}

std::string text_of(Instant at) {
    using namespace std::chrono;
    sys_time<milliseconds> const whole{milliseconds{at.ms}};
    auto const day = floor<days>(whole);
    year_month_day const date{day};
    hh_mm_ss<milliseconds> const time{whole - day};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d.%03d+00",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

/// A page each, of a ledger's rows that hang on its accounts: from a kind and an id on.
constexpr Statement const* row_purges[] = {&sql::purge_transfers, &sql::purge_purchases,
                                           &sql::purge_holds,     &sql::purge_streams,
                                           &sql::purge_events,    &sql::purge_credits};

/// What there is once.
constexpr Statement const* last_purges[] = {&sql::purge_credit_ledger, &sql::purge_hot_ledger,
                                            &sql::purge_totals, &sql::purge_ledger};

/// The count that a page begins with.
std::size_t counted(pg::Row row) {
    auto const text = row.text(0);
    std::size_t count = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size()) throw pg::BadReply(0, "a count");
    return count;
}

}  // namespace

/// An ordinary connection: what fails ends it, and with it whatever was begun.
class PostgresPurge::Work {
public:
    using Answer = asio::awaitable<Result<pg::Rows>>;
    using Texts = std::vector<std::string>;

    Work(PostgresPurge& purge, pg::ConnectionHandle dialled, SteadyTime deadline)
        : purge_(purge), connection_(purge.executor_, std::move(dialled)), deadline_(deadline) {}

    Answer script(std::string text) {
        auto answer = co_await connection_.script(std::move(text), deadline_);
        co_return noted(std::move(answer));
    }

    Answer query(Statement const& statement, Texts params) {
        std::string text(statement.text);
        auto answer = co_await connection_.query(std::move(text), std::move(params), deadline_);
        co_return noted(std::move(answer));
    }

private:
    Result<pg::Rows> noted(pg::Answer<pg::Rows> answer) {
        if (answer) return std::move(*answer);
        purge_.note(answer.error());
        return answer.error().code;
    }

    PostgresPurge& purge_;
    pg::PlainConnection connection_;
    SteadyTime deadline_;
};

PostgresPurge::PostgresPurge(asio::any_io_executor executor, PostgresOptions const& options)
    : executor_(std::move(executor)),
      connection_(for_purge(options.connection)),
      on_failure_(options.on_failure) {}

void PostgresPurge::note(pg::Failure const& failure) const {
    if (on_failure_) on_failure_(failure);
}

PostgresPurge::Removed PostgresPurge::run(Instant before, std::size_t limit, SteadyTime deadline) {
    PENSTOCK_ASSERT(limit > 0);
    auto dialled = co_await pg::dial(connection_, deadline);
    if (!dialled) {
        note(dialled.error());
        co_return dialled.error().code;
    }
    Work work(*this, std::move(*dialled), deadline);
    co_return co_await purge(work, before, limit);
}

PostgresPurge::Removed PostgresPurge::purge(Work& work, Instant before, std::size_t limit) {
    auto const answers = co_await purge_answers(work, before, limit);
    if (!answers) co_return answers.error();
    // A bulk's answer goes before the transfers that it names.
    if (*answers == limit) co_return limit;
    auto const rows = co_await purge_ledger(work, ledgers_before(before), limit - *answers);
    if (!rows) co_return rows.error();
    auto const removed = *answers + *rows;
    // The next call looks for what was held by others as well.
    if (removed == 0) answers_from_ = beginning_of_time;
    co_return removed;
}

PostgresPurge::Removed PostgresPurge::purge_answers(Work& work, Instant before, std::size_t limit) {
    Work::Texts place(1, text_of(before));
    place.push_back(std::to_string(limit));
    place.push_back(answers_from_);
    auto const page = co_await work.query(sql::purge_answers, std::move(place));
    if (!page) co_return page.error();
    if (page->empty()) co_return std::size_t{0};
    auto read = [&] {
        answers_from_ = (*page)[0].text(1);
        return counted((*page)[0]);
    };
    co_return pg::decoded(read);
}

/// A page of the ledger that was deleted first. Its row is locked for as long: servers share the
/// ledgers, never a ledger.
PostgresPurge::Removed PostgresPurge::purge_ledger(Work& work, Instant before, std::size_t limit) {
    auto const begun = co_await work.script("BEGIN");
    if (!begun) co_return begun.error();
    Work::Texts bound(1, text_of(before));
    auto const locked = co_await work.query(sql::lock_purged_ledger, std::move(bound));
    if (!locked) co_return locked.error();
    // The connection ends here, and the transaction with it.
    if (locked->empty()) co_return std::size_t{0};

    std::string const ledger((*locked)[0].text(0));
    // Forgotten on the way out unless the page is committed.
    auto progress = std::exchange(progress_, Progress());
    if (progress.ledger != ledger) progress = Progress();
    progress.ledger = ledger;
    auto removed = co_await purge_rows(work, progress, limit);
    if (removed && *removed == 0) removed = co_await look_for_rows(work, progress);
    bool const rowless = removed && progress.rows_are_gone;
    if (rowless) removed = co_await purge_accounts(work, progress, limit);
    bool const closing = rowless && removed && *removed == 0;
    if (closing) removed = co_await purge_the_rest(work, progress);
    if (!removed) co_return removed;
    auto const ended = co_await work.script("COMMIT");
    if (!ended) co_return ended.error();
    // A page without rows that left some behind begins at the beginning the next time.
    if (!closing && *removed > 0) progress_ = std::move(progress);
    co_return removed;
}

/// A page of the first table that has any left behind the place where the last one ended.
PostgresPurge::Removed PostgresPurge::purge_rows(Work& work, Progress& progress,
                                                 std::size_t limit) {
    while (progress.table < std::size(row_purges)) {
        Work::Texts place(1, progress.ledger);
        place.push_back(progress.kind);
        place.push_back(progress.id);
        place.push_back(std::to_string(limit));
        auto const page = co_await work.query(*row_purges[progress.table], std::move(place));
        if (!page) co_return page.error();
        if (!page->empty()) {
            auto read = [&] {
                auto const row = (*page)[0];
                progress.kind = row.text(1);
                progress.id = row.text(2);
                return counted(row);
            };
            co_return pg::decoded(read);
        }
        ++progress.table;
        progress.kind = before_all_kinds;
        progress.id = before_all_ids;
    }
    co_return std::size_t{0};
}

/// What somebody held was passed over: then the ledger stays for now.
PostgresPurge::Removed PostgresPurge::look_for_rows(Work& work, Progress& progress) {
    if (progress.rows_are_gone) co_return std::size_t{0};
    Work::Texts of_ledger(1, progress.ledger);
    auto const left = co_await work.query(sql::purge_left, std::move(of_ledger));
    if (!left) co_return left.error();
    progress.rows_are_gone = left->empty();
    co_return std::size_t{0};
}

PostgresPurge::Removed PostgresPurge::purge_accounts(Work& work, Progress& progress,
                                                     std::size_t limit) {
    Work::Texts place(1, progress.ledger);
    place.push_back(progress.address);
    place.push_back(std::to_string(limit));
    auto const page = co_await work.query(sql::purge_accounts, std::move(place));
    if (!page) co_return page.error();
    if (page->empty()) co_return std::size_t{0};
    auto read = [&] {
        progress.address = (*page)[0].text(1);
        return counted((*page)[0]);
    };
    co_return pg::decoded(read);
}

PostgresPurge::Removed PostgresPurge::purge_the_rest(Work& work, Progress const& progress) {
    Work::Texts of_ledger(1, progress.ledger);
    for (auto const* statement : last_purges) {
        auto const gone = co_await work.query(*statement, of_ledger);
        if (!gone) co_return gone.error();
    }
    co_return std::size_t{1};
}

}  // namespace penstock::db
