// What does the program do before it serves: to the schema, and to an address that is no place for
// it?
#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

bool says(ServerProcess::Ended const& ended, std::string const& text) {
    return ended.output.find(text) != std::string::npos;
}

ServerProcess::Ended migrate(Database const& database) {
    return ServerProcess::run({"migrate", "--database-url", url_of(database)});
}

/// A server that is expected to end by itself.
ServerProcess::Ended serve(std::vector<std::string> const& options) {
    std::vector<std::string> words{"serve", "--log-level", "error"};
    words.insert(words.end(), options.begin(), options.end());
    return ServerProcess::run(words);
}

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(migrate_brings_a_database_up_to_date_once) {
    Database database;
    auto const first = migrate(database);
    BOOST_TEST(first.code == 0, first.output);
    BOOST_TEST(says(first, "applied 0001_"), first.output);
    auto sql = database.connect();
    auto const version = sql("SELECT max(version) FROM schema_migrations");
    BOOST_TEST(says(first, "schema version " + version), first.output);
    BOOST_TEST(sql("SELECT count(*) FROM schema_migrations") == version);

    auto const again = migrate(database);
    BOOST_TEST(again.code == 0, again.output);
    BOOST_TEST(!says(again, "applied"), again.output);
    BOOST_TEST(says(again, "schema version " + version), again.output);
    BOOST_TEST(ServerProcess::run({"migrate"}).code == 2);
}

BOOST_AUTO_TEST_CASE(with_no_migrate_a_server_changes_nothing_and_serves_what_is_up_to_date) {
    Database database;
    std::vector<std::string> const options{"--database-url", url_of(database), "--no-migrate"};
    auto const refused =
        serve({"--listen", "127.0.0.1:0", "--database-url", url_of(database), "--no-migrate"});
    BOOST_TEST(refused.code == 1, refused.output);
    BOOST_TEST(says(refused, "run `penstock migrate`"), refused.output);
    BOOST_TEST(database.connect()("SELECT count(*) FROM pg_class WHERE relkind = 'r'"
                                  " AND relnamespace = 'public'::regnamespace") == "0");
    BOOST_TEST(migrate(database).code == 0);
    ServerProcess server(options);
    auto const ledger = ledger_with_ann(server);
    BOOST_TEST(Api(server).deposit(ledger, "ann", 5).status == 201U);
}

BOOST_AUTO_TEST_CASE(a_schema_that_is_newer_than_the_program_is_left_alone) {
    Database database;
    BOOST_TEST(migrate(database).code == 0);
    auto sql = database.connect();
    auto const version = std::stoi(sql("SELECT max(version) FROM schema_migrations"));
    auto const next = std::to_string(version + 1);
    sql("INSERT INTO schema_migrations (version, name, checksum) VALUES (" + next +
        ", 'from_the_future', 'x')");
    std::vector<std::string> const place{"--listen", "127.0.0.1:0", "--database-url",
                                         url_of(database)};
    auto careful = place;
    careful.emplace_back("--no-migrate");
    for (auto const& ended : {serve(place), serve(careful), migrate(database)}) {
        BOOST_TEST(ended.code == 1, ended.output);
        BOOST_TEST(says(ended, "from_the_future"), ended.output);
        BOOST_TEST(says(ended, "needs a newer program"), ended.output);
    }
    BOOST_TEST(sql("SELECT max(version) FROM schema_migrations") == next);
    sql("DELETE FROM schema_migrations WHERE version = " + next);
    sql("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1");
    auto const changed = serve(place);
    BOOST_TEST(changed.code == 1, changed.output);
    BOOST_TEST(says(changed, "it was changed"), changed.output);
}

BOOST_AUTO_TEST_CASE(without_an_admin_key_only_loopback_is_served) {
    for (auto const* place : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
        auto const ended = serve({"--listen", place});
        BOOST_TEST(ended.code == 2, place << ": " << ended.output);
        BOOST_TEST(says(ended, "--admin-key"), ended.output);
        BOOST_TEST(!says(ended, "ready on"), ended.output);
    }
    // A key that is too short to be one does not open the door either.
    auto const ended = serve({"--listen", "0.0.0.0:0", "--admin-key", "x"});
    BOOST_TEST(ended.code == 2, ended.output);
    ServerProcess const server({}, "127.0.0.2:0");
    BOOST_TEST(server.port() != 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
