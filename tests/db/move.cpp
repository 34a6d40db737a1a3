// Is a copy a copy, and is every way in which it is none noticed?
#include "db/move.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/credit_rules.hpp"
#include "tests/db/export_rules.hpp"
#include "tests/db/job_rules.hpp"
#include "tests/db/rules.hpp"
#include "tests/db/sale_rules.hpp"
#include "tests/db/shadow_fixture.hpp"
#include "tests/db/stream_rules.hpp"

using namespace penstock;
using tests::LivingWriter;
using tests::MigratedDatabase;

namespace {

using Differences = std::vector<std::string>;

/// With rows of every table that a rule fills.
void fill(MigratedDatabase& database) {
    for (auto const rules : {tests::conformance_rules(), tests::sale_rules(), tests::credit_rules(),
                             tests::job_rules(), tests::stream_rules(), tests::export_rules()}) {
        auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
            for (auto const& rule : rules) co_await rule.check(store);
        };
        tests::with_store(database.store_options(), body);
    }
}

/// A filled database and its copy.
struct Copied {
    Copied() {
        fill(from);
        tests::backfilled(tests::move_options(from, to));
    }
    MigratedDatabase from, to;
};

Copied& copied() {
    static Copied instance;
    return instance;
}

struct Damage {
    char const* name;
    char const* sql;
    char const* noticed;  ///< a part of the first difference
};

constexpr Damage damages[] = {
    {"a row is missing",
     "DELETE FROM transfers WHERE id = (SELECT max(id::text)::uuid FROM transfers)",
     "transfers: the shadow does not have it"},
    {"a row too many",
     "INSERT INTO holds SELECT gen_random_uuid(), ledger_id, from_account, to_account, amount,"
     " expires_at, status, ended_at, captured_amount, transfer FROM holds LIMIT 1",
     "holds: only the shadow has it"},
    {"an amount",
     "UPDATE transfers SET amount = amount + 1 WHERE id IN (SELECT id FROM transfers LIMIT 1)",
     "transfers: amount: "},
    {"a balance",
     "UPDATE accounts SET balance = balance - 1 WHERE id IN (SELECT id FROM accounts LIMIT 1)",
     "accounts: balance: "},
    {"a lost key",
     "UPDATE transfers SET idempotency_key = NULL WHERE id IN (SELECT id FROM transfers WHERE"
     " idempotency_key IS NOT NULL LIMIT 1)",
     "transfers: idempotency_key: "},
    {"another order",
     "UPDATE transfers SET created_at = created_at + interval '1 ms' WHERE id IN"
     " (SELECT id FROM transfers LIMIT 1)",
     "transfers: created_at: "},
    {"another id",
     "UPDATE purchases SET id = gen_random_uuid() WHERE id IN (SELECT id FROM purchases LIMIT 1)",
     "purchases: "},
    {"a total",
     "UPDATE ledger_totals SET amount = amount + 1 WHERE (ledger_id, kind) IN"
     " (SELECT ledger_id, kind FROM ledger_totals LIMIT 1)",
     "ledger_totals: amount: "},
    {"the body of an answer",
     "UPDATE answers SET body = body || ' ' WHERE idempotency_key IN"
     " (SELECT idempotency_key FROM answers LIMIT 1)",
     "answers: body: "},
    {"a lot",
     "UPDATE credit_lots SET amount_remaining = 0 WHERE (operation_id, index) IN"
     " (SELECT operation_id, index FROM credit_lots WHERE amount_remaining > 0 LIMIT 1)",
     "credit_lots: amount_remaining: "},
    {"a revoked key that is not",
     "UPDATE api_keys SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
     "api_keys: revoked_at: "},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(move)

BOOST_AUTO_TEST_CASE(a_backfill_copies_every_row_and_the_second_one_none) {
    BOOST_TEST(tests::differences(copied().from, copied().to) == Differences(),
               boost::test_tools::per_element());
    auto const again = tests::backfilled(tests::move_options(copied().from, copied().to));
    BOOST_TEST(again.rows > 0);
    BOOST_TEST(again.copied == 0);
}

BOOST_AUTO_TEST_CASE(every_damage_of_the_shadow_is_noticed_and_mended_by_a_backfill) {
    auto sql = copied().to.connect();
    for (auto const& damage : damages) {
        BOOST_TEST_CONTEXT(damage.name) {
            sql(damage.sql);
            auto const found = tests::differences(copied().from, copied().to);
            BOOST_REQUIRE(!found.empty());
            BOOST_TEST(found.front().find(damage.noticed) == 0, found.front());
            auto const mended = tests::backfilled(tests::move_options(copied().from, copied().to));
            BOOST_TEST(mended.copied > 0);
            BOOST_TEST(tests::differences(copied().from, copied().to) == Differences(),
                       boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(rows_that_stand_in_the_way_of_others_are_copied_as_well) {
    auto& pair = copied();
    auto sql = pair.to.connect();
    // Two rows have each other's keys: neither can be written while the other is as it is.
    sql("CREATE TABLE two AS SELECT id, idempotency_key AS key, row_number() OVER (ORDER BY id) AS "
        "n"
        " FROM transfers WHERE idempotency_key IS NOT NULL ORDER BY id LIMIT 2");
    sql("UPDATE transfers SET idempotency_key = NULL WHERE id IN (SELECT id FROM two)");
    sql("UPDATE transfers t SET idempotency_key = o.key FROM two m, two o"
        " WHERE t.id = m.id AND o.n = 3 - m.n");
    sql("DROP TABLE two");
    BOOST_TEST(tests::differences(pair.from, pair.to).size() == 2);
    tests::backfilled(tests::move_options(pair.from, pair.to));
    BOOST_TEST(tests::differences(pair.from, pair.to) == Differences(),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_interrupted_backfill_goes_on_where_it_was_and_restart_begins_anew) {
    auto& pair = copied();
    auto sql = pair.to.connect();
    sql("UPDATE accounts SET metadata = '{\"other\":1}'");
    sql("UPDATE ledger_totals SET count = count + 1");
    sql("INSERT INTO penstock_shadow.backfill (table_name, complete) VALUES ('accounts', true)");
    auto options = tests::move_options(pair.from, pair.to);
    tests::backfilled(options);
    auto const left = tests::differences(pair.from, pair.to);
    BOOST_REQUIRE(!left.empty());
    for (auto const& one : left) BOOST_TEST(one.find("accounts: ") == 0, one);
    options.restart = true;
    tests::backfilled(options);
    BOOST_TEST(tests::differences(pair.from, pair.to) == Differences(),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_backfill_looks_at_no_more_rows_per_second_than_it_may) {
    auto options = tests::move_options(copied().from, copied().to);
    options.rows_per_s = 1'000;
    auto const since = steady_now();
    auto const report = tests::backfilled(options);
    auto const least = std::chrono::milliseconds(report.rows * 1'000 / options.rows_per_s);
    BOOST_TEST((steady_now() - since >= least));
}

BOOST_AUTO_TEST_CASE(a_database_is_only_ever_copied_over_its_own_copy) {
    MigratedDatabase one, two, other;
    fill(other);
    BOOST_TEST(tests::claimed(one, one) == "the shadow is the primary itself");
    BOOST_TEST(tests::claimed(one, other).find("would be lost") != std::string::npos);
    BOOST_TEST(tests::claimed(other, two) == "");
    BOOST_TEST(tests::claimed(other, two) == "");
    // The two change places, but not while the copy is unfinished, nor while the other is in use.
    BOOST_TEST(tests::claimed(two, other).find("never finished") != std::string::npos);
    tests::backfilled(tests::move_options(other, two));
    auto used = other.connect();
    used("INSERT INTO penstock_shadow.servers (id) VALUES ('a')");
    BOOST_TEST(tests::claimed(two, other).find("at this moment") != std::string::npos);
    used("UPDATE penstock_shadow.servers SET ended_at = now()");
    BOOST_TEST(tests::claimed(two, other) == "");
}

BOOST_AUTO_TEST_SUITE_END()
