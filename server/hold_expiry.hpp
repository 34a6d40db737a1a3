// Who ends the holds that are due: the server itself, whether or not anyone looks at them.
#pragma once

#include <cstddef>

#include "db/store.hpp"
#include "server/clock.hpp"
#include "server/engine.hpp"
#include "server/id_source.hpp"

namespace penstock::server {

/// Ends due holds through the lanes, like every other change: one command per ledger. Several
/// servers may find the same holds: the first one's commit ends them, the others' changes nothing.
class HoldExpiry {
public:
    /// One ledger's command: one that is slow costs the others no more than this.
    static constexpr milliseconds step_max{2'000};

    HoldExpiry(db::Store& store, Engine& engine, Clock& clock, IdSource& ids, std::size_t batch)
        : store_(store), engine_(engine), clock_(clock), ids_(ids), batch_(batch) {}

    /// One round: how many were found due, `batch` at most. An error when a ledger's could not be
    /// ended; the others' were.
    asio::awaitable<Result<std::size_t>> run_once(SteadyTime deadline);

private:
    db::Store& store_;
    Engine& engine_;
    Clock& clock_;
    IdSource& ids_;
    std::size_t batch_;
};

}  // namespace penstock::server
