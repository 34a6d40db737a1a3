// Reports: what the job that writes one does.
#pragma once

#include "db/store.hpp"
#include "server/clock.hpp"
#include "server/jobs/worker.hpp"

namespace penstock::server {

/// Reads the running totals: the same work for a ledger of any size. Both outlive the worker.
JobKind report_kind(db::Store& store, Clock& clock);

}  // namespace penstock::server
