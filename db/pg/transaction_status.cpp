#include "db/pg/transaction_status.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "db/pg/connection.hpp"
#include "db/pg/plain_connection.hpp"
#include "reactor/deadline.hpp"

namespace penstock::db::pg {
namespace {

constexpr reactor::BackoffLimits pauses{milliseconds{10}, milliseconds{250}, milliseconds{0}};

// Pauses are not jittered: at most one lane per shard asks.
constexpr std::uint32_t whole_pause = std::numeric_limits<std::uint32_t>::max();

struct Asked {
    std::optional<TransactionOutcome> outcome;
    bool again = false;  ///< nothing learnt, but the next attempt may learn something
};

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
    auto const status = (*answer)[0].text(0);
    if (status == "committed") asked.outcome = TransactionOutcome::committed;
    if (status == "aborted") asked.outcome = TransactionOutcome::aborted;
    if (status == "in progress") asked.outcome = TransactionOutcome::in_progress;
    return asked;
}

}  // namespace

asio::awaitable<Result<TransactionOutcome>> ask_outcome(ConnectionOptions options,
                                                        std::uint64_t xid, SteadyTime deadline) {
    auto const executor = co_await asio::this_coro::executor;
    reactor::Backoff backoff(pauses);
    std::unique_ptr<PlainConnection> connection;
    std::optional<TransactionOutcome> last;
    for (;;) {
        if (!connection) {
            auto const attempt_ends = std::min(deadline, steady_now() + options.connect_max);
            auto dialled = co_await dial(options, attempt_ends);
            if (dialled)
                connection = std::make_unique<PlainConnection>(executor, std::move(*dialled));
        }
        if (connection) {
            std::vector<std::string> params;
            params.push_back(std::to_string(xid));
            auto const answer = co_await connection->query("SELECT pg_xact_status($1::text::xid8)",
                                                           std::move(params), deadline);
            auto const asked = read_status(answer);
            if (!asked.outcome && !asked.again) co_return Errc::commit_unknown;
            if (asked.outcome) last = asked.outcome;
            bool const final = last && *last != TransactionOutcome::in_progress;
            if (final) co_return *last;
            if (asked.again) connection.reset();
        }
        auto const next = steady_now() + backoff.next(whole_pause);
        if (next >= deadline) break;
        bool const rested = co_await reactor::sleep_until(next);
        if (!rested) break;
    }
    if (last) co_return *last;
    co_return Errc::commit_unknown;
}

}  // namespace penstock::db::pg
