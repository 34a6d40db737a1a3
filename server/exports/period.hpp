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

/// What it asks for, and never what was made at or after the instant of its request.
inline Period period_of(domain::Export const& row) {
    auto const requested = row.requested_at();
    return {row.filter.from.value_or(domain::Instant{0}),
            std::min(row.filter.to.value_or(requested), requested)};
}

}  // namespace penstock::server
