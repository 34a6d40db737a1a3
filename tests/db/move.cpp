// Is a copy a copy, and is every way in which it is none noticed?
#include "db/move.hpp"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <sstream>

#include "db/mirror.hpp"
#include "tests/db/all_rules.hpp"
#include "tests/db/rules.hpp"
#include "tests/db/shadow_fixture.hpp"

using namespace penstock;
using tests::LivingWriter;
using tests::MigratedDatabase;

namespace {

using Differences = std::vector<std::string>;

/// With rows of every table that a rule fills.
void fill(MigratedDatabase& database) {
    for (auto const rules : tests::all_rules()) {
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

/// How a value of a type becomes another one; "" where nobody has said.
std::string changed(std::string const& column, std::string const& type) {
    auto const or_else = [&](std::string const& value) {
        return "coalesce(" + column + ", " + value + ')';
    };
    if (type.ends_with("[]")) return "array_append(" + or_else("'{}'") + ", NULL)";
    if (type == "boolean") return column + " IS NOT TRUE";
    if (type == "uuid") return "gen_random_uuid()";
    if (type == "text") return or_else("''") + " || 'x'";
    if (type == "bytea") return or_else("''") + " || '\\x00'";
    if (type == "smallint") return or_else("0") + " + 1";
    // Far from those of its neighbours, which must not be used twice.
    if (type == "integer" || type == "bigint" || type.starts_with("numeric"))
        return or_else("0") + " + 1000003";
    if (type.starts_with("timestamp")) return or_else("now()") + " + interval '1 ms'";
    return "";
}

struct Column {
    std::string name, type;
};

/// Of each table, the columns that a row could differ in and still be the same row.
std::map<std::string, std::vector<Column>> columns_beside_the_keys(tests::Operator& sql) {
    std::map<std::string, std::vector<Column>> all;
    for (auto const& table : db::mirror::listed_tables()) {
        auto& columns = all[std::string(table.name)];
        std::istringstream lines(
            sql("SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), E'\\n'"
                " ORDER BY a.attnum) FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid"
                " WHERE a.attrelid = '" +
                std::string(table.name) +
                "'::regclass AND i.indisprimary AND a.attnum > 0 AND NOT a.attisdropped"
                " AND a.attnum <> ALL (i.indkey)"));
        for (std::string line; std::getline(lines, line);) {
            auto const space = line.find(' ');
            columns.push_back({line.substr(0, space), line.substr(space + 1)});
        }
    }
    return all;
}

/// A connection for which no rule holds: neither a parent nor a check is asked for.
tests::Operator lawless(MigratedDatabase const& database) {
    auto sql = database.connect();
    sql("DO $$ DECLARE c record; BEGIN"
        " FOR c IN SELECT conrelid::regclass AS its, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP"
        " EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.its, c.conname);"
        " END LOOP; END $$");
    sql("SET session_replication_role = replica");
    return sql;
}

/// All differences between two that nobody writes to, each once it is seen: "table: what".
Differences found_at_once(MigratedDatabase const& from, MigratedDatabase const& to) {
    Differences all;
    auto body = [&]() -> asio::awaitable<void> {
        auto options = tests::move_options(from, to);
        options.settle = options.hold = milliseconds{0};
        options.differences_max = 1'000;
        auto const compared = co_await db::compare_tables(options);
        BOOST_REQUIRE_MESSAGE(compared.has_value(), compared.error().message);
        for (auto const& table : *compared)
            for (auto const& one : table.differences) all.push_back(one.where + ": " + one.what);
    };
    tests::run(body);
    return all;
}

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

BOOST_AUTO_TEST_CASE(a_row_that_is_missing_from_whatever_table_is_noticed_and_mended) {
    auto& pair = copied();
    auto sql = lawless(pair.to);
    for (auto const& table : db::mirror::listed_tables()) {
        std::string const name(table.name);
        BOOST_TEST_CONTEXT(name) {
            BOOST_REQUIRE_MESSAGE(sql("SELECT count(*) FROM " + name) != "0", "no row to damage");
            sql("DELETE FROM " + name + " WHERE ctid = (SELECT max(ctid) FROM " + name + ')');
            // Alone: what was deleted before this one is there again.
            BOOST_TEST(found_at_once(pair.from, pair.to) ==
                           Differences{name + ": the shadow does not have it"},
                       boost::test_tools::per_element());
            BOOST_TEST(tests::backfilled(tests::move_options(pair.from, pair.to)).copied > 0);
        }
    }
    BOOST_TEST(found_at_once(pair.from, pair.to) == Differences(),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whatever_column_of_whatever_table_differs_is_named_and_mended) {
    auto& pair = copied();
    auto sql = lawless(pair.to);
    auto const tables = columns_beside_the_keys(sql);
    // In each round one column of every table that has so many.
    for (std::size_t round = 0;; ++round) {
        std::set<std::string> expected, found;
        for (auto const& [table, columns] : tables) {
            BOOST_TEST(!columns.empty(), table);
            if (round >= columns.size()) continue;
            auto const& [column, type] = columns[round];
            auto const value = changed(column, type);
            BOOST_REQUIRE_MESSAGE(!value.empty(), table << '.' << column << " is a " << type);
            sql("UPDATE " + table + " SET " + column + " = " + value +
                " WHERE ctid = (SELECT max(ctid) FROM " + table + ')');
            expected.insert(table + ": " + column);
        }
        if (expected.empty()) break;
        for (auto const& one : found_at_once(pair.from, pair.to))
            found.insert(one.substr(0, one.find(": ", one.find(": ") + 1)));
        BOOST_TEST(found == expected, boost::test_tools::per_element());
        BOOST_TEST(tests::backfilled(tests::move_options(pair.from, pair.to)).copied > 0);
    }
    BOOST_TEST(found_at_once(pair.from, pair.to) == Differences(),
               boost::test_tools::per_element());
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
