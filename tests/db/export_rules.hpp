// What every store must do with exports: one suite, run on each.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

std::span<ConformanceRule const> export_rules();

}  // namespace penstock::tests
