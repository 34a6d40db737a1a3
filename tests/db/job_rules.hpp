// What every queue of jobs must do: one suite, run on each store's.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

/// Each rule has kinds and organizations of its own, so rules may share one store in any order.
std::span<ConformanceRule const> job_rules();

}  // namespace penstock::tests
