// Statements between two Syncs, as a value: one round trip and, without BEGIN, one transaction.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "db/pg/error.hpp"
#include "db/pg/params.hpp"
#include "db/pg/row.hpp"
#include "db/pg/statement.hpp"

namespace penstock::db::pg {

/// What is sent together. Without BEGIN it is one implicit transaction: if any statement fails,
/// none of them happened.
class Segment {
public:
    struct Step {
        Statement const* statement;
        Params params;
    };

    Segment() {}

    /// Returns the index of this statement's Rows in the answer. `statement` must live as long
    /// as the connection: generated statements do.
    std::size_t add(Statement const& statement, Params params = Params()) {
        steps_.push_back({&statement, std::move(params)});
        return steps_.size() - 1;
    }

    std::size_t begin() { return add(pg::begin); }

    /// Appends COMMIT. From now on a loss is commit_unknown.
    std::size_t commit() {
        commits_ = true;
        return add(pg::commit);
    }

    /// For a segment without BEGIN that writes: its Sync commits, so a loss is commit_unknown.
    void commits_by_itself() { commits_ = true; }

    bool commits() const { return commits_; }
    bool empty() const { return steps_.empty(); }
    std::size_t size() const { return steps_.size(); }
    std::vector<Step> const& steps() const { return steps_; }

private:
    std::vector<Step> steps_;
    bool commits_ = false;
};

/// One Rows per statement, in order, or the failure of the first statement that failed.
using SegmentAnswer = Answer<std::vector<Rows>>;

}  // namespace penstock::db::pg
