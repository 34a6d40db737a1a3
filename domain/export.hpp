// Exports: asked for here, written by a job; every download is recorded.
#pragma once

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// Names the job that writes exports; its payload is `{"export":"<id>"}`.
inline constexpr char const* export_job = "export";

/// A command's share of add_keys_of().
void add_keys(RequestExport const& command, Envelope const& envelope, KeySet& keys);
void add_keys(RecordDownload const& command, Envelope const& envelope, KeySet& keys);

/// A command's own rules, after its idempotency key.
Outcome apply(WorkingSet& set, Envelope const& envelope, RequestExport const& command);
Outcome apply(WorkingSet& set, Envelope const& envelope, RecordDownload const& command);

}  // namespace penstock::domain
