// What brings one hot ledger home on one shard works with, and what it tells.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "reactor/result.hpp"
#include "server/clock.hpp"
#include "server/id_source.hpp"

namespace penstock::cache {
class HotJournal;
class HotSchedule;
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
        failure,      ///< it is tried again; `why` is the error
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

}  // namespace penstock::server
