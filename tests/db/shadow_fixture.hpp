// Two migrated databases, and a store that writes to both.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/migrations.hpp"
#include "db/move.hpp"
#include "db/postgres_store.hpp"
#include "db/shadow_state.hpp"
#include "db/shadow_store.hpp"
#include "tests/db/postgres_fixture.hpp"

namespace penstock::tests {

/// A store on both of them. run() and the connections are its caller's affair.
struct Twin {
    Twin(asio::any_io_executor executor, MigratedDatabase const& from, MigratedDatabase const& to,
         db::ReadFrom read_from = db::ReadFrom::primary, std::size_t queue_rows = 200'000)
        : primary(executor, from.store_options()),
          store(executor, primary,
                std::make_unique<db::PostgresStore>(executor, to.store_options()),
                options(from, to, queue_rows), read_from, fleet) {}

    static db::ShadowOptions options(MigratedDatabase const& from, MigratedDatabase const& to,
                                     std::size_t queue_rows) {
        db::ShadowOptions options(from.address(), to.address());
        options.migrations = db::migrations::all;
        options.backoff = fast_backoff();
        options.queue_rows = queue_rows;
        return options;
    }

    /// A server of its own each time.
    static std::string name() {
        static int made = 0;
        return "twin-" + std::to_string(++made);
    }

    db::PostgresStore primary;
    db::ShadowFleet fleet{name()};
    db::ShadowStore store;
};

/// What a server does before it writes anything.
inline asio::awaitable<void> prepare_to_write(MigratedDatabase const& from) {
    auto const prepared = co_await db::prepare_shadow_state(from.address(), soon());
    BOOST_REQUIRE_MESSAGE(prepared.has_value(), prepared.error().message);
}

/// body(Twin&) beside a living one, once it knows its shadow.
template <class Body>
void with_twin(MigratedDatabase const& from, MigratedDatabase const& to, Body body,
               db::ReadFrom read_from = db::ReadFrom::primary, std::size_t queue_rows = 200'000,
               bool knows = true) {
    asio::io_context context{1};
    Twin twin(context.get_executor(), from, to, read_from, queue_rows);
    auto whole = [&]() -> asio::awaitable<void> {
        co_await prepare_to_write(from);
        // Where the shadow is none, the test says so itself.
        auto known = [&] { return twin.store.link().up() || !knows; };
        co_await eventually(known);
        co_await body(twin);
    };
    run_beside(context, twin.store, whole);
}

inline asio::awaitable<void> must_follow(Twin& twin) {
    bool const followed = co_await twin.fleet.caught_up(soon());
    BOOST_TEST(followed);
    BOOST_TEST(twin.fleet.gaps() == 0);
}

inline db::MoveOptions move_options(MigratedDatabase const& from, MigratedDatabase const& to) {
    db::MoveOptions options(from.address(), to.address());
    options.migrations = db::migrations::all;
    options.settle = milliseconds{20};
    options.hold = milliseconds{20};
    return options;
}

/// All differences, "table: what"; of databases that nobody writes to.
inline std::vector<std::string> differences(MigratedDatabase const& from,
                                            MigratedDatabase const& to) {
    std::vector<std::string> all;
    auto body = [&]() -> asio::awaitable<void> {
        auto const options = move_options(from, to);
        auto const compared = co_await db::compare_tables(options);
        BOOST_REQUIRE_MESSAGE(compared.has_value(), compared.error().message);
        for (auto const& table : *compared)
            for (auto const& one : table.differences) all.push_back(one.where + ": " + one.what);
    };
    run(body);
    for (auto const& one : all) BOOST_TEST_MESSAGE(one);
    return all;
}

inline std::string claimed(MigratedDatabase const& from, MigratedDatabase const& to) {
    std::string refusal;
    auto body = [&]() -> asio::awaitable<void> {
        auto const answer =
            co_await db::claim_shadow(from.address(), to.address(), db::migrations::all, soon());
        if (!answer) refusal = answer.error().message;
    };
    run(body);
    return refusal;
}

inline db::BackfillReport backfilled(db::MoveOptions const& options) {
    db::BackfillReport report;
    auto body = [&]() -> asio::awaitable<void> {
        auto const claim = co_await db::claim_shadow(options.source.address, options.target.address,
                                                     db::migrations::all, soon());
        BOOST_REQUIRE_MESSAGE(claim.has_value(), claim.error().message);
        auto const done = co_await db::backfill(options);
        BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().message);
        report = *done;
    };
    run(body);
    return report;
}

}  // namespace penstock::tests
