// Is every statement of the program executed by a real server? The server keeps the list.
#include <boost/test/unit_test.hpp>
#include <set>

#include "db/sql.hpp"
#include "tests/db/all_rules.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/db/shadow_fixture.hpp"

using namespace penstock;
using tests::LivingWriter;

namespace {

/// A statement's file begins with a comment of its own, which the server keeps as it is.
std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

void keep(tests::ConformanceRule const& rule, tests::MigratedDatabase& database) {
    BOOST_TEST_CONTEXT(rule.name) {
        auto body = [&](db::Store& store, LivingWriter&, LivingWriter&) -> asio::awaitable<void> {
            co_await rule.check(store);
        };
        tests::with_store(database.store_options(), body);
    }
}

/// By a store that writes to two databases.
void keep_twice(std::span<tests::ConformanceRule const> rules, tests::Cluster const& cluster) {
    tests::MigratedDatabase from(cluster.url()), to(cluster.url());
    auto body = [&](tests::Twin& twin) -> asio::awaitable<void> {
        for (auto const& rule : rules) co_await rule.check(twin.store);
        co_await tests::must_follow(twin);
    };
    tests::with_twin(from, to, body);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(statements)

BOOST_AUTO_TEST_CASE(every_statement_begins_with_a_comment_of_its_own) {
    std::set<std::string> lines;
    for (auto const* statement : db::sql::all) {
        auto const line = first_line(statement->text);
        BOOST_TEST(line.starts_with("-- "), statement->name);
        BOOST_TEST(lines.insert(line).second, statement->name << ": " << line);
    }
}

// The rules of a store need every statement there is: one that none of them executes is either
// dead or not tested.
BOOST_AUTO_TEST_CASE(every_statement_is_executed_by_the_rules_of_a_store) {
    tests::Cluster cluster(
        "-c shared_preload_libraries=pg_stat_statements"
        " -c pg_stat_statements.track=all -c pg_stat_statements.max=1000");
    tests::MigratedDatabase database(cluster.url());
    auto sql = database.connect();
    sql("CREATE EXTENSION pg_stat_statements");
    for (auto const rules : tests::all_rules())
        for (auto const& rule : rules) keep(rule, database);
    keep_twice(tests::conformance_rules(), cluster);
    for (auto const* statement : db::sql::all) {
        auto const line = first_line(statement->text);
        auto const calls =
            sql("SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
                " WHERE starts_with(query, $rule$" +
                line + "$rule$)");
        BOOST_TEST(calls != "0", statement->name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
