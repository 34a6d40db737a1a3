// What every Store must do: one suite, run by each implementation's own test program part.
#pragma once

#include <span>

#include "db/store.hpp"

namespace penstock::tests {

/// A rule as a coroutine. It makes its own organization, so rules may share one store in any
/// order. It spawns run() of the writers it makes; run() of the store is its caller's affair.
struct ConformanceRule {
    char const* name;
    asio::awaitable<void> (*check)(db::Store& store);
};

std::span<ConformanceRule const> conformance_rules();

}  // namespace penstock::tests
