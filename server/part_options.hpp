// How the program's options become those of its parts.
#pragma once

#include <cstddef>
#include <string>

#include "cache/edge.hpp"
#include "server/clock.hpp"
#include "server/context.hpp"
#include "server/engine.hpp"
#include "server/exports/desk.hpp"
#include "server/hot/hot_options.hpp"
#include "server/hot/keeper.hpp"
#include "server/http/event_feed.hpp"
#include "server/http/listener.hpp"
#include "server/id_source.hpp"
#include "server/jobs/exports.hpp"
#include "server/jobs/worker.hpp"
#include "server/options.hpp"
#include "server/periodic.hpp"
#include "server/rate_limiter.hpp"
#include "server/sales/desk.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {

/// The embedded store lives on one event loop, and everything that changes it is one lane.
Options adjusted(Options options);

/// Throws UnusableOptions: who is asked for no key listens on a loopback address.
AccessPolicy access_of(Options const& options);

EngineOptions engine_options(Options const& options);
RateLimiterOptions rate_limiter_options(Options const& options);

// `database`: its identity, by which what lies in Redis is told from another installation's.
cache::EdgeOptions edge_options(Options const& options, std::string const& database);
SaleDeskOptions desk_options(Options const& options, std::string const& database, Log& log);
HotOptions hot_options(Options const& options, std::string const& database);

HotKeeperOptions hot_keeper_options(HotOptions const& options);
FeedLimits feed_limits(Options const& options);
WorkerOptions worker_options(Options const& options);
ExportJobOptions export_job_options(Options const& options);
ExportDeskOptions export_desk_options(Options const& options);

PeriodicOptions expiry_options(Options const& options);
PeriodicOptions export_care_options(Options const& options);
PeriodicOptions reconciliation_options(Options const& options);
PeriodicOptions purge_options(Options const& options);

/// Reads the certificate, if there is one; throws when it cannot be used.
ListenerOptions listener_options(Options const& options, std::size_t shard, Clock& clock,
                                 IdSource& ids);

}  // namespace penstock::server
