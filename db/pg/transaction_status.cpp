#include "db/pg/transaction_status.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/pg/connection.hpp"
#include "db/pg/plain_connection.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db::pg {
namespace {

constexpr reactor::BackoffLimits pauses{milliseconds{10}, milliseconds{250}, milliseconds{0}};

// Pauses are not jittered: at most one lane per shard asks.
constexpr std::uint32_t whole_pause = std::numeric_limits<std::uint32_t>::max();

constexpr char const* status_statement =
    "SELECT pg_xact_status($1::text::xid8),"
    " $2::text::int8 = (date_part('epoch', greatest(pg_postmaster_start_time(),"
    " pg_stat_get_bgwriter_stat_reset_time())) * 1000000)::int8";

/// Writes a few bytes into the log that nobody reads: its commit waits for what any commit does.
constexpr char const* commit_statement = "SELECT pg_logical_emit_message(true, 'penstock', '')";

struct Asked {
    std::optional<TransactionOutcome> outcome;
    bool again = false;  ///< nothing learnt, but the next attempt may learn something
};

/// `same_memory`: no other transaction has had its number.
std::optional<TransactionOutcome> outcome_of(std::string_view status, bool same_memory) {
    if (status == "committed")
        return same_memory ? TransactionOutcome::committed : TransactionOutcome::number_committed;
    if (status == "aborted") return TransactionOutcome::aborted;
    if (status != "in progress") return std::nullopt;
    return same_memory ? TransactionOutcome::in_progress : TransactionOutcome::aborted;
}

Asked read_status(Answer<Rows> const& answer) {
    Asked asked;
    if (!answer) {
        // invalid_parameter_value: the transaction id is in this server's future.
        bool const never_reached = answer.error().sqlstate == "22023";
        if (never_reached) asked.outcome = TransactionOutcome::aborted;
        asked.again = !never_reached;
        return asked;
    }
    if (answer->empty() || (*answer)[0].is_null(0)) return asked;
    asked.outcome = outcome_of((*answer)[0].text(0), (*answer)[0].text(1) == "t");
    return asked;
}

/// Asks once; what committed has been followed by a commit that was confirmed.
asio::awaitable<Asked> ask(PlainConnection& connection, TransactionId transaction,
                           SteadyTime deadline) {
    std::vector<std::string> params;
    params.push_back(std::to_string(transaction.number));
    params.push_back(std::to_string(transaction.memory_since));
    auto const answer = co_await connection.query(status_statement, std::move(params), deadline);
    auto asked = read_status(answer);
    bool const has_committed = asked.outcome == TransactionOutcome::committed ||
                               asked.outcome == TransactionOutcome::number_committed;
    if (!has_committed) co_return asked;
    auto const confirmed = co_await connection.script(commit_statement, deadline);
    if (confirmed) co_return asked;
    Asked unconfirmed;
    unconfirmed.again = true;
    co_return unconfirmed;
}

}  // namespace

asio::awaitable<Result<TransactionOutcome>> ask_outcome(ConnectionOptions options,
                                                        TransactionId transaction,
                                                        SteadyTime deadline) {
    auto const executor = co_await asio::this_coro::executor;
    reactor::Backoff backoff(pauses);
    std::unique_ptr<PlainConnection> connection;
    bool in_progress = false;
    for (;;) {
        if (!connection) {
            auto const attempt_ends = std::min(deadline, steady_now() + options.connect_max);
            auto dialled = co_await dial(options, attempt_ends);
            if (dialled)
                connection = std::make_unique<PlainConnection>(executor, std::move(*dialled));
        }
        if (connection) {
            auto const asked = co_await ask(*connection, transaction, deadline);
            if (!asked.outcome && !asked.again) co_return Errc::commit_unknown;
            in_progress = asked.outcome == TransactionOutcome::in_progress;
            if (asked.outcome && !in_progress) co_return *asked.outcome;
            if (asked.again) connection.reset();
        }
        auto const next = steady_now() + backoff.next(whole_pause);
        if (next >= deadline) break;
        bool const rested = co_await reactor::sleep_until(next);
        if (!rested) break;
    }
    if (in_progress) co_return TransactionOutcome::in_progress;
    co_return Errc::commit_unknown;
}

}  // namespace penstock::db::pg
