// A server of the oldest schema, a ledger for it to write into, and what must hold of that at last.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "db/pg/plain_connection.hpp"
#include "tests/db/driver.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {

inline constexpr int transfers_before = 2'000;
inline constexpr int commits_around = 20;

/// The migrations before the one of that name.
inline db::Migrations migrations_before(std::string_view name) {
    db::Migrations const all = db::migrations::all;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i]->name.ends_with(name)) return all.first(i);
    BOOST_FAIL("there is no migration " << name);
    return all;
}

inline void migrate_to(Database const& database, db::Migrations migrations) {
    auto body = [&]() -> asio::awaitable<void> {
        auto const report = co_await db::migrate(database.address(), migrations, soon());
        BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
    };
    run(body);
}

/// A ledger with two accounts, by the columns that the old schema has. Deposits of 1.
inline constexpr char const* populate = R"(
INSERT INTO ledgers VALUES ('00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-000000000000', 'old', 'EUR', 2, 0, 0, 70, 0, 0, '{}',
    to_timestamp(1700000000), NULL);
INSERT INTO accounts (id, ledger_id, address, overdraft_limit, balance, held, fraction, version,
    metadata, created_at, updated_at)
SELECT ('00000000-0000-0000-0000-00000000000' || place)::uuid,
    '00000000-0000-0000-0000-000000000001', address, 0, sign * $count, 0, 0, used * $count, '{}',
    to_timestamp(1700000000), to_timestamp(1700000000 + $count / 1000.0)
FROM (VALUES (2, '@world', -1, 1), (3, 'a', 1, 1), (4, 'b', 0, 0), (5, '@platform', 0, 0))
    v (place, address, sign, used);
INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount, from_balance,
    from_version, to_balance, to_version, created_at)
SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008000000000000000')::uuid,
    '00000000-0000-0000-0000-000000000001', 1, '00000000-0000-0000-0000-000000000002',
    '00000000-0000-0000-0000-000000000003', 1, -i, i, i, i, to_timestamp(1700000000 + i / 1000.0)
FROM generate_series(1, $count) i;
INSERT INTO ledger_totals VALUES ('00000000-0000-0000-0000-000000000001', 1, $count, $count);
)";

/// What the old server's connections have prepared: its columns, named, and a list that takes a
/// whole row inside.
inline constexpr char const* prepare_old = R"(
PREPARE old_lock AS SELECT a.id, a.balance, a.version FROM accounts a
    WHERE a.ledger_id = '00000000-0000-0000-0000-000000000001' ORDER BY a.id FOR UPDATE OF a;
PREPARE old_insert AS INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount,
    from_balance, from_version, to_balance, to_version, created_at, reference, metadata, reverts,
    idempotency_key, fingerprint)
SELECT (lpad(to_hex(1700000001000 + w.version), 12, '0') || '70008000000000000000')::uuid,
    a.ledger_id, 1, w.id, a.id, 1, w.balance - 1, w.version + 1, a.balance + 1, a.version + 1,
    a.updated_at, NULL, NULL, NULL, NULL, NULL
FROM accounts w JOIN accounts a ON a.ledger_id = w.ledger_id AND a.address = 'a'
WHERE w.ledger_id = '00000000-0000-0000-0000-000000000001' AND w.address = '@world';
PREPARE old_update AS UPDATE accounts
SET balance = balance + CASE address WHEN 'a' THEN 1 ELSE -1 END, version = version + 1
WHERE ledger_id = '00000000-0000-0000-0000-000000000001' AND address IN ('a', '@world');
PREPARE old_totals AS INSERT INTO ledger_totals AS t (ledger_id, kind, count, amount)
VALUES ('00000000-0000-0000-0000-000000000001', 1, 1, 1)
ON CONFLICT (ledger_id, kind)
DO UPDATE SET count = t.count + excluded.count, amount = t.amount + excluded.amount;
PREPARE old_list AS SELECT t.id, t.kind, t.amount FROM (SELECT * FROM transfers r
    WHERE r.ledger_id = '00000000-0000-0000-0000-000000000001' AND r.kind = 1
    ORDER BY r.id DESC LIMIT 5) t;
)";

/// A transaction in two halves: its history, then its part of the totals.
inline constexpr char const* old_history =
    "BEGIN; EXECUTE old_lock; EXECUTE old_insert; EXECUTE old_update";
inline constexpr char const* old_totals = "EXECUTE old_totals";
inline constexpr char const* old_commit =
    "BEGIN; EXECUTE old_lock; EXECUTE old_insert; EXECUTE old_update; EXECUTE old_totals; COMMIT;"
    " EXECUTE old_list";

/// A server of the old schema: one deposit after the other until it is told to stop.
class OldServer {
public:
    explicit OldServer(Database const& database) : options_(database.options()) {}

    asio::awaitable<void> run() {
        auto const executor = co_await asio::this_coro::executor;
        auto dialled = co_await db::pg::dial(options_, soon());
        BOOST_REQUIRE(dialled.has_value());
        db::pg::PlainConnection connection(executor, std::move(*dialled));
        auto const prepared = co_await connection.script(prepare_old, soon());
        BOOST_REQUIRE_MESSAGE(prepared.has_value(), prepared.error().message);
        while (!stopped_) {
            auto const done = co_await connection.script(old_commit, soon());
            BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().message);
            BOOST_REQUIRE(done->size() == 5u);
            ++commits_;
        }
    }

    asio::awaitable<void> commit_some() {
        auto const wanted = commits_ + commits_around;
        co_await eventually([&] { return commits_ >= wanted; });
    }

    int commits() const { return commits_; }
    void stop() { stopped_ = true; }

private:
    db::pg::ConnectionOptions options_;
    int commits_ = 0;
    bool stopped_ = false;
};

inline void fill(Database const& database) {
    std::string text = populate;
    for (std::size_t at = 0; (at = text.find("$count")) != std::string::npos;)
        text.replace(at, 6, std::to_string(transfers_before));
    database.connect()(text);
}

inline domain::LedgerId old_ledger() {
    return {*domain::Uuid::parse("00000000-0000-0000-0000-000000000001")};
}

inline asio::awaitable<void> require_sound(db::Store& store, int deposits) {
    auto const ledger = old_ledger();
    auto const checks = co_await store.verify(ledger, soon());
    BOOST_REQUIRE(checks.has_value());
    for (auto const& check : *checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
    auto const totals = co_await store.list_totals(ledger, soon());
    BOOST_REQUIRE((totals.has_value() && !totals->empty()));
    domain::Total const expected{ledger, domain::TotalKind::deposit, deposits, deposits};
    BOOST_TEST((totals->front() == expected), totals->front().count << " of " << deposits);
}

}  // namespace penstock::tests
