// What does a client hear when PostgreSQL fails in the middle of its request, and is it true?
#include <future>

#include "tests/e2e/api.hpp"
#include "tests/support/postgres_proxy.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// A server whose database stands behind a proxy.
struct Behind {
    Database database;
    FaultProxy proxy{FaultProxy::Place::tcp(), postgres_place()};
    ServerProcess server{{"--database-url", url_through(proxy, database)}};
};

/// Until a session of the database waits for a lock.
void await_waiting(Operator& watcher) {
    watcher.await(
        "SELECT count(*) > 0 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        "t");
}

/// Ends the sessions of the database that wait for a lock, and returns when they are gone.
void terminate_waiting(Operator& watcher) {
    // Chosen first: conditions of one WHERE are asked in any order, and of any database's sessions.
    auto const gone = watcher(
        "WITH waiting AS MATERIALIZED (SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        " SELECT string_agg(pid::text, ',') FROM waiting WHERE pg_terminate_backend(pid)");
    BOOST_TEST_REQUIRE(!gone.empty());
    watcher.await("SELECT count(*) FROM pg_stat_activity WHERE pid IN (" + gone + ")", "0");
}

/// While it is closed, the transfers of a database wait: what a batch loaded is known by then, and
/// its COMMIT is sent.
class CommitGate {
public:
    /// While they are written, or in the COMMIT itself.
    enum class At { write, commit };

    explicit CommitGate(Database const& database, At at = At::write)
        : keeper_(database.connect()), watcher_(database.connect()) {
        keeper_(
            "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END'");
        keeper_(at == At::write ? "CREATE TRIGGER gate BEFORE INSERT ON transfers"
                                  " FOR EACH STATEMENT EXECUTE FUNCTION wait_at_gate()"
                                : "CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON transfers"
                                  " DEFERRABLE INITIALLY DEFERRED"
                                  " FOR EACH ROW EXECUTE FUNCTION wait_at_gate()");
    }
    void close() { keeper_("SELECT pg_advisory_lock(4711)"); }
    void open() { keeper_("SELECT pg_advisory_unlock(4711)"); }
    void await_waiting() { tests::await_waiting(watcher_); }
    void terminate_waiting() { tests::terminate_waiting(watcher_); }

private:
    Operator keeper_;
    Operator watcher_;
};

/// A deposit of 5 on its way while the test goes on.
std::future<HttpAnswer> deposit_in_background(ServerProcess const& server,
                                              std::string const& ledger, std::string const& key,
                                              std::string const& timeout_ms = "30000") {
    return std::async(std::launch::async, [&server, ledger, key, timeout_ms] {
        return Api(server).with("Request-Timeout-Ms", timeout_ms).deposit(ledger, "ann", 5, key);
    });
}

/// The same request until it is answered for good.
HttpAnswer insist(Api& api, std::string const& ledger, long amount, std::string const& key) {
    HttpAnswer answer;
    auto const answered = [&] {
        answer = api.deposit(ledger, "ann", amount, key);
        bool const passing = answer.status == 503 || answer.status == 504;
        return !passing;
    };
    await_that(answered, "an answer");
    return answer;
}

/// That the deposit of 5 is there once, and that its key says so.
void check_there_once(ServerProcess const& server, std::string const& ledger,
                      std::string const& key, HttpAnswer const& first) {
    Api api(server);
    auto const again = insist(api, ledger, 5, key);
    BOOST_TEST(again.status == 201U, again.body);
    if (first.status == 201) {
        BOOST_TEST(again.header("idempotent-replayed") == "true");
        BOOST_TEST(again.body == first.body);
    }
    BOOST_TEST(api.balance(ledger, "ann") == 5);
    BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == 1);
    check_verified(api, ledger);
}

/// A deposit of 5 whose COMMIT was sent and waits.
struct Interrupted : Behind {
    explicit Interrupted(CommitGate::At at = CommitGate::At::write) : gate(database, at) {
        gate.close();
        pending = deposit_in_background(server, ledger, key);
        gate.await_waiting();
    }

    void check_there_once(HttpAnswer const& first) {
        tests::check_there_once(server, ledger, key, first);
    }

    std::string ledger = ledger_with_ann(server);
    CommitGate gate;
    std::string key = fresh("key");
    std::future<HttpAnswer> pending;
};

BOOST_AUTO_TEST_SUITE(database_faults)

BOOST_AUTO_TEST_CASE(a_durable_commit_whose_answer_was_lost_is_201) {
    Interrupted deposit;
    deposit.proxy.set(Way::to_client, Fault::Kind::swallow);
    deposit.gate.open();
    deposit.database.connect().await("SELECT count(*) FROM transfers", "1");
    deposit.proxy.heal();
    deposit.proxy.cut_all();
    auto const answer = deposit.pending.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    deposit.check_there_once(answer);
}

BOOST_AUTO_TEST_CASE(a_commit_that_is_cut_while_it_runs_is_answered_when_its_fate_is_known) {
    Interrupted deposit;
    deposit.proxy.cut_all();
    deposit.gate.open();
    auto const answer = deposit.pending.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    deposit.check_there_once(answer);
}

BOOST_AUTO_TEST_CASE(a_commit_whose_fate_cannot_be_had_in_time_is_503_and_its_key_replays) {
    Interrupted deposit;
    deposit.proxy.refuse();
    deposit.proxy.cut_all();
    auto const answer = deposit.pending.get();
    BOOST_TEST(answer.status == 503U, answer.body);
    BOOST_TEST(answer.code() == "unavailable");
    BOOST_TEST(!answer.header("retry-after").empty());
    deposit.gate.open();
    deposit.proxy.heal();
    deposit.check_there_once(answer);
    Api api(deposit.server);
    BOOST_TEST(metric(api, "penstock_lane_unknown_commits_total") >= 1);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_ended_while_it_waits_for_a_row_is_no_answer) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    auto const key = fresh("key");
    auto watcher = database.connect();
    RowLock lock(database, ledger);
    auto pending = deposit_in_background(server, ledger, key);
    await_waiting(watcher);
    terminate_waiting(watcher);
    // It is asked again by itself, and has to wait again.
    await_waiting(watcher);
    lock.release();
    auto const answer = pending.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    check_there_once(server, ledger, key, answer);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_ended_while_it_writes_is_no_answer) {
    Interrupted deposit;
    deposit.gate.terminate_waiting();
    deposit.gate.await_waiting();
    deposit.gate.open();
    auto const answer = deposit.pending.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    deposit.check_there_once(answer);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_ended_within_its_commit_is_no_answer) {
    Interrupted deposit(CommitGate::At::commit);
    deposit.gate.terminate_waiting();
    deposit.gate.await_waiting();
    deposit.gate.open();
    auto const answer = deposit.pending.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    deposit.check_there_once(answer);
}

BOOST_AUTO_TEST_CASE(wherever_the_connection_is_cut_no_answer_is_false) {
    constexpr std::size_t places = 8;
    Behind behind;
    for (auto const way : {Way::to_server, Way::to_client})
        for (std::size_t place = 0; place < places; ++place) {
            Api api(behind.server);
            auto const ledger = ledger_with_ann(behind.server);
            auto const before = behind.proxy.passed(way);
            BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", 1).status == 201U);
            auto const bytes = behind.proxy.passed(way) - before;
            behind.proxy.set(way, Fault::Kind::cut, bytes * place / places);
            auto const key = fresh("key");
            auto const answer = api.deposit(ledger, "ann", 1, key);
            bool const honest =
                answer.status == 201 || answer.status == 503 || answer.status == 504;
            BOOST_TEST(honest, answer.body);
            behind.proxy.heal();
            auto const again = insist(api, ledger, 1, key);
            BOOST_TEST(again.status == 201U, again.body);
            if (answer.status == 201) BOOST_TEST(again.body == answer.body);
            BOOST_TEST(api.balance(ledger, "ann") == 2);
            BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == 2);
            check_verified(api, ledger);
        }
}

BOOST_AUTO_TEST_CASE(a_command_that_postgresql_refuses_fails_alone_of_its_batch) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    auto sql = database.connect();
    sql("ALTER TABLE transfers ADD CONSTRAINT no_poison CHECK (reference <> 'poison')");
    Api api(server);
    RowLock lock(database, ledger);
    // One batch waits for ann's row; what comes meanwhile is the next one.
    auto first = deposit_in_background(server, ledger, fresh("key"));
    await_waiting(sql);
    auto const poison = R"({"account":"ann","amount":5,"reference":"poison"})";
    auto const poison_key = fresh("key");
    auto refused = std::async(std::launch::async, [&] {
        return Api(server).post(ledger + "/deposits", poison, poison_key);
    });
    std::vector<std::future<HttpAnswer>> others;
    for (int i = 0; i < 6; ++i)
        others.push_back(deposit_in_background(server, ledger, fresh("key")));
    await_that([&] { return metric(api, "penstock_collector_queue") == 7; }, "a queue of 7");
    lock.release();
    for (auto& other : others) BOOST_TEST(other.get().status == 201U);
    BOOST_TEST(first.get().status == 201U);
    auto const answer = refused.get();
    BOOST_TEST(answer.status == 500U);
    BOOST_TEST(answer.code() == "internal");
    BOOST_TEST(answer.body.find("poison") == std::string::npos);
    BOOST_TEST(metric(api, "penstock_lane_splits_total") >= 1);
    BOOST_TEST(api.balance(ledger, "ann") == 35);
    check_verified(api, ledger);

    sql("ALTER TABLE transfers DROP CONSTRAINT no_poison");
    BOOST_TEST(api.post(ledger + "/deposits", poison, poison_key).status == 201U);
    BOOST_TEST(api.balance(ledger, "ann") == 40);
}

BOOST_AUTO_TEST_CASE(a_row_that_another_session_holds_delays_its_account_and_no_other_lane) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    std::vector<std::string> ledgers;
    for (int i = 0; i < 12; ++i) ledgers.push_back(ledger_with_ann(server));
    auto sql = database.connect();
    RowLock lock(database, ledger);
    auto const late_key = fresh("key");
    auto const key = fresh("key");
    auto patient = deposit_in_background(server, ledger, key);
    await_waiting(sql);
    auto hurried = deposit_in_background(server, ledger, late_key, "300");
    BOOST_TEST(hurried.get().code() == "deadline_exceeded");
    auto const answers = at_once(server, ledgers.size(), [&](Api& own, std::size_t i) {
        own.with("Request-Timeout-Ms", "2000");
        return own.deposit(ledgers[i], "ann", 1);
    });
    BOOST_TEST(count(answers, 201) > 0U);
    BOOST_TEST(count(answers, 201) + count(answers, 504) == ledgers.size());
    // Longer than PostgreSQL lets a statement wait for a lock: the batch is decided again.
    lock.hold_for_seconds(4);
    lock.release();
    auto const answer = patient.get();
    BOOST_TEST(answer.status == 201U, answer.body);
    Api api(server);
    BOOST_TEST(insist(api, ledger, 5, late_key).status == 201U);
    BOOST_TEST(api.balance(ledger, "ann") == 10);
    check_verified(api, ledger);
    for (auto const& other : ledgers) BOOST_TEST(api.balance(other, "ann") <= 1);
}

BOOST_AUTO_TEST_CASE(without_its_database_a_server_says_so_in_time_and_recovers_by_itself) {
    Cluster cluster;
    ServerProcess server({"--database-url", cluster.url()});
    auto const ledger = ledger_with_ann(server);
    Api api(server);
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 201U);
    BOOST_TEST(api.get("/readyz").status == 200U);
    cluster.stop_immediately();

    auto const unready = api.get("/readyz");
    BOOST_TEST(unready.status == 503U);
    auto const document = unready.document();
    BOOST_TEST(document.at("status").as_string() == "unavailable");
    BOOST_TEST(document.at("dependencies").at("store").at("status").as_string() == "unavailable");
    BOOST_TEST(api.get("/healthz").status == 200U);
    auto const since = std::chrono::steady_clock::now();
    auto const key = fresh("key");
    for (auto const& refused : {api.deposit(ledger, "ann", 5, key), api.get(ledger + "/totals")}) {
        BOOST_TEST(refused.status == 503U, refused.body);
        BOOST_TEST(refused.code() == "unavailable");
        BOOST_TEST(!refused.header("retry-after").empty());
    }
    BOOST_TEST((std::chrono::steady_clock::now() - since < 9s));

    cluster.start();
    BOOST_TEST(insist(api, ledger, 5, key).status == 201U);
    await_that([&] { return api.get("/readyz").status == 200; }, "readiness");
    BOOST_TEST(api.balance(ledger, "ann") == 10);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
