// What does a replica that takes over know of what was acknowledged before?
#include <future>

#include "tests/e2e/oracle.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// A primary whose commits are confirmed when its replica has them, and a server that knows both.
struct Pair {
    explicit Pair(std::string const& replica_settings = "")
        : replica(Cluster::ReplicaOf{primary}, replica_settings) {
        Operator(primary.url())
            .await("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1");
    }

    std::string url() const {
        return "postgresql://postgres@/postgres?host=" + primary.directory() + ',' +
               replica.directory() + "&target_session_attrs=read-write";
    }
    void fail_over() {
        primary.stop_immediately();
        replica.promote();
    }

    Cluster primary{"-c synchronous_standby_names=walreceiver"};
    Cluster replica;
};

/// Sessions of the server whose COMMIT waits for the replica, by pid.
constexpr char const* waiting =
    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    " AND application_name LIKE 'penstock%'";

BOOST_AUTO_TEST_SUITE(failover)

BOOST_AUTO_TEST_CASE(a_replica_that_takes_over_has_all_that_was_acknowledged) {
    Pair pair;
    ServerProcess server({"--database-url", pair.url()});
    auto const ledger = ledger_with_ann(server);
    Log log;
    Load load(server, ledger, log, OnFault::try_again);
    BOOST_TEST(log.await_more(before_fault));
    pair.fail_over();
    BOOST_TEST(log.await_more(before_fault));
    load.stop();
    check_expected(log);
    check_books(server, ledger, log);
    Api api(server);
    await_that([&] { return api.get("/readyz").status == 200; }, "readiness");
}

BOOST_AUTO_TEST_CASE(purchases_refunds_and_holds_outlive_their_primary) {
    // One that refuses everybody (57P03) until it is promoted.
    Pair pair("-c hot_standby=off");
    ServerProcess server({"--database-url", pair.url()});
    auto const ledger = ledger_with_traders(server);
    Log log;
    Load load(server, ledger, log, OnFault::try_again, trade);
    BOOST_TEST(log.await_more(2 * before_fault));
    pair.primary.stop_immediately();
    Api api(server);
    auto const refused = api.deposit(ledger, "bob", 1);
    // 504: behind a batch whose fate is being asked for.
    BOOST_TEST((refused.status == 503 || refused.status == 504), refused.body);
    BOOST_TEST(api.get("/healthz").status == 200U);
    pair.replica.promote();
    BOOST_TEST(log.await_more(2 * before_fault));
    load.stop();
    check_expected(log);
    check_trade(server, ledger, log);
}

BOOST_AUTO_TEST_CASE(
    without_its_replica_nothing_is_acknowledged_not_even_what_was_cut_off_waiting) {
    Pair pair;
    ServerProcess server({"--database-url", pair.url()});
    auto const ledger = ledger_with_ann(server);
    pair.replica.stop_immediately();
    auto const key = fresh("key");
    auto pending = std::async(std::launch::async, [&] {
        return Api(server).with("Request-Timeout-Ms", "60000").deposit(ledger, "ann", 5, key);
    });
    Operator sql(pair.primary.url());
    sql.await("SELECT count(*) > 0 FROM (" + std::string(waiting) + ") w", "t");
    auto const pid = sql(waiting);
    // It has committed, and its session is ended before the replica has that.
    sql("SELECT pg_terminate_backend(" + pid + ")");
    sql.await("SELECT count(*) > 0 FROM (" + std::string(waiting) + ") w WHERE pid <> " + pid, "t");
    BOOST_TEST(sql("SELECT count(*) FROM transfers") == "1");
    BOOST_TEST((pending.wait_for(0s) == std::future_status::timeout));
    pair.replica.start();
    auto const answer = pending.get();
    BOOST_TEST((answer.status == 201 || answer.status == 503), answer.body);

    pair.fail_over();
    Api api(server);
    HttpAnswer again;
    auto const replayed = [&] {
        again = api.deposit(ledger, "ann", 5, key);
        return again.status == 201;
    };
    await_that(replayed, "the answer of the replica");
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    if (answer.status == 201) BOOST_TEST(again.body == answer.body);
    BOOST_TEST(api.balance(ledger, "ann") == 5);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
