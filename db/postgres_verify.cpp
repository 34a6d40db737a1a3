// Does what is stored keep its promises? Every invariant, by a statement that scans it all.
#include <span>

#include "db/pg/plain_connection.hpp"
#include "db/postgres_reads.hpp"
#include "db/sql.hpp"

namespace penstock::db {

using namespace domain;

namespace {

constexpr std::string_view check_prefix = "verify_";

// The statements whose name is a check's.
constexpr Statement const* ledger_checks[] = {
    &sql::verify_balances_sum_to_zero,       &sql::verify_balance_equals_transfers,
    &sql::verify_available_within_overdraft, &sql::verify_versions_without_gap,
    &sql::verify_held_equals_open_holds,     &sql::verify_holds_end_once,
    &sql::verify_purchases_equal_royalties,  &sql::verify_totals_equal_transfers,
    &sql::verify_streams_equal_transfers,    &sql::verify_escrow_equals_streams,
    &sql::verify_streams_within_vested,      &sql::verify_sold_equals_orders,
    &sql::verify_users_within_limit,         &sql::verify_orders_equal_purchases,
};
constexpr std::span sale_checks = std::span(ledger_checks).last<3>();
constexpr Statement const* credit_checks[] = {
    &sql::verify_credits_equal_history,
    &sql::verify_credit_lots_close_in_time,
    &sql::verify_totals_equal_credits,
    &sql::verify_credit_lots_keep_up,
};

Check check_of(Statement const& statement, pg::Row row) {
    Check check;
    check.name = statement.name.substr(check_prefix.size());
    check.ok = row.text(0) == "t";
    check.detail = row.text(1);
    return check;
}

using Checks = std::span<Statement const* const>;

/// `of` is the one parameter of every check.
Store::Listed<Check> scan(asio::any_io_executor executor, pg::ConnectionOptions options,
                          Checks checks, std::string of, SteadyTime deadline) {
    auto dialled = co_await pg::dial(options, deadline);
    if (!dialled) co_return dialled.error().code;
    pg::PlainConnection connection(executor, std::move(*dialled));
    // One snapshot for all checks. Of a ledger that is younger than the last ANALYZE the planner
    // expects a row, and for one row it takes a nested loop; for a hundred thousand, which may be
    // there, that would take hours.
    auto const begun = co_await connection.script(
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
        " SET LOCAL enable_nestloop = off",
        deadline);
    if (!begun) co_return begun.error().code;
    std::vector<Check> results;
    for (auto const* statement : checks) {
        std::vector<std::string> params(1, of);
        auto const answer =
            co_await connection.query(std::string(statement->text), std::move(params), deadline);
        if (!answer) co_return answer.error().code;
        if (answer->size() != 1) co_return Errc::unexpected_reply;
        auto read = [&] { return check_of(*statement, (*answer)[0]); };
        auto check = pg::decoded(read);
        if (!check) co_return check.error();
        results.push_back(std::move(*check));
    }
    auto const ended = co_await connection.script("COMMIT", deadline);
    if (!ended) co_return ended.error().code;
    co_return results;
}

/// A connection of its own: full scans may take long, and here the planner must choose.
pg::ConnectionOptions for_scans(PostgresOptions const& all) {
    auto options = all.connection;
    options.plans = pg::Plans::chosen;
    options.statement_timeout = all.verify_max;
    options.application_name += "-verify";
    return options;
}

}  // namespace

Store::Listed<Check> PostgresStore::verify(LedgerId ledger, SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes);
    auto const kind_of = [](pg::Row row) { return row.int2(0); };
    auto const kind = co_await find<std::int16_t>(sql::kind_of_ledger, params, deadline, kind_of);
    if (!kind) co_return kind.error();
    bool const is_of_credits = *kind == static_cast<std::int16_t>(LedgerKind::credits);
    Checks checks = ledger_checks;
    if (is_of_credits) checks = credit_checks;
    auto options = for_scans(options_);
    auto results =
        co_await scan(executor_, std::move(options), checks, ledger.to_string(), deadline);
    if (!results || !is_of_credits) co_return results;
    auto const compared = co_await credits_.compare_lots(ledger, deadline);
    if (!compared) co_return compared.error();
    results->push_back(replay_check(*compared));
    co_return results;
}

Store::Listed<Check> PostgresStore::verify_sales(SteadyTime deadline) {
    return scan(executor_, for_scans(options_), sale_checks, "", deadline);
}

}  // namespace penstock::db
