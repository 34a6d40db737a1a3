// What the workers of one hot ledger work with.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "reactor/result.hpp"

namespace penstock::cache {
class HotJournal;
class HotSchedule;
}  // namespace penstock::cache

namespace penstock::server {

class Clock;
class IdSource;

/// How a worker's command becomes durable: in the ledger's lane, or as a test sees fit.
using HotSubmit =
    std::function<asio::awaitable<Result<domain::Outcome>>(domain::Command, SteadyTime)>;

/// Of one ledger in one epoch, on one shard; what is referred to outlives the workers.
struct HotLedgerParts {
    asio::any_io_executor executor;
    domain::LedgerId ledger;
    std::int64_t epoch = 0;
    cache::HotJournal& journal;
    cache::HotSchedule& schedule;
    HotSubmit submit;
    Clock& clock;
    IdSource& ids;
};

}  // namespace penstock::server
