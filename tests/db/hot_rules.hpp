// What every store must do with hot ledgers: one suite, run on each.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

std::span<ConformanceRule const> hot_rules();
/// Those that leave many rows.
std::span<ConformanceRule const> large_hot_rules();

}  // namespace penstock::tests
