// What every store must do with payment streams: one suite, run on each.
#pragma once

#include "tests/db/conformance.hpp"

namespace penstock::tests {

std::span<ConformanceRule const> stream_rules();

}  // namespace penstock::tests
