#include "db/migration.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/with_session.hpp"

using namespace penstock;
using namespace penstock::db;
using tests::soon;

namespace {

constexpr Migration first{"m0001_first",
                          "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n"
                          "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2;';"};
constexpr Migration second{"m0002_second", "ALTER TABLE a ADD b text; CREATE INDEX ON a (b);"};
constexpr Migration third{"m0003_third", "CREATE TABLE c (id int);"};
constexpr Migration second_changed{"m0002_second", "ALTER TABLE a ADD b int;"};
constexpr Migration third_broken{"m0003_broken",
                                 "CREATE TABLE c (id int); INSERT INTO c VALUES (1);"
                                 "SELECT * FROM nowhere; CREATE TABLE d (id int);"};
constexpr Migration third_commits{"m0003_commits", "CREATE TABLE c (id int); COMMIT;"};

using List = std::vector<Migration const*>;

pg::Answer<MigrationReport> migrated(tests::Database const& database, List const& list,
                                     SteadyTime deadline = soon()) {
    pg::Answer<MigrationReport> answer = pg::failure_of(Errc::unavailable);
    auto body = [&]() -> asio::awaitable<void> {
        answer = co_await migrate(database.address(), list, deadline);
    };
    tests::run(body);
    return answer;
}

pg::Answer<MigrationReport> checked(tests::Database const& database, List const& list) {
    pg::Answer<MigrationReport> answer = pg::failure_of(Errc::unavailable);
    auto body = [&]() -> asio::awaitable<void> {
        answer = co_await check_schema(database.address(), list, soon());
    };
    tests::run(body);
    return answer;
}

void require(pg::Answer<MigrationReport> const& answer) {
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
}

bool mentions(pg::Answer<MigrationReport> const& answer, std::string const& text) {
    return answer.error().message.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(migration)

BOOST_AUTO_TEST_CASE(an_empty_database_gets_every_migration_once) {
    tests::Database const database;
    auto const before = migrated(database, {&first, &second});
    require(before);
    BOOST_TEST(before->version_before == 0);
    BOOST_TEST(before->version_after == 2);
    BOOST_TEST(before->applied == (std::vector<std::string>{"0001_first", "0002_second"}),
               boost::test_tools::per_element());
    auto const again = migrated(database, {&first, &second});
    require(again);
    BOOST_TEST(again->applied.empty());
    auto const more = migrated(database, {&first, &second, &third});
    require(more);
    BOOST_TEST(more->version_before == 2);
    BOOST_TEST(more->applied.size() == 1u);
    auto sql = database.connect();
    BOOST_TEST(sql("SELECT count(*) FROM a") == "1");
    BOOST_TEST(sql("SELECT checksum FROM schema_migrations WHERE version = 3") ==
               checksum_of(third));
}

BOOST_AUTO_TEST_CASE(servers_that_start_together_migrate_once) {
    tests::Database const database;
    constexpr Migration slow{"m0001_slow", "SELECT pg_sleep(0.2); CREATE TABLE s (id int);"};
    List const list{&slow};
    asio::io_context context{1};
    reactor::TaskGroup tasks(context.get_executor());
    std::size_t applied = 0;
    int done = 0;
    auto one_server = [&]() -> asio::awaitable<void> {
        auto const answer = co_await migrate(database.address(), list, soon());
        require(answer);
        applied += answer->applied.size();
        ++done;
    };
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) tasks.spawn(one_server());
        co_await tasks.join(soon());
    };
    tests::run(context, body);
    BOOST_TEST(done == 3);
    BOOST_TEST(applied == 1u);
}

BOOST_AUTO_TEST_CASE(a_changed_migration_is_refused_by_name) {
    tests::Database const database;
    require(migrated(database, {&first, &second}));
    for (auto const& answer : {migrated(database, {&first, &second_changed, &third}),
                               checked(database, {&first, &second_changed})}) {
        BOOST_TEST_REQUIRE(!answer.has_value());
        BOOST_TEST((answer.error().code == Errc::schema_mismatch));
        BOOST_TEST(mentions(answer, "0002_second"));
    }
    BOOST_TEST(database.connect()("SELECT to_regclass('c') IS NULL") == "t");
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_refused_by_name) {
    tests::Database const database;
    require(migrated(database, {&first, &second, &third}));
    for (auto const& answer :
         {migrated(database, {&first, &second}), checked(database, {&first})}) {
        BOOST_TEST_REQUIRE(!answer.has_value());
        BOOST_TEST((answer.error().code == Errc::schema_mismatch));
        BOOST_TEST(mentions(answer, "does not know"));
    }
}

BOOST_AUTO_TEST_CASE(a_failing_migration_leaves_nothing_and_the_ones_before_it_stay) {
    tests::Database const database;
    auto const answer = migrated(database, {&first, &second, &third_broken});
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().code == Errc::refused_by_database));
    BOOST_TEST(mentions(answer, "0003_broken"));
    BOOST_TEST(mentions(answer, "nowhere"));
    auto sql = database.connect();
    BOOST_TEST(sql("SELECT to_regclass('c') IS NULL") == "t");
    BOOST_TEST(sql("SELECT max(version) FROM schema_migrations") == "2");
    require(migrated(database, {&first, &second, &third}));
}

BOOST_AUTO_TEST_CASE(a_migration_that_ends_its_own_transaction_is_refused) {
    tests::Database const database;
    auto const answer = migrated(database, {&first, &second, &third_commits});
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST(mentions(answer, "0003_commits"));
    BOOST_TEST(database.connect()("SELECT max(version) FROM schema_migrations") == "2");
}

BOOST_AUTO_TEST_CASE(a_check_changes_nothing_and_names_what_is_missing) {
    tests::Database const database;
    auto const empty = checked(database, {&first});
    BOOST_TEST_REQUIRE(!empty.has_value());
    BOOST_TEST((empty.error().code == Errc::schema_mismatch));
    BOOST_TEST(mentions(empty, "0001_first"));
    BOOST_TEST(database.connect()("SELECT to_regclass('schema_migrations') IS NULL") == "t");
    require(migrated(database, {&first}));
    require(checked(database, {&first}));
    BOOST_TEST(mentions(checked(database, {&first, &second}), "0002_second"));
}

BOOST_AUTO_TEST_CASE(waiting_for_another_server_ends_at_the_deadline) {
    tests::Database const database;
    auto sql = database.connect();
    sql("SELECT pg_advisory_lock(8099000947049456491)");
    // Longer and longer, until a busy machine has come as far as the lock in that time.
    milliseconds patience{200};
    auto answer = migrated(database, {&first}, steady_now() + patience);
    while (!mentions(answer, "another server") && patience < milliseconds{20'000}) {
        patience *= 2;
        answer = migrated(database, {&first}, steady_now() + patience);
    }
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().code == Errc::unavailable));
    BOOST_TEST(mentions(answer, "another server"));
    sql("SELECT pg_advisory_unlock_all()");
    require(migrated(database, {&first}));
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_be_reached_is_unavailable) {
    auto const address = pg::Address::parse("postgresql://postgres@127.0.0.1:1/x").value();
    List const list{&first};
    auto body = [&]() -> asio::awaitable<void> {
        auto const answer = co_await migrate(address, list, soon());
        BOOST_TEST_REQUIRE(!answer.has_value());
        BOOST_TEST((answer.error().code == Errc::unavailable));
    };
    tests::run(body);
}

BOOST_AUTO_TEST_CASE(the_checksum_is_sha256_of_the_text) {
    constexpr Migration abc{"m0001_abc", "abc"};
    BOOST_TEST(checksum_of(abc) ==
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BOOST_AUTO_TEST_SUITE_END()
