// Who ends what is due, holds and lots of credits: the server itself, whether or not anyone looks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "db/due_rows.hpp"
#include "reactor/backoff.hpp"
#include "reactor/counters.hpp"
#include "server/clock.hpp"
#include "server/engine.hpp"
#include "server/id_source.hpp"

namespace penstock::server {

struct ExpiryOptions {
    std::size_t batch = 256;       ///< rows of one round
    milliseconds step_max{2'000};  ///< one ledger's command: a slow one costs the others no more
    /// For how long a ledger that failed is left out; one success forgets it.
    reactor::BackoffLimits pauses{milliseconds{500}, milliseconds{10'000}, milliseconds{0}};
    std::size_t left_out_max = 1'024;  ///< ledgers that are remembered as failing
};

struct ExpiryMetrics {
    reactor::Count failures;  ///< commands of one ledger that failed
    reactor::Count left_out;  ///< ledgers that are left out now
};

/// Ends what is due through the lanes, like every other change: one command per ledger. Several
/// servers may find the same rows: the first one's commit ends them, the others' changes nothing.
///
/// A ledger whose rows cannot be ended (its lane is full, somebody holds a lock on an account of
/// it) is left out of the next rounds for a while. Else its rows, being the longest overdue, would
/// be all that is ever found.
class Expiry {
public:
    using Submit = std::function<asio::awaitable<Result<domain::Outcome>>(domain::Envelope,
                                                                          SteadyTime deadline)>;
    using OnFailure = std::function<void(domain::LedgerId, error_code)>;

    Expiry(Submit submit, Clock& clock, IdSource& ids, ExpiryOptions options,
           OnFailure on_failure = nullptr);
    Expiry(Expiry&&) = delete;

    /// One round: how many of those that are due it has ended, `batch` at most; 0 also when
    /// another server was faster, which then needs no help. `list(page, deadline)` finds them;
    /// Command is made of a ledger and its rows. An error: they could not be listed.
    template <class Command, class List>
    asio::awaitable<Result<std::size_t>> run_once(List list, SteadyTime deadline) {
        auto page = next_page();
        auto due = co_await list(std::move(page), deadline);
        if (!due) co_return due.error();
        auto rows = std::move(*due);
        std::map<domain::LedgerId, decltype(rows)> by_ledger;
        for (auto& row : rows) by_ledger[row.ledger].push_back(std::move(row));
        std::vector<Work> work;
        for (auto& [ledger, originals] : by_ledger)
            work.push_back({ledger, Command{ledger, std::move(originals)}});
        co_return co_await end(std::move(work), deadline);
    }

    ExpiryMetrics const& metrics() const { return metrics_; }

private:
    struct Work {
        domain::LedgerId ledger;
        domain::Command command;
    };
    struct Failing {
        reactor::Backoff pauses;
        SteadyTime until;  ///< left out before that
    };

    db::DuePage next_page();
    asio::awaitable<std::size_t> end(std::vector<Work> work, SteadyTime deadline);
    asio::awaitable<Result<domain::Outcome>> submit(domain::Command command, SteadyTime deadline);
    void leave_out(domain::LedgerId ledger, error_code error);

    Submit submit_;
    Clock& clock_;
    IdSource& ids_;
    ExpiryOptions options_;
    OnFailure on_failure_;
    std::map<domain::LedgerId, Failing> failing_;
    ExpiryMetrics metrics_;
};

}  // namespace penstock::server
