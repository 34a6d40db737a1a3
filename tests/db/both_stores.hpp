// One suite of rules on each of the stores.
#pragma once

#include <boost/test/unit_test.hpp>
#include <span>

#include "db/memory_store.hpp"
#include "tests/db/conformance.hpp"
#include "tests/db/postgres_fixture.hpp"

namespace penstock::tests {

/// Each rule on a store of its own.
inline void keep_in_memory(std::span<ConformanceRule const> rules) {
    BOOST_TEST(!rules.empty());
    for (auto const& rule : rules) {
        BOOST_TEST_CONTEXT(rule.name) {
            db::MemoryStore store;
            auto body = [&]() -> asio::awaitable<void> { co_await rule.check(store); };
            run(body);
        }
    }
}

/// All of them in one database.
inline void keep_in_postgresql(std::span<ConformanceRule const> rules) {
    MigratedDatabase database;
    for (auto const& rule : rules) {
        BOOST_TEST_CONTEXT(rule.name) {
            auto body = [&](db::Store& store, LivingWriter&,
                            LivingWriter&) -> asio::awaitable<void> { co_await rule.check(store); };
            with_store(database.store_options(), body);
        }
    }
}

}  // namespace penstock::tests
