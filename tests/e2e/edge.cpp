// Does a client ever see that there is a Redis between its idempotency keys and the database?
#include <sstream>

#include "tests/e2e/api.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

milliseconds since(Clock::time_point began) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - began);
}

std::vector<std::string> options(std::string const& database_url, std::string const& redis_url,
                                 std::vector<std::string> more = {}) {
    std::vector<std::string> all{"--database-url", database_url, "--redis-url", redis_url};
    // On a busy machine a wait of milliseconds is over before Redis had its turn.
    if (std::count(more.begin(), more.end(), "--edge-wait-ms") == 0) {
        all.emplace_back("--edge-wait-ms");
        all.emplace_back("5000");
    }
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::string url_of(RedisServer const& redis) { return "unix://" + redis.socket_path(); }

/// The sum of a counter over all threads; `labels` as they stand in the exposition.
double metric(ServerProcess const& server, std::string const& name,
              std::string const& labels = "") {
    std::istringstream text(Api(server).get("/metrics").body);
    double sum = 0;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with(name) || line.find(labels) == std::string::npos) continue;
        sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
    return sum;
}

double replayed_by_edge(ServerProcess const& server) {
    return metric(server, "penstock_edge_keys_total", "found=\"answer\"");
}

/// Holds the row of an account, as a slow database would.
class RowLock {
public:
    RowLock(Database const& database, std::string const& address)
        : name_(database.name()), locker_(database.connect()) {
        locker_("BEGIN");
        locker_("SELECT id FROM accounts WHERE address = '" + address + "' FOR UPDATE");
    }
    /// Returns when so many sessions wait for it.
    void await_waiting(int sessions) {
        Operator watcher(Database::server_url());
        watcher.await(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = '" +
                name_ + "'",
            std::to_string(sessions));
    }
    void release() { locker_("COMMIT"); }

private:
    std::string name_;
    Operator locker_;
};

/// One Redis, one database, and a ledger with ann.
struct House {
    explicit House(std::vector<std::string> more = {})
        : server(options(url_of(database), url_of(redis), std::move(more))),
          api(server),
          ledger(api.new_ledger()) {
        await_redis(server);
        api.new_account(ledger, "ann");
    }

    /// Where Redis keeps the one key that is used after this; its answer has arrived there.
    std::string key_in_redis(std::function<void()> const& use) {
        RedisTalk talk(redis.socket_path());
        auto const limit = Clock::now() + 20s;
        // Nobody waits for an answer to get to Redis: those of before must not come after this.
        auto const stored = metric(server, "penstock_edge_answers_stored_total");
        while (static_cast<double>(talk("DBSIZE").number) < stored && Clock::now() < limit) {
        }
        talk("FLUSHALL");
        use();
        auto const keys = talk("KEYS", "ps:idem:*");
        BOOST_TEST_REQUIRE(keys.elements.size() == 1U);
        auto place = keys.elements.front().text;
        while (!talk("GET", place).text.starts_with("A1") && Clock::now() < limit) {
        }
        return place;
    }

    RedisServer redis;
    Database database;
    ServerProcess server;
    Api api;
    std::string ledger;
};

/// A repetition: the same bytes, said to be one.
void check_repeats(HttpAnswer const& again, HttpAnswer const& first) {
    BOOST_TEST(again.status == first.status, again.body);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    BOOST_TEST(again.header("content-type") == first.header("content-type"));
}

void check_in_flight(HttpAnswer const& answer) {
    BOOST_TEST(answer.status == 409U, answer.body);
    BOOST_TEST(answer.code() == "idempotency_in_flight");
    BOOST_TEST(answer.header("retry-after") == "1");
}

/// Sends until the answer is something else than "in flight".
HttpAnswer when_free(std::function<HttpAnswer()> const& send) {
    auto const began = Clock::now();
    for (;;) {
        auto answer = send();
        if (answer.code() != "idempotency_in_flight" || since(began) > 20s) return answer;
        check_in_flight(answer);
    }
}

BOOST_AUTO_TEST_SUITE(edge)

BOOST_AUTO_TEST_CASE(a_repetition_is_answered_alike_by_every_server_with_and_without_the_edge) {
    House house;
    ServerProcess second(options(url_of(house.database), url_of(house.redis)));
    await_redis(second);
    ServerProcess without({"--database-url", url_of(house.database)});
    ServerProcess switched_off(
        options(url_of(house.database), url_of(house.redis), {"--edge", "off"}));
    auto const& ledger = house.ledger;
    auto const first = house.api.deposit(ledger, "ann", 100, "k-deposit");
    BOOST_TEST(first.status == 201U);
    BOOST_TEST(first.header("idempotent-replayed") == "");
    auto const account =
        house.api.post(ledger + "/accounts", R"({"address":"bob","metadata":{"ö":1}})", "k-bob");
    auto const paid = house.api.transfer(ledger, "ann", "bob", 30, "k-pay");
    auto const id = std::string(paid.document().at("id").as_string());
    auto const revert = ledger + "/transfers/" + id + "/revert";
    auto const reverted = house.api.post(revert, "{}", "k-revert");
    BOOST_TEST(reverted.status == 201U);
    for (auto const* server : {&house.server, &second, &without, &switched_off}) {
        Api api(*server);
        check_repeats(api.deposit(ledger, "ann", 100, "k-deposit"), first);
        auto const other = api.deposit(ledger, "ann", 101, "k-deposit");
        BOOST_TEST(other.status == 422U);
        BOOST_TEST(other.code() == "idempotency_key_reused");
        auto const bob = R"({"metadata":{"ö":1},"address":"bob"})";
        check_repeats(api.post(ledger + "/accounts", bob, "k-bob"), account);
        check_repeats(api.transfer(ledger, "ann", "bob", 30, "k-pay"), paid);
        check_repeats(api.post(revert, "{}", "k-revert"), reverted);
        BOOST_TEST(api.post("/v1/nothing", "{}", "k-pay").status == 404U);
    }
    BOOST_TEST(replayed_by_edge(house.server) == 4);
    BOOST_TEST(replayed_by_edge(second) == 4);
    BOOST_TEST(replayed_by_edge(without) == 0);
    BOOST_TEST(replayed_by_edge(switched_off) == 0);
    BOOST_TEST(metric(second, "penstock_edge_keys_total", "found=\"other_request\"") == 1);
    BOOST_TEST(house.api.balance(ledger, "ann") == 100);
    check_verified(house.api, ledger);
}

BOOST_AUTO_TEST_CASE(equal_requests_at_once_have_one_effect_and_equal_answers_or_409) {
    House house;
    ServerProcess without({"--database-url", url_of(house.database)});
    ServerProcess in_memory({});
    Api memory_api(in_memory);
    auto const in_memory_ledger = memory_api.new_ledger();
    memory_api.new_account(in_memory_ledger, "ann");
    long deposits = 0;
    for (int round = 0; round < 4; ++round)
        for (auto const* server : {&house.server, &without, &in_memory}) {
            auto const& ledger = server == &in_memory ? in_memory_ledger : house.ledger;
            auto const key = fresh("key");
            auto const answers = at_once(*server, 5, [&](Api& api, std::size_t) {
                return api.deposit(ledger, "ann", 1, key);
            });
            Api api(*server);
            auto const settled = when_free([&] { return api.deposit(ledger, "ann", 1, key); });
            BOOST_TEST(settled.status == 201U);
            for (auto const& answer : answers) {
                if (answer.status == 409) {
                    check_in_flight(answer);
                } else {
                    BOOST_TEST(answer.status == 201U);
                    BOOST_TEST(answer.body == settled.body);
                }
            }
            BOOST_TEST(count(answers, 201) >= 1U);
            deposits += server != &in_memory;
        }
    BOOST_TEST(house.api.balance(house.ledger, "ann") == deposits);
    BOOST_TEST(memory_api.balance(in_memory_ledger, "ann") == 4);
}

BOOST_AUTO_TEST_CASE(repetitions_of_a_finished_key_at_once_are_all_answered) {
    // On a busy machine the database may take its time.
    std::vector<std::string> const patience{"--edge-join-ms", "15000"};
    House house(patience);
    std::vector<std::string> alone{"--database-url", url_of(house.database)};
    alone.insert(alone.end(), patience.begin(), patience.end());
    ServerProcess without(alone);
    auto const first = house.api.deposit(house.ledger, "ann", 7, "k-first");
    BOOST_TEST(first.status == 201U);
    RedisTalk talk(house.redis.socket_path());
    auto const repeat_on = [&](ServerProcess const& server) {
        auto const answers = at_once(server, 10, [&](Api& api, std::size_t) {
            return api.deposit(house.ledger, "ann", 7, "k-first");
        });
        for (auto const& answer : answers) check_repeats(answer, first);
    };
    for (int round = 0; round < 4; ++round) {
        repeat_on(house.server);
        repeat_on(without);
        // Redis forgets answers long before the database does.
        talk("FLUSHALL");
    }
    BOOST_TEST(house.api.balance(house.ledger, "ann") == 7);
}

BOOST_AUTO_TEST_CASE(a_rejected_key_is_free_at_once_and_a_long_answer_is_left_to_the_database) {
    House house;
    ServerProcess second(options(url_of(house.database), url_of(house.redis)));
    await_redis(second);
    Api other(second);
    auto const key = fresh("key");
    BOOST_TEST(house.api.withdraw(house.ledger, "ann", 5, key).status == 402U);
    BOOST_TEST(house.api.withdraw(house.ledger, "ann", 5, key).status == 402U);
    BOOST_TEST(other.deposit(house.ledger, "ann", 10).status == 201U);
    BOOST_TEST(house.api.withdraw(house.ledger, "ann", 5, key).status == 201U);
    BOOST_TEST(house.api.balance(house.ledger, "ann") == 5);

    std::string bulk = R"({"transfers":[)";
    for (int i = 0; i < 200; ++i)
        bulk += (i ? "," : "") + Api::movement("ann", i % 2 ? "nobody" : "ann2", 1);
    bulk += "]}";
    house.api.new_account(house.ledger, "ann2");
    auto const first = house.api.post(house.ledger + "/transfers/bulk", bulk, "k-bulk");
    BOOST_TEST(first.status == 200U);
    BOOST_TEST(first.body.size() > 16384U);
    check_repeats(house.api.post(house.ledger + "/transfers/bulk", bulk, "k-bulk"), first);
    check_repeats(other.post(house.ledger + "/transfers/bulk", bulk, "k-bulk"), first);
    BOOST_TEST(replayed_by_edge(second) == 0);
    BOOST_TEST(metric(house.server, "penstock_edge_answers_too_large_total") >= 1);
}

BOOST_AUTO_TEST_CASE(the_secret_of_an_api_key_never_reaches_redis) {
    House house;
    auto const organization = house.api.post("/v1/organizations", R"({"name":"shop"})");
    auto const keys =
        "/v1/organizations/" + std::string(organization.document().at("id").as_string()) + "/keys";
    auto const body = R"({"name":"till","scopes":["write"]})";
    HttpAnswer made;
    auto const place = house.key_in_redis([&] { made = house.api.post(keys, body, "k-key"); });
    auto const secret = std::string(made.document().at("secret").as_string());
    RedisTalk talk(house.redis.socket_path());
    auto const kept = talk("GET", place).text;
    BOOST_TEST(kept.find("till") != kept.npos);
    BOOST_TEST(kept.find(secret) == kept.npos);
    auto const again = house.api.post(keys, body, "k-key");
    BOOST_TEST(again.status == 201U);
    BOOST_TEST(again.document().at("secret").is_null());
    BOOST_TEST(replayed_by_edge(house.server) == 1);
}

BOOST_AUTO_TEST_CASE(a_key_stays_in_flight_for_as_long_as_a_slow_database_takes) {
    // A third of it is what a busy machine may take before the key is free.
    std::vector<std::string> const lease{"--edge-lease-ms", "3000"};
    House house(lease);
    ServerProcess second(options(url_of(house.database), url_of(house.redis), lease));
    await_redis(second);
    Api other(second);
    RowLock lock(house.database, "ann");
    HttpAnswer slow;
    std::jthread first([&] {
        Api patient(house.server);
        slow =
            patient.with("Request-Timeout-Ms", "30000").deposit(house.ledger, "ann", 7, "k-slow");
    });
    lock.await_waiting(1);
    // Without any of them the key would be free.
    auto const renewals = [&] { return metric(house.server, "penstock_edge_renewals_total"); };
    auto const began = Clock::now();
    while (renewals() < 3 && since(began) < 20s)
        check_in_flight(other.deposit(house.ledger, "ann", 7, "k-slow"));
    BOOST_TEST(renewals() >= 3);
    lock.release();
    first.join();
    BOOST_TEST(slow.status == 201U, slow.body);
    check_repeats(other.deposit(house.ledger, "ann", 7, "k-slow"), slow);
    BOOST_TEST(house.api.balance(house.ledger, "ann") == 7);
}

BOOST_AUTO_TEST_CASE(a_killed_server_blocks_its_key_for_the_lease_and_no_longer) {
    Database database;
    RedisServer redis;
    std::vector<std::string> const lease{"--edge-lease-ms", "1000"};
    ServerProcess survivor(options(url_of(database), url_of(redis), lease));
    await_redis(survivor);
    Api api(survivor);
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    RedisTalk talk(redis.socket_path());
    auto const met = [&] {
        return metric(survivor, "penstock_edge_keys_total", "in_flight_elsewhere") > 0;
    };
    // A busy machine may come back to a key only after its lease.
    for (int round = 1; round <= 3 || (!met() && round <= 10); ++round) {
        ServerProcess doomed(options(url_of(database), url_of(redis), lease));
        await_redis(doomed);
        RowLock lock(database, "ann");
        auto const key = fresh("key");
        std::jthread client([&] {
            try {
                Api(doomed).deposit(ledger, "ann", 1, key);
            } catch (ConnectionEnded const&) {  // as a killed server leaves its clients
            }
        });
        lock.await_waiting(1);
        doomed.kill();
        for (auto const& mark : talk("KEYS", "ps:idem:*").elements)
            if (talk("GET", mark.text).text.starts_with("M1"))
                BOOST_TEST(talk("PTTL", mark.text).number <= 1'000);
        lock.release();
        client.join();
        auto const answer = when_free([&] { return api.deposit(ledger, "ann", 1, key); });
        BOOST_TEST(answer.status == 201U);
        BOOST_TEST(api.balance(ledger, "ann") == round);
    }
    BOOST_TEST(met());
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_flush_or_an_expiry_under_a_slow_database_has_one_effect) {
    House house({"--edge-lease-ms", "60000"});
    ServerProcess second(options(url_of(house.database), url_of(house.redis)));
    await_redis(second);
    RedisTalk talk(house.redis.socket_path());
    long balance = 0;
    for (bool const flushed : {true, false}) {
        auto const key = fresh("key");
        HttpAnswer here;
        HttpAnswer there;
        {
            RowLock lock(house.database, "ann");
            std::jthread const first(
                [&] { here = Api(house.server).deposit(house.ledger, "ann", 1, key); });
            lock.await_waiting(1);
            if (flushed) talk("FLUSHALL");
            if (!flushed)
                for (auto const& mark : talk("KEYS", "ps:idem:*").elements)
                    talk("PEXPIRE", mark.text, 1);
            std::jthread const other([&] {
                there = when_free([&] { return Api(second).deposit(house.ledger, "ann", 1, key); });
            });
            // Both have passed the edge and are at the database.
            lock.await_waiting(2);
            lock.release();
        }
        BOOST_TEST(here.status == 201U, here.body);
        BOOST_TEST(there.status == 201U, there.body);
        BOOST_TEST(here.body == there.body);
        BOOST_TEST(house.api.balance(house.ledger, "ann") == ++balance);
        check_repeats(house.api.deposit(house.ledger, "ann", 1, key), here);
    }
    check_verified(house.api, house.ledger);
}

BOOST_AUTO_TEST_CASE(whatever_stands_under_the_key_the_answer_is_the_same) {
    House house;
    auto const send = [&](std::string const& key) {
        return house.api.deposit(house.ledger, "ann", 3, key);
    };
    HttpAnswer first;
    auto const place = house.key_in_redis([&] { first = send("k-one"); });
    RedisTalk talk(house.redis.socket_path());
    auto const cut = talk("GET", place).text.substr(0, 60);
    auto const wrecks = std::vector<std::function<void()>>{
        [&] { talk("SET", place, "processing"); },
        [&] { talk("SET", place, cut); },
        [&] { talk("SETRANGE", place, 50, "garbage"); },
        [&] { talk("LPUSH", place, "a"); },
        [&] { talk("HSET", place, "a", "b"); },
        [&] { talk("SET", place, "M1another-servers-"); },  // a mark without an end
        [&] { talk("SET", place, "M1another-servers-", "PX", 500); },
    };
    for (auto const& wreck : wrecks) {
        if (&wreck != &wrecks[2]) talk("DEL", place);
        wreck();
        check_repeats(when_free([&] { return send("k-one"); }), first);
        // And what was repeated by the database is repeated by the edge from now on.
        auto const before = replayed_by_edge(house.server);
        check_repeats(send("k-one"), first);
        BOOST_TEST(replayed_by_edge(house.server) == before + 1);
    }
    BOOST_TEST(house.api.balance(house.ledger, "ann") == 3);
}

BOOST_AUTO_TEST_CASE(a_lost_reply_changes_no_answer) {
    Database database;
    RedisServer redis;
    FaultProxy proxy(FaultProxy::Place::tcp(), FaultProxy::Place::unix_socket(redis.socket_path()));
    auto const redis_url = "redis://127.0.0.1:" + std::to_string(proxy.port());
    ServerProcess server(options(url_of(database), redis_url, {"--edge-wait-ms", "50"}));
    await_redis(server);
    Api api(server);
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    long balance = 0;
    for (auto const kind : {Fault::Kind::cut, Fault::Kind::swallow, Fault::Kind::stall})
        for (int round = 0; round < 3; ++round) {
            auto const key = fresh("key");
            proxy.set(Way::to_client, kind);
            auto const first = api.deposit(ledger, "ann", 1, key);
            BOOST_TEST(first.status == 201U, first.body);
            auto const at_once = api.deposit(ledger, "ann", 1, key);
            check_repeats(at_once, first);
            proxy.heal();
            proxy.cut_all();
            check_repeats(when_free([&] { return api.deposit(ledger, "ann", 1, key); }), first);
            BOOST_TEST(api.balance(ledger, "ann") == ++balance);
        }
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_redis_that_stands_still_or_is_gone_is_not_waited_for) {
    House house({"--edge-wait-ms", "20"});
    auto const repeat = [&](HttpAnswer const& first, std::string const& key) {
        auto const again =
            when_free([&] { return house.api.deposit(house.ledger, "ann", 1, key); });
        check_repeats(again, first);
    };
    auto const late = [&] { return metric(house.server, "penstock_edge_bypasses_total", "late"); };
    long balance = 0;
    for (bool const frozen : {true, false}) {
        std::map<std::string, HttpAnswer> done;
        auto const before = fresh("key");
        done[before] = house.api.deposit(house.ledger, "ann", 1, before);
        if (frozen) house.redis.freeze();
        if (!frozen) house.redis.kill();
        auto const late_before = late();
        auto const began = Clock::now();
        for (int i = 0; i < 50; ++i) {
            auto const key = fresh("key");
            done[key] = house.api.deposit(house.ledger, "ann", 1, key);
            BOOST_TEST(done[key].status == 201U, done[key].body);
        }
        // Those who find it out, and a probe after each pause of at least 100 ms.
        auto const pauses = static_cast<double>(since(began).count()) / 100;
        BOOST_TEST(late() - late_before <= 3 + pauses);
        for (auto const& [key, first] : done) repeat(first, key);
        if (frozen) house.redis.thaw();
        if (!frozen) house.redis.start();
        for (auto const& [key, first] : done) repeat(first, key);
        balance += static_cast<long>(done.size());
        BOOST_TEST(house.api.balance(house.ledger, "ann") == balance);
        // The edge comes back without help.
        auto const replayed = replayed_by_edge(house.server);
        auto const limit = Clock::now() + 20s;
        while (replayed_by_edge(house.server) == replayed && Clock::now() < limit)
            repeat(done.at(before), before);
        BOOST_TEST(replayed_by_edge(house.server) > replayed);
    }
    BOOST_TEST(late() >= 1);
    BOOST_TEST(metric(house.server, "penstock_edge_bypasses_total", "down") >= 1);
    check_verified(house.api, house.ledger);
}

BOOST_AUTO_TEST_CASE(repetitions_are_answered_while_postgresql_is_stopped) {
    Cluster cluster;
    RedisServer redis;
    ServerProcess server(
        options(cluster.url(), url_of(redis), {"--admin-key", "an-admin-key-of-32-characters-ok"}));
    await_redis(server);
    Api root(server, "an-admin-key-of-32-characters-ok");
    auto const made = root.post("/v1/organizations/00000000-0000-0000-0000-000000000000/keys",
                                R"({"name":"till","scopes":["write"]})");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    Api api(server, std::string(made.document().at("secret").as_string()));
    auto const ledger = root.new_ledger();
    root.new_account(ledger, "ann");
    std::map<std::string, HttpAnswer> done;
    for (int i = 0; i < 20; ++i) {
        auto const key = fresh("key");
        done[key] = api.deposit(ledger, "ann", 1, key);
        BOOST_TEST(done[key].status == 201U, done[key].body);
    }
    cluster.stop_immediately();
    // Longer than anything is remembered without asking the database again.
    auto const began = Clock::now();
    while (since(began) < 7s)
        for (auto const& [key, first] : done)
            check_repeats(api.deposit(ledger, "ann", 1, key), first);
    auto const fresh_one = api.post(ledger + "/deposits", Api::one_sided("ann", 1), "k-fresh");
    BOOST_TEST((fresh_one.status == 503U || fresh_one.status == 504U), fresh_one.body);
    cluster.start();
    auto const limit = Clock::now() + 20s;
    HttpAnswer again;
    while (again.status != 201 && Clock::now() < limit)
        again = api.deposit(ledger, "ann", 1, "k-fresh");
    BOOST_TEST(again.status == 201U, again.body);
    BOOST_TEST(api.balance(ledger, "ann") == 21);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
