// A run from setup to verdict: what main does once the options are read.
#pragma once

#include "bench/options.hpp"
#include "bench/report.hpp"

namespace penstock::bench {

/// Sets up, warms up, measures, resolves what is unclear and checks the books, on an event loop
/// of its own. The first SIGINT or SIGTERM ends the load early; the check still follows. Throws
/// Unusable when a server cannot be used.
RunResult run(Options const& options);

}  // namespace penstock::bench
