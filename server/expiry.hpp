// Who ends what is due, holds and lots of credits: the server itself, whether or not anyone looks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "db/store.hpp"
#include "server/clock.hpp"
#include "server/engine.hpp"
#include "server/id_source.hpp"

namespace penstock::server {

/// Ends what is due through the lanes, like every other change: one command per ledger. Several
/// servers may find the same rows: the first one's commit ends them, the others' changes nothing.
class Expiry {
public:
    /// One ledger's command: one that is slow costs the others no more than this.
    static constexpr milliseconds step_max{2'000};

    Expiry(Engine& engine, Clock& clock, IdSource& ids, std::size_t batch)
        : engine_(engine), clock_(clock), ids_(ids), batch_(batch) {}

    /// One round: how many of those that are due it has ended, `batch` at most; 0 also when
    /// another server was faster, which then needs no help. `list(now, limit, deadline)` finds
    /// them; Command is made of a ledger and its rows. An error when a ledger's could not be
    /// ended; the others' were.
    template <class Command, class List>
    asio::awaitable<Result<std::size_t>> run_once(List list, SteadyTime deadline) {
        auto due = co_await list(clock_.now(), batch_, deadline);
        if (!due) co_return due.error();
        auto rows = std::move(*due);
        std::map<domain::LedgerId, decltype(rows)> by_ledger;
        for (auto& row : rows) by_ledger[row.ledger].push_back(std::move(row));
        std::size_t ended = 0;
        error_code failed;
        for (auto& [ledger, originals] : by_ledger) {
            domain::Command command = Command{ledger, std::move(originals)};
            auto const outcome = co_await submit(std::move(command), deadline);
            if (!outcome) failed = outcome.error();
            if (outcome) ended += ended_by(*outcome);
        }
        if (failed) co_return failed;
        co_return ended;
    }

private:
    static std::size_t ended_by(domain::Outcome const& outcome) {
        auto const* receipt = std::get_if<domain::Receipt>(&outcome);
        auto const* done = receipt ? std::get_if<domain::Done>(&receipt->what) : nullptr;
        return done ? done->items : 0;
    }

    asio::awaitable<Result<domain::Outcome>> submit(domain::Command command, SteadyTime deadline) {
        domain::Envelope envelope;
        envelope.request_id = "expiry";
        envelope.nonce = ids_.nonce();
        envelope.command = std::move(command);
        auto const step_deadline = std::min(deadline, steady_now() + step_max);
        return engine_.submit(std::move(envelope), step_deadline);
    }

    Engine& engine_;
    Clock& clock_;
    IdSource& ids_;
    std::size_t batch_;
};

}  // namespace penstock::server
