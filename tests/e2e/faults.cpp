// What is left of the books when a server or its database dies in the middle of the work?
#include <algorithm>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// A request with its key, and what was answered; no status: nothing yet.
struct Sent {
    std::string path;
    std::string body;
    unsigned status = 0;
    std::string answer = {};

    bool is_acknowledged() const { return status != 0; }
    bool is_of(std::string const& what) const { return path.ends_with('/' + what); }
};

/// What the clients know.
class Log {
public:
    void sent(std::string const& key, std::string const& path, std::string const& body) {
        std::lock_guard const lock(mutex_);
        requests_.emplace(key, Sent{path, body});
    }
    void acknowledged(std::string const& key, HttpAnswer const& answer) {
        std::lock_guard const lock(mutex_);
        auto& request = requests_.at(key);
        request.status = answer.status;
        request.answer = answer.body;
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
    /// By key.
    std::map<std::string, Sent> const& requests() const { return requests_; }
    std::vector<std::string> const& unexpected() const { return unexpected_; }
    std::int64_t count(std::string const& what) const {
        return std::ranges::count_if(requests_,
                                     [&](auto const& one) { return one.second.is_of(what); });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Sent> requests_;
    std::vector<std::string> unexpected_;
    std::size_t acknowledged_ = 0;
};

enum class OnFault { give_up, try_again };

/// One connection. It is through when it gave up, lost the server or was told that it goes.
class Client {
public:
    Client(ServerProcess const& server, std::string ledger, Log& log, OnFault on_fault)
        : api_(server), ledger_(std::move(ledger)), log_(log), on_fault_(on_fault) {}

    bool is_through() const { return is_through_; }
    /// How often it has come to this before.
    int turn() { return turn_++; }

    /// The id of what was made or changed; empty: no answer.
    std::string send(std::string const& what, std::string const& body) {
        auto const key = fresh("key");
        auto const path = ledger_ + '/' + what;
        if (is_through_) return {};
        log_.sent(key, path, body);
        auto const answer = answer_of(path, body, key);
        is_through_ = is_through_ || !answer;
        if (!answer) return {};
        log_.acknowledged(key, *answer);
        bool const farewell = answer->header("connection") == "close";
        if (farewell && on_fault_ == OnFault::give_up) is_through_ = true;
        return std::string(answer->document().as_object().at("id").as_string());
    }

private:
    std::optional<HttpAnswer> answer_of(std::string const& path, std::string const& body,
                                        std::string const& key) {
        auto const give_up_at = std::chrono::steady_clock::now() + 15s;
        while (std::chrono::steady_clock::now() < give_up_at) {
            try {
                auto const answer = api_.post(path, body, key);
                if (answer.status / 100 == 2) return answer;
                bool const passing = answer.status == 503 || answer.status == 504 ||
                                     answer.code() == "idempotency_in_flight";
                if (!passing) log_.unexpected(answer.body);
                if (!passing) return {};
            } catch (ConnectionEnded const& ended) {
                if (on_fault_ == OnFault::give_up) {
                    if (ended.error_number != 0) log_.unexpected(ended.what());
                    return {};
                }
            }
        }
        log_.unexpected("no answer in time");
        return {};
    }

    Api api_;
    std::string ledger_;
    Log& log_;
    OnFault on_fault_;
    bool is_through_ = false;
    int turn_ = 0;
};

void deposit(Client& client) { client.send("deposits", Api::one_sided("ann", 1)); }

constexpr std::int64_t price = 3;
constexpr std::int64_t reserved = 2;

/// A purchase, every other one taken back; a hold that is captured, voided or left open.
void trade(Client& client) {
    auto const turn = client.turn();
    auto const bought = client.send("purchases", R"({"buyer":"ann","author":"bob","price":3})");
    if (bought.empty()) return;
    if (turn % 2 == 0) client.send("purchases/" + bought + "/refund", "{}");
    auto const held = client.send("holds", R"({"from":"ann","to":"bob","amount":2})");
    if (held.empty()) return;
    if (turn % 3 == 0) client.send("holds/" + held + "/capture", "{}");
    if (turn % 3 == 1) client.send("holds/" + held + "/void", "{}");
}

/// Clients that do the same again and again until they are stopped or are through.
class Load {
public:
    /// Returns when each of them has had an answer.
    Load(ServerProcess const& server, std::string const& ledger, Log& log, OnFault on_fault,
         void (*deed)(Client&) = deposit) {
        for (int i = 0; i < clients; ++i)
            threads_.emplace_back([=, this, &server, &log](std::stop_token stop) {
                Client client(server, ledger, log, on_fault);
                deed(client);
                connected_.count_down();
                while (!client.is_through() && !stop.stop_requested()) deed(client);
            });
        connected_.wait();
    }
    void stop() {
        for (auto& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    static constexpr int clients = 6;
    std::latch connected_{clients};
    std::vector<std::jthread> threads_;
};

/// Sends every key again: one that was acknowledged replays, one without an answer replays or
/// applies. Each is there once, then.
void send_all_again(Api& api, Log const& log) {
    std::size_t wrong = 0;
    for (auto const& [key, request] : log.requests()) {
        auto const answer = api.post(request.path, request.body, key);
        bool const replayed = answer.header("idempotent-replayed") == "true";
        bool const same =
            replayed && answer.status == request.status && answer.body == request.answer;
        wrong += !(request.is_acknowledged() ? same : answer.status / 100 == 2);
    }
    BOOST_TEST(wrong == 0U);
}

void check_books(ServerProcess const& server, std::string const& ledger, Log const& log) {
    Api api(server);
    auto const keys = static_cast<std::int64_t>(log.requests().size());
    std::int64_t acknowledged = 0;
    for (auto const& [key, request] : log.requests()) acknowledged += request.is_acknowledged();
    auto const there = api.balance(ledger, "ann");
    BOOST_TEST(there >= acknowledged);
    BOOST_TEST(there <= keys);
    send_all_again(api, log);
    BOOST_TEST(api.balance(ledger, "ann") == keys);
    BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == keys);
    BOOST_TEST(api.totals(ledger).at("deposit").at("count").as_int64() == keys);
    check_verified(api, ledger);
}

/// The running totals and what is held, against what the clients asked for.
void check_trade(ServerProcess const& server, std::string const& ledger, Log const& log) {
    Api api(server);
    check_verified(api, ledger);
    send_all_again(api, log);
    auto const totals = api.totals(ledger);
    auto const total = [&](char const* kind, char const* what) {
        return totals.at(kind).at(what).as_int64();
    };
    auto const captures = log.count("capture");
    BOOST_TEST(total("purchase", "count") == log.count("purchases"));
    BOOST_TEST(total("purchase", "amount") == price * log.count("purchases"));
    BOOST_TEST(total("refund", "amount") == price * log.count("refund"));
    BOOST_TEST(total("capture", "count") == captures);
    BOOST_TEST(total("capture", "amount") == reserved * captures);
    auto const open = log.count("holds") - captures - log.count("void");
    BOOST_TEST(api.account(ledger, "ann").at("held").as_int64() == reserved * open);
    check_verified(api, ledger);
}

std::string ledger_with_traders(ServerProcess const& server) {
    auto const ledger = ledger_with_ann(server);
    Api api(server);
    api.new_account(ledger, "bob");
    BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", 1'000'000).status == 201U);
    return ledger;
}

void end_every_session(Database const& database) {
    auto maintenance = Operator(Database::server_url());
    maintenance(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = '" +
        database.name() + "'");
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
    for (int round = 0; round < 4; ++round) {
        BOOST_TEST(log.await_more(before_fault));
        end_every_session(database);
    }
    BOOST_TEST(log.await_more(before_fault));
    load.stop();
    BOOST_TEST(log.unexpected() == std::vector<std::string>(), boost::test_tools::per_element());
    check_books(server, ledger, log);
}

BOOST_AUTO_TEST_CASE(purchases_refunds_and_holds_outlive_a_killed_server) {
    Database database;
    for (int round = 0; round < 3; ++round) {
        Log log;
        std::string ledger;
        {
            ServerProcess server({"--database-url", url_of(database)});
            ledger = ledger_with_traders(server);
            Load load(server, ledger, log, OnFault::give_up, trade);
            BOOST_TEST(log.await_more(2 * before_fault));
            server.kill();
            load.stop();
        }
        ServerProcess again({"--database-url", url_of(database)});
        check_trade(again, ledger, log);
    }
}

BOOST_AUTO_TEST_CASE(purchases_refunds_and_holds_outlive_every_database_session) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    auto const ledger = ledger_with_traders(server);
    Log log;
    Load load(server, ledger, log, OnFault::try_again, trade);
    for (int round = 0; round < 4; ++round) {
        BOOST_TEST(log.await_more(2 * before_fault));
        end_every_session(database);
    }
    BOOST_TEST(log.await_more(2 * before_fault));
    load.stop();
    BOOST_TEST(log.unexpected() == std::vector<std::string>(), boost::test_tools::per_element());
    check_trade(server, ledger, log);
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
