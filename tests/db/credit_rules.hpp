// What every store must do with credits: one suite, run on each.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

std::span<ConformanceRule const> credit_rules();

}  // namespace penstock::tests
