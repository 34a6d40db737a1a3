// What brings one hot ledger home on one shard works with, and what it tells.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "reactor/result.hpp"
#include "server/clock.hpp"
#include "server/id_source.hpp"

namespace penstock::cache {
class HotJournal;
class HotSchedule;
struct Failure;
}  // namespace penstock::cache

namespace penstock::server {

struct DrainMetrics;
struct SyncMetrics;

/// To the ledger's lane, whichever shard that is on.
using HotSubmit =
    std::function<asio::awaitable<Result<domain::Outcome>>(domain::Envelope, SteadyTime deadline)>;

/// Something that an operator is to hear of.
struct HotNotice {
    enum class What : std::uint8_t {
        failure,      ///< of `member`, a step; it is tried again. `why` is the error
        dead_letter,  ///< `member` was laid aside, because of `why`
        lost,         ///< `items` positions before `member` are in the journal no more
    };
    What what{};
    domain::LedgerId ledger;
    std::string member = {};  ///< an address, or the id of an entry of the journal
    std::string why = {};
    std::int64_t items = 0;
};

/// Of one hot ledger in one epoch, on one shard. What is referred to outlives the workers.
struct HotLedgerParts {
    asio::any_io_executor executor;
    domain::LedgerId ledger;
    std::int64_t epoch = 0;
    /// A name that no other server has. This one's next worker for the ledger has the same, and so
    /// finds what was handed to this one.
    std::string server;
    cache::HotJournal& journal;
    cache::HotSchedule& schedule;
    Clock& clock;
    IdSource& ids;
    HotSubmit submit;
    /// One each per shard: several ledgers count into them.
    DrainMetrics& drain_metrics;
    SyncMetrics& sync_metrics;
    std::function<void(HotNotice const&)> tell = nullptr;
};

/// Why a worker has ended.
enum class HotEnd : std::uint8_t {
    cancelled,
    superseded,  ///< another epoch has begun, or the books are gone: the ledger is to be opened
    removed,     ///< the store has no such ledger any more
};

/// The ledger's row, as a command of a worker came back with it; or why there is none to go on
/// with.
struct HotRow {
    domain::HotLedger row;
    std::optional<HotEnd> end = {};
};
HotRow row_of(domain::Outcome const& outcome, std::int64_t epoch);

/// What a command is surrounded with that the server itself asks for.
domain::Envelope hot_envelope(HotLedgerParts const& parts, std::string request_id,
                              domain::Command command);

/// Perhaps one of its rows is at fault: with fewer of them it is seen which.
bool may_be_split(error_code error);

/// Somebody else's bytes lie where the books do: only opening the ledger helps.
bool is_damage(cache::Failure const& failure);

}  // namespace penstock::server
