// What every store must do with products and orders: one suite, run on each of them.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

/// Each rule has an organization of its own, so rules may share one store in any order.
std::span<ConformanceRule const> sale_rules();

}  // namespace penstock::tests
