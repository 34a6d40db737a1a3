// Reports: asked for here, written by a job.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// The kind of the job that writes a report. Its payload is {"ledger":name,"type":type}.
inline constexpr char const* report_job = "report";

char const* name_of(ReportType type);

/// A command's share of add_keys_of().
void add_keys(RequestReport const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key.
Outcome apply(WorkingSet& set, Envelope const& envelope, RequestReport const& command);

}  // namespace penstock::domain
