// WHAT a shadow is told of changes that no server made: they are in no batch.
#pragma once

#include <stdexcept>
#include <string>

#include "db/shadow_state.hpp"
#include "server/id_source.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"

namespace penstock::server {

/// A note for work that may change rows: nobody reads from a shadow while one stands, until a
/// backfill has followed. It is there before the first change, so that it stays if the work dies.
class ShadowNote {
public:
    explicit ShadowNote(Options const& options)
        : source_(database_address(options.database_url)), id_(leave()) {}

    /// The work has ended. What it changed another note says: a backfill that ran beside the work
    /// may have passed where the change was, and takes what it found for settled.
    void settle(bool changed) const {
        if (changed) leave();
        must_be_told(run_to_end(db::take_back_shadow_gap(source_, id_, steady_now() + told_max)));
    }

private:
    static constexpr std::chrono::seconds told_max{10};

    static void must_be_told(db::pg::Answer<db::pg::Done> const& told) {
        if (!told) throw std::runtime_error("No note for the shadow: " + told.error().message);
    }

    std::string leave() const {
        auto id = "repair-" + SystemIdSource().request_id();
        must_be_told(run_to_end(db::note_shadow_gap(source_, id, steady_now() + told_max)));
        return id;
    }

    db::pg::Address source_;
    std::string id_;
};

}  // namespace penstock::server
