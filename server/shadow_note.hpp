// WHAT a shadow is told of changes that no server made: they are in no batch.
#pragma once

#include <stdexcept>

#include "db/shadow_state.hpp"
#include "server/id_source.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"

namespace penstock::server {

/// Until a backfill has followed, nobody reads from the shadow.
inline void tell_shadow_of_repair(Options const& options) {
    constexpr std::chrono::seconds told_max{10};
    auto const told = run_to_end(db::note_shadow_gap(database_address(options.database_url),
                                                     "repair-" + SystemIdSource().request_id(),
                                                     steady_now() + told_max));
    if (!told) throw std::runtime_error("No note for the shadow: " + told.error().message);
}

}  // namespace penstock::server
