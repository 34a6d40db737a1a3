// What is left of the books when a server or its database dies in the middle of the work?
#include <condition_variable>
#include <latch>
#include <mutex>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// What the clients know: every key that was sent, and the body of every answer that was 201.
class Log {
public:
    void sent(std::string const& key) {
        std::lock_guard const lock(mutex_);
        bodies_.emplace(key, "");
    }
    void acknowledged(std::string const& key, std::string const& body) {
        std::lock_guard const lock(mutex_);
        bodies_[key] = body;
        ++acknowledged_;
        changed_.notify_all();
    }
    void unexpected(std::string const& what) {
        std::lock_guard const lock(mutex_);
        unexpected_.push_back(what);
    }
    /// Waits until `n` more were acknowledged; false: that took too long.
    bool await_more(std::size_t n) {
        std::unique_lock lock(mutex_);
        auto const wanted = acknowledged_ + n;
        return changed_.wait_for(lock, 20s, [&] { return acknowledged_ >= wanted; });
    }
    std::map<std::string, std::string> const& bodies() const { return bodies_; }
    std::vector<std::string> const& unexpected() const { return unexpected_; }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> bodies_;
    std::vector<std::string> unexpected_;
    std::size_t acknowledged_ = 0;
};

enum class OnFault { give_up, try_again };

/// Clients that deposit 1 again and again, each on its own connection, until they are stopped or,
/// if they give up, lose the server or are told that it goes.
class Load {
public:
    /// Returns when each of them has had an answer.
    Load(ServerProcess const& server, std::string const& ledger, Log& log, OnFault on_fault) {
        for (int i = 0; i < clients; ++i)
            threads_.emplace_back([this, &server, &log, ledger, on_fault](std::stop_token stop) {
                Api api(server);
                bool goes_on = deposit_once(api, ledger, log, on_fault);
                connected_.count_down();
                while (goes_on && !stop.stop_requested())
                    goes_on = deposit_once(api, ledger, log, on_fault);
            });
        connected_.wait();
    }
    void stop() {
        for (auto& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    static bool deposit_once(Api& api, std::string const& ledger, Log& log, OnFault on_fault) {
        auto const key = fresh("key");
        log.sent(key);
        auto const give_up_at = std::chrono::steady_clock::now() + 15s;
        while (std::chrono::steady_clock::now() < give_up_at) {
            try {
                auto const answer = api.deposit(ledger, "ann", 1, key);
                if (answer.status == 201) {
                    log.acknowledged(key, answer.body);
                    bool const farewell = answer.header("connection") == "close";
                    return !farewell || on_fault == OnFault::try_again;
                }
                bool const passing = answer.status == 503 || answer.status == 504 ||
                                     answer.code() == "idempotency_in_flight";
                if (!passing) log.unexpected(answer.body);
                if (!passing) return false;
            } catch (ConnectionEnded const& ended) {
                if (on_fault == OnFault::give_up) {
                    if (ended.error_number != 0) log.unexpected(ended.what());
                    return false;
                }
            }
        }
        log.unexpected("no answer in time");
        return false;
    }

    static constexpr int clients = 6;
    std::latch connected_{clients};
    std::vector<std::jthread> threads_;
};

/// Every acknowledged key is there once, and a key without an answer replays or applies once.
void check_books(ServerProcess const& server, std::string const& ledger, Log const& log) {
    Api api(server);
    auto const keys = static_cast<std::int64_t>(log.bodies().size());
    std::int64_t acknowledged = 0;
    for (auto const& [key, body] : log.bodies()) acknowledged += !body.empty();
    auto const there = api.balance(ledger, "ann");
    BOOST_TEST(there >= acknowledged);
    BOOST_TEST(there <= keys);
    std::size_t wrong = 0;
    for (auto const& [key, body] : log.bodies()) {
        auto const answer = api.deposit(ledger, "ann", 1, key);
        bool const replayed = answer.header("idempotent-replayed") == "true";
        bool const right =
            answer.status == 201 && (body.empty() || (replayed && answer.body == body));
        wrong += !right;
    }
    BOOST_TEST(wrong == 0U);
    BOOST_TEST(api.balance(ledger, "ann") == keys);
    BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == keys);
    BOOST_TEST(api.totals(ledger).at("deposit").at("count").as_int64() == keys);
    check_verified(api, ledger);
}

constexpr std::size_t before_fault = 60;

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(a_killed_server_forgets_nothing_that_it_acknowledged) {
    Database database;
    for (int round = 0; round < 3; ++round) {
        Log log;
        std::string ledger;
        {
            ServerProcess server({"--database-url", url_of(database)});
            ledger = ledger_with_ann(server);
            Load load(server, ledger, log, OnFault::give_up);
            BOOST_TEST(log.await_more(before_fault));
            server.kill();
            load.stop();
        }
        ServerProcess again({"--database-url", url_of(database)});
        check_books(again, ledger, log);
    }
}

BOOST_AUTO_TEST_CASE(losing_every_database_session_loses_and_doubles_nothing) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(server);
    Log log;
    Load load(server, ledger, log, OnFault::try_again);
    auto maintenance = Operator(Database::server_url());
    for (int round = 0; round < 4; ++round) {
        BOOST_TEST(log.await_more(before_fault));
        maintenance(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = '" +
            database.name() + "'");
    }
    BOOST_TEST(log.await_more(before_fault));
    load.stop();
    BOOST_TEST(log.unexpected() == std::vector<std::string>(), boost::test_tools::per_element());
    check_books(server, ledger, log);
}

BOOST_AUTO_TEST_CASE(two_servers_on_one_account_and_one_key_act_as_one) {
    Database database;
    ServerProcess first({"--database-url", url_of(database)});
    ServerProcess second({"--database-url", url_of(database)});
    auto const ledger = ledger_with_ann(first);
    Api api(second);
    BOOST_TEST(api.deposit(ledger, "ann", 50).status == 201U);

    // Twelve clients on both servers want 120 in all: exactly 50 get it.
    std::vector<HttpAnswer> answers(120);
    {
        std::vector<std::jthread> clients;
        for (std::size_t client = 0; client < 12; ++client)
            clients.emplace_back([&, client] {
                Api own(client % 2 ? first : second);
                for (std::size_t i = 0; i < 10; ++i)
                    answers[client * 10 + i] = own.withdraw(ledger, "ann", 1);
            });
    }
    BOOST_TEST(count(answers, 201) == 50);
    BOOST_TEST(count(answers, 402) == 70);

    for (int round = 1; round <= 10; ++round) {
        auto const key = fresh("key");
        HttpAnswer here;
        HttpAnswer there;
        {
            std::jthread const one([&] { here = Api(first).deposit(ledger, "ann", 1, key); });
            std::jthread const other([&] { there = Api(second).deposit(ledger, "ann", 1, key); });
        }
        for (auto const* answer : {&here, &there}) {
            bool const in_flight = answer->code() == "idempotency_in_flight";
            BOOST_TEST((in_flight || answer->status == 201), answer->body);
        }
        if (here.status == 201 && there.status == 201) BOOST_TEST(here.body == there.body);
        BOOST_TEST(api.balance(ledger, "ann") == round);
    }
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_asked_to_stop_finishes_what_it_began) {
    Database database;
    Log log;
    std::string ledger;
    {
        ServerProcess server({"--database-url", url_of(database)});
        ledger = ledger_with_ann(server);
        Load load(server, ledger, log, OnFault::give_up);
        BOOST_TEST(log.await_more(before_fault));
        server.terminate();
        auto const code = server.exit_code();
        load.stop();
        BOOST_TEST_REQUIRE(code.has_value());
        BOOST_TEST(*code == 0);
    }
    // The server says that it goes, or closes what is idle; no connection of its is reset.
    BOOST_TEST(log.unexpected() == std::vector<std::string>(), boost::test_tools::per_element());
    ServerProcess again({"--database-url", url_of(database)});
    check_books(again, ledger, log);
}

BOOST_AUTO_TEST_CASE(a_server_without_work_stops_at_once_on_either_store) {
    Database database;
    for (auto const& options : {std::vector<std::string>(),
                                std::vector<std::string>{"--database-url", url_of(database)}}) {
        ServerProcess server(options);
        Api idle(server);
        BOOST_TEST(idle.get("/healthz").status == 200U);
        server.terminate();
        BOOST_TEST(server.exit_code(10s).value_or(-1) == 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
