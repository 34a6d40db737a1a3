// What is served while PostgreSQL runs, but has no room for what it is asked?
#include "tests/e2e/oracle.hpp"

namespace penstock::tests {
namespace {

/// Says of transfers what PostgreSQL says when it cannot make a table's file longer.
class Disk {
public:
    explicit Disk(Database const& database) : sql_(database.connect()) {
        sql_("CREATE TABLE disk (is_full boolean NOT NULL)");
        sql_("INSERT INTO disk VALUES (false)");
        sql_(
            "CREATE FUNCTION extend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF (SELECT is_full FROM disk) THEN"
            " RAISE EXCEPTION 'could not extend file \"base/5/16384\": No space left on device'"
            " USING ERRCODE = 'disk_full', HINT = 'Check free disk space.'; END IF;"
            " RETURN NULL; END $$");
        sql_(
            "CREATE TRIGGER extend BEFORE INSERT ON transfers"
            " FOR EACH STATEMENT EXECUTE FUNCTION extend()");
    }
    void fill() { sql_("UPDATE disk SET is_full = true"); }
    void clear() { sql_("UPDATE disk SET is_full = false"); }
    std::string transfers() { return sql_("SELECT count(*) FROM transfers"); }

private:
    Operator sql_;
};

void check_unavailable(HttpAnswer const& answer) {
    BOOST_TEST(answer.status == 503U, answer.body);
    BOOST_TEST(answer.header("content-type") == "application/problem+json");
    BOOST_TEST(answer.code() == "unavailable");
    BOOST_TEST(!answer.header("retry-after").empty());
}

/// A server whose role may be forbidden to connect.
struct Barred {
    Barred() {
        sql("CREATE ROLE shop LOGIN");
        sql("CREATE DATABASE shop OWNER shop");
    }

    std::string url() const { return "postgresql://shop@/shop?host=" + cluster.directory(); }
    /// From now on PostgreSQL answers "too many connections" (53300), and nobody is left.
    void bar() {
        sql("ALTER ROLE shop CONNECTION LIMIT 0");
        sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'shop'");
        sql.await("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'", "0");
    }
    void let_in() { sql("ALTER ROLE shop CONNECTION LIMIT -1"); }

    Cluster cluster;
    Operator sql{cluster.url()};
};

/// What a server says that cannot begin on that database.
std::string last_words_on(std::string const& url) {
    auto const ended =
        ServerProcess::run({"serve", "--listen", "127.0.0.1:0", "--database-url", url});
    BOOST_TEST(ended.code == 1);
    BOOST_TEST(ended.output.find("ready on") == std::string::npos);
    return ended.output;
}

BOOST_AUTO_TEST_SUITE(database_limits)

BOOST_AUTO_TEST_CASE(a_full_disk_is_503_for_what_needs_room_and_for_nothing_else) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    Disk disk(database);
    disk.fill();
    Api api(server);
    auto const key = fresh("key");
    for (int i = 0; i < 3; ++i) check_unavailable(api.deposit(ledger, "ann", 5, key));
    BOOST_TEST(disk.transfers() == "0");
    BOOST_TEST(api.balance(ledger, "ann") == 0);
    api.new_account(ledger, "bob");
    BOOST_TEST(api.get(ledger + "/transfers").status == 200U);
    BOOST_TEST(api.get("/readyz").status == 200U);

    disk.clear();
    auto const answer = api.deposit(ledger, "ann", 5, key);
    BOOST_TEST(answer.status == 201U, answer.body);
    BOOST_TEST(answer.header("idempotent-replayed") != "true");
    BOOST_TEST(api.balance(ledger, "ann") == 5);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_for_a_while_loses_and_doubles_nothing) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    Disk disk(database);
    Log log;
    Load load(server, ledger, log, OnFault::try_again);
    BOOST_TEST(log.await_more(before_fault));
    disk.fill();
    Api api(server);
    // Behind what was on its way when the disk became full.
    check_unavailable(api.deposit(ledger, "ann", 5));
    auto const before = disk.transfers();
    for (int i = 0; i < 20; ++i) check_unavailable(api.deposit(ledger, "ann", 5));
    BOOST_TEST(disk.transfers() == before);
    BOOST_TEST(api.get(ledger + "/transfers").status == 200U);
    // Nobody's command was at fault.
    BOOST_TEST(metric(api, "penstock_lane_splits_total") == 0);
    disk.clear();
    BOOST_TEST(log.await_more(before_fault));
    load.stop();
    check_expected(log);
    check_books(server, ledger, log);
}

BOOST_AUTO_TEST_CASE(too_many_connections_are_503_until_there_is_room_again) {
    Barred postgres;
    ServerProcess server({"--database-url", postgres.url()});
    auto const ledger = ledger_with_ann(server);
    Api api(server);
    postgres.bar();
    auto const key = fresh("key");
    check_unavailable(api.deposit(ledger, "ann", 5, key));
    check_unavailable(api.get(ledger + "/totals"));
    BOOST_TEST(api.get("/readyz").status == 503U);
    BOOST_TEST(api.get("/healthz").status == 200U);
    postgres.let_in();
    HttpAnswer answer;
    auto const answered = [&] {
        answer = api.deposit(ledger, "ann", 5, key);
        return answer.status != 503;
    };
    await_that(answered, "an answer");
    BOOST_TEST(answer.status == 201U, answer.body);
    BOOST_TEST(api.balance(ledger, "ann") == 5);
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_begin_says_why_and_ends) {
    Barred postgres;
    postgres.bar();
    auto const too_many = last_words_on(postgres.url());
    BOOST_TEST(too_many.find("too many connections") != std::string::npos, too_many);
    Cluster const replica(Cluster::ReplicaOf{postgres.cluster}, "-c hot_standby=off");
    auto const not_yet = last_words_on(replica.url());
    BOOST_TEST(not_yet.find("not accepting connections") != std::string::npos, not_yet);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
