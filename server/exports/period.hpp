// WHEN the rows of an export were made.
#pragma once

#include <algorithm>

#include "domain/export_rows.hpp"

namespace penstock::server {

/// from ≤ created_at < to.
struct Period {
    domain::Instant from;
    domain::Instant to;
};

/// What it asks for, and never what was made after the instant of its request. What was made in
/// the same millisecond may have been answered before, so it is in.
inline Period period_of(domain::Export const& row) {
    domain::Instant const behind{row.requested_at().ms + 1};
    return {row.filter.from.value_or(domain::Instant{0}),
            std::min(row.filter.to.value_or(behind), behind)};
}

}  // namespace penstock::server
