// What is left of the books when a server or its database dies in the middle of the work?
#include <memory>

#include "tests/e2e/oracle.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

void end_every_session(Database const& database) {
    auto maintenance = Operator(Database::server_url());
    maintenance(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = '" +
        database.name() + "'");
}

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
    check_expected(log);
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
    check_expected(log);
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

BOOST_AUTO_TEST_CASE(of_three_servers_on_one_account_any_may_be_killed_in_the_middle_of_its_work) {
    Database database;
    std::vector<std::unique_ptr<ServerProcess>> servers;
    Fleet fleet;
    for (int i = 0; i < 3; ++i) {
        servers.push_back(std::make_unique<ServerProcess>(
            std::vector<std::string>{"--database-url", url_of(database)}));
        fleet.push_back(servers.back().get());
    }
    // Two of them are killed, one after the other: the last one has everybody's work.
    auto const ledger = ledger_with_traders(*fleet.back());
    Log log;
    Load load(fleet, ledger, log, OnFault::try_again, trade);
    for (auto const victim : {0, 1}) {
        BOOST_TEST(log.await_more(2 * before_fault));
        servers[victim]->kill();
    }
    BOOST_TEST(log.await_more(2 * before_fault));
    load.stop();
    check_expected(log);
    check_trade(*fleet.back(), ledger, log);
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
    check_expected(log);
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
