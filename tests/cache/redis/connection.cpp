#include "cache/redis/connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

#include "reactor/deadline.hpp"
#include "tests/cache/support.hpp"
#include "tests/support/fault_proxy.hpp"

using namespace penstock;
using namespace penstock::cache;
using namespace penstock::tests;
using reactor::TaskGroup;

namespace {

asio::awaitable<void> expect_up(Connection& connection) {
    bool const up = co_await connection.up_before(patient());
    BOOST_REQUIRE_MESSAGE(up, connection.complaint());
}

asio::awaitable<void> expect_echo(Connection& connection, std::string text) {
    auto const reply = co_await connection.execute(Command("ECHO", text), patient());
    BOOST_REQUIRE_MESSAGE(reply.has_value(), reply.error().message());
    BOOST_TEST(*reply == Reply::string(text));
}

asio::awaitable<void> expect_error(Connection& connection, Command command, error_code expected) {
    auto const reply = co_await connection.execute(std::move(command), patient());
    BOOST_REQUIRE(reply.has_error());
    BOOST_TEST(reply.error() == expected);
}

/// Waits, with a limit, for something that another task brings about.
template <class Condition>
asio::awaitable<void> until(Condition condition) {
    auto const limit = patient();
    while (!condition()) {
        BOOST_REQUIRE(steady_now() < limit);
        co_await reactor::sleep_until(in(milliseconds{1}));
    }
}

/// Answers the first bytes of each connection with `canned`, and then nothing more.
class CannedServer {
public:
    explicit CannedServer(asio::any_io_executor executor, std::string canned)
        : acceptor_(executor, {asio::ip::address_v4::loopback(), 0}), canned_(std::move(canned)) {}

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::size_t accepted() const { return sockets_.size(); }

    asio::awaitable<void> run() {
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(reactor::as_result);
            if (error) co_return;
            sockets_.push_back(std::move(socket));
            auto const [failed, n] = co_await asio::async_write(
                sockets_.back(), asio::buffer(canned_), reactor::as_result);
            if (failed) co_return;
        }
    }

private:
    asio::ip::tcp::acceptor acceptor_;
    std::string canned_;
    std::vector<asio::ip::tcp::socket> sockets_;
};

/// `body(connection, metrics, server)` with a connection to a CannedServer.
template <class Body>
void with_canned(std::string canned, ConnectionLimits limits, Body body) {
    asio::io_context context{1};
    RedisMetrics metrics;
    CannedServer server(context.get_executor(), std::move(canned));
    Connection connection(context.get_executor(), on_port(server.port()), limits, half, metrics);
    auto main = [&]() -> asio::awaitable<void> {
        auto client = [&]() -> asio::awaitable<void> {
            co_await body(connection, metrics, server);
        };
        auto both = [&]() -> asio::awaitable<void> { co_await beside(connection.run(), client); };
        co_await beside(server.run(), both);
    };
    run(context, main);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_connection)

BOOST_AUTO_TEST_CASE(it_talks_over_a_unix_socket_over_tcp_and_to_a_name) {
    RedisServer server;
    auto named = on_port(server.port());
    named.host = "localhost";
    for (auto const& address : {on_socket(server.socket_path()), on_port(server.port()), named})
        with_connection(address, [](Connection& connection, auto&) -> asio::awaitable<void> {
            co_await expect_up(connection);
            co_await expect_echo(connection, std::string("a\r\n\0b", 5));
        });
}

BOOST_AUTO_TEST_CASE(before_it_is_up_a_command_is_unavailable_at_once) {
    RedisServer server;
    with_connection(on_socket(server.socket_path()),
                    [](Connection& connection, auto&) -> asio::awaitable<void> {
                        co_await expect_error(connection, Command("PING"), Errc::unavailable);
                        co_await expect_up(connection);
                        co_await expect_echo(connection, "now");
                    });
}

BOOST_AUTO_TEST_CASE(ten_thousand_commands_in_flight_get_their_own_replies) {
    RedisServer server;
    with_connection(
        on_socket(server.socket_path()),
        [](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
            co_await expect_up(connection);
            auto const executor = co_await asio::this_coro::executor;
            TaskGroup tasks(executor);
            int next = 0;
            auto one = [&](int i) -> asio::awaitable<void> {
                auto const text = std::to_string(i);
                auto const reply = co_await connection.execute(Command("ECHO", text), patient());
                BOOST_REQUIRE(reply.has_value());
                BOOST_REQUIRE(reply->text == text);
                BOOST_REQUIRE(i == next++);  // and in order
            };
            for (int i = 0; i < 10'000; ++i) tasks.spawn(one(i));
            co_await until([&] { return metrics.in_flight.get() > 5'000 || next == 10'000; });
            bool const joined = co_await tasks.join(patient());
            BOOST_TEST(joined);
            BOOST_TEST(next == 10'000);
            BOOST_TEST(metrics.commands.get() == 10'000U);
            BOOST_TEST(metrics.in_flight.get() == 0U);
        });
}

BOOST_AUTO_TEST_CASE(what_a_busy_loop_has_not_sent_is_not_owed) {
    RedisServer server;
    ConnectionLimits limits;
    limits.response_max = milliseconds{2'000};
    with_connection(on_socket(server.socket_path()), limits,
                    [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        BOOST_TEST(connection.post(Command("PING")));
                        auto const until = in(limits.response_max + milliseconds{100});
                        while (steady_now() < until) {
                        }
                        co_await expect_echo(connection, "heard");
                        BOOST_TEST(metrics.drops_silent.get() == 0U);
                    });
}

BOOST_AUTO_TEST_CASE(beyond_its_bounds_a_command_is_overloaded_and_was_not_sent) {
    RedisServer server;
    ConnectionLimits limits;
    limits.commands_max = 2;
    limits.outbox_bytes_max = 1'000;
    with_connection(on_socket(server.socket_path()), limits,
                    [](Connection& connection, auto& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        auto const executor = co_await asio::this_coro::executor;
                        std::string const long_text(1'000, 'x');
                        co_await expect_error(connection, Command("ECHO", long_text),
                                              reactor::Errc::overloaded);
                        TaskGroup tasks(executor);
                        tasks.spawn(expect_echo(connection, "1"));
                        tasks.spawn(expect_echo(connection, "2"));
                        co_await until([&] { return metrics.commands.get() == 2; });
                        if (metrics.in_flight.get() == 2)
                            co_await expect_error(connection, Command("PING"),
                                                  reactor::Errc::overloaded);
                        co_await tasks.join(patient());
                        co_await expect_echo(connection, "3");
                    });
}

BOOST_AUTO_TEST_CASE(a_reply_that_comes_after_the_deadline_is_swallowed) {
    RedisServer server;
    with_connection(on_socket(server.socket_path()),
                    [](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        auto const late = co_await connection.execute(
                            Command("BLPOP", "nothing", "0.2"), in(milliseconds{10}));
                        BOOST_REQUIRE(late.has_error());
                        BOOST_TEST(late.error() == error_code(reactor::Errc::deadline_exceeded));
                        BOOST_TEST(metrics.in_flight.get() == 1U);
                        co_await expect_echo(connection, "mine");
                        BOOST_TEST(metrics.abandoned.get() == 1U);
                    });
}

BOOST_AUTO_TEST_CASE(a_killed_server_loses_what_is_in_flight_and_is_found_again) {
    RedisServer server;
    with_connection(
        on_socket(server.socket_path()),
        [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
            auto const executor = co_await asio::this_coro::executor;
            for (int round = 0; round < 3; ++round) {
                co_await expect_up(connection);
                TaskGroup tasks(executor);
                tasks.spawn(expect_error(connection, Command("BLPOP", "nothing", "0"),
                                         Errc::connection_lost));
                co_await expect_up(connection);
                co_await reactor::sleep_until(in(milliseconds{5}));  // time to leave the outbox
                server.kill();
                bool const joined = co_await tasks.join(patient());
                BOOST_TEST(joined);
                co_await expect_error(connection, Command("PING"), Errc::unavailable);
                BOOST_TEST(metrics.up.get() == 0U);
                server.start();
            }
            co_await expect_up(connection);
            co_await expect_echo(connection, "again");
            BOOST_TEST(metrics.reconnects.get() == 3U);
            BOOST_TEST(metrics.drops.get() == 3U);
        });
}

BOOST_AUTO_TEST_CASE(a_frozen_server_is_dropped_after_response_max) {
    RedisServer server;
    ConnectionLimits limits;
    limits.response_max = milliseconds{1'000};
    limits.connect_max = milliseconds{1'000};
    with_connection(on_port(server.port()), limits,
                    [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        // An idle connection is not silent: nothing is owed.
                        co_await reactor::sleep_until(in(milliseconds{1'200}));
                        co_await expect_echo(connection, "still");
                        server.freeze();
                        auto const late =
                            co_await connection.execute(Command("PING"), in(milliseconds{20}));
                        BOOST_TEST(late.error() == error_code(reactor::Errc::deadline_exceeded));
                        co_await expect_error(connection, Command("PING"), Errc::connection_lost);
                        BOOST_TEST(metrics.drops_silent.get() == 1U);
                        BOOST_TEST(connection.complaint() == "no reply in time");
                        // The kernel still accepts; nobody logs us in.
                        co_await until([&] { return metrics.connect_failures.get() > 0; });
                        BOOST_TEST(connection.complaint() == "connect: no answer in time");
                        server.thaw();
                        co_await expect_up(connection);
                        co_await expect_echo(connection, "thawed");
                    });
}

BOOST_AUTO_TEST_CASE(foreign_bytes_drop_the_connection_and_a_new_one_works) {
    RedisServer server;
    FaultProxy proxy(FaultProxy::Place::tcp(),
                     FaultProxy::Place::unix_socket(server.socket_path()));
    with_connection(on_port(proxy.port()),
                    [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        std::string const garbage = "HTTP/1.1 400 Bad Request\r\n\r\n";
                        proxy.set(Way::to_client, Fault::Kind::insert, 0, garbage);
                        co_await expect_error(connection, Command("PING"), Errc::connection_lost);
                        BOOST_TEST(metrics.drops_protocol.get() == 1U);
                        co_await expect_up(connection);
                        co_await expect_echo(connection, "clean");
                    });
}

BOOST_AUTO_TEST_CASE(a_connection_cut_in_the_middle_of_a_reply_is_lost) {
    RedisServer server;
    FaultProxy proxy(FaultProxy::Place::tcp(),
                     FaultProxy::Place::unix_socket(server.socket_path()));
    with_connection(on_port(proxy.port()),
                    [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        std::string const text(1'000, 'x');
                        for (auto const kind : {Fault::Kind::cut, Fault::Kind::reset}) {
                            co_await expect_up(connection);
                            proxy.set(Way::to_client, kind, 100);
                            co_await expect_error(connection, Command("ECHO", text),
                                                  Errc::connection_lost);
                        }
                        co_await expect_up(connection);
                        co_await expect_echo(connection, text);
                        BOOST_TEST(metrics.drops.get() == 2U);
                    });
}

BOOST_AUTO_TEST_CASE(replies_that_arrive_byte_by_byte_are_whole) {
    RedisServer server;
    FaultProxy proxy(FaultProxy::Place::tcp(),
                     FaultProxy::Place::unix_socket(server.socket_path()));
    proxy.set(Way::to_client, Fault::Kind::trickle);
    with_connection(on_port(proxy.port()),
                    [&](Connection& connection, auto&) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        for (int i = 0; i < 20; ++i)
                            co_await expect_echo(connection, "text " + std::to_string(i));
                    });
}

BOOST_AUTO_TEST_CASE(commands_that_never_left_did_not_happen) {
    RedisServer server;
    FaultProxy proxy(FaultProxy::Place::tcp(),
                     FaultProxy::Place::unix_socket(server.socket_path()));
    with_connection(
        on_port(proxy.port()), [&](Connection& connection, auto& metrics) -> asio::awaitable<void> {
            co_await expect_up(connection);
            proxy.set(Way::to_server, Fault::Kind::stall);
            auto const executor = co_await asio::this_coro::executor;
            TaskGroup tasks(executor);
            // More than the socket buffers hold, so that its write does not end.
            Command large("SET", "k", std::string(32 << 20, 'x'));
            tasks.spawn(expect_error(connection, std::move(large), Errc::connection_lost));
            co_await until([&] { return metrics.commands.get() == 1; });
            co_await reactor::sleep_until(in(milliseconds{5}));
            tasks.spawn(expect_error(connection, Command("PING"), Errc::unavailable));
            co_await until([&] { return metrics.commands.get() == 2; });
            proxy.cut_all();
            bool const joined = co_await tasks.join(patient());
            BOOST_TEST(joined);
            proxy.heal();
            co_await expect_up(connection);
        });
}

BOOST_AUTO_TEST_CASE(a_reply_that_nobody_asked_for_drops_the_connection) {
    std::string const message = "+PONG\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n";
    with_canned(message, ConnectionLimits{},
                [](Connection& connection, auto& metrics, auto& server) -> asio::awaitable<void> {
                    co_await until([&] { return metrics.drops_protocol.get() >= 2; });
                    BOOST_TEST(server.accepted() >= 2U);
                    BOOST_TEST(metrics.commands.get() == 0U);
                    bool const said = connection.complaint().starts_with("protocol: ");
                    BOOST_TEST(said);
                });
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_at_the_door_is_asked_again_and_quoted) {
    for (std::string const text :
         {"LOADING Redis is loading the dataset in memory", "ERR max number of clients reached"})
        with_canned("-" + text + "\r\n", ConnectionLimits{},
                    [&](Connection& connection, auto& metrics, auto&) -> asio::awaitable<void> {
                        co_await until([&] { return metrics.connect_failures.get() >= 2; });
                        BOOST_TEST(connection.complaint() == "login: " + text);
                        BOOST_TEST(!connection.up());
                    });
}

BOOST_AUTO_TEST_CASE(a_refused_connect_is_tried_again_with_pauses) {
    RedisServer server;
    auto const path = server.socket_path();
    server.kill();
    with_connection(on_socket(path),
                    [&](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await until([&] { return metrics.connect_failures.get() >= 3; });
                        BOOST_TEST(connection.complaint() == "connect: Connection refused");
                        co_await expect_error(connection, Command("PING"), Errc::unavailable);
                        server.start();
                        co_await expect_up(connection);
                    });
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist_is_a_failure_like_any_other) {
    auto address = on_port(1);
    address.host = "no-such-host.invalid";
    with_connection(address, [](Connection& connection, auto& metrics) -> asio::awaitable<void> {
        co_await until([&] { return metrics.connect_failures.get() > 0; });
        BOOST_TEST(!connection.complaint().empty());
    });
}

BOOST_AUTO_TEST_CASE(logins_by_password_and_by_user) {
    RedisServer server(
        {"--requirepass", "open sesame", "--user", "alice", "on", ">wonder", "~a:*", "+@all"});
    auto address = on_socket(server.socket_path());
    address.password = "open sesame";
    auto works = [](Connection& connection, auto&) -> asio::awaitable<void> {
        co_await expect_up(connection);
        co_await expect_echo(connection, "in");
    };
    with_connection(address, works);
    address.user = "default";
    with_connection(address, works);
    address.user = "alice";
    address.password = "wonder";
    with_connection(address, works);
    with_connection(address, [](Connection& connection, auto&) -> asio::awaitable<void> {
        co_await expect_up(connection);
        auto const reply = co_await connection.execute(Command("GET", "b:1"), patient());
        BOOST_REQUIRE(reply.has_value());
        BOOST_TEST(reply->is_error());
        BOOST_TEST(reply->text.starts_with("NOPERM"));
    });
}

BOOST_AUTO_TEST_CASE(a_wrong_password_is_quoted_without_the_password) {
    RedisServer server({"--requirepass", "open sesame"});
    for (std::string const password : {"hunter2", ""}) {
        auto address = on_socket(server.socket_path());
        address.password = password;
        with_connection(
            address, [&](Connection& connection, auto& metrics) -> asio::awaitable<void> {
                co_await until([&] { return metrics.connect_failures.get() > 0; });
                auto const& said = connection.complaint();
                bool const quoted =
                    said.starts_with("login: WRONGPASS") || said.starts_with("login: NOAUTH");
                BOOST_TEST(quoted, said);
                BOOST_TEST(said.find("hunter2") == std::string::npos);
            });
    }
}

BOOST_AUTO_TEST_CASE(a_user_who_may_not_ping_is_welcome) {
    RedisServer server({"--user", "bob", "on", ">builder", "~*", "+echo"});
    auto address = on_socket(server.socket_path());
    address.user = "bob";
    address.password = "builder";
    with_connection(address, [](Connection& connection, auto&) -> asio::awaitable<void> {
        co_await expect_up(connection);
        co_await expect_echo(connection, "in");
    });
}

BOOST_AUTO_TEST_CASE(each_address_has_its_database) {
    RedisServer server;
    auto address = on_socket(server.socket_path());
    address.database = 3;
    with_connection(address, [](Connection& connection, auto&) -> asio::awaitable<void> {
        co_await expect_up(connection);
        auto const kept = co_await connection.execute(Command("SET", "k", "three"), patient());
        BOOST_TEST(*kept == Reply::status("OK"));
    });
    address.database = 0;
    with_connection(address, [](Connection& connection, auto&) -> asio::awaitable<void> {
        co_await expect_up(connection);
        auto const none = co_await connection.execute(Command("GET", "k"), patient());
        BOOST_TEST(*none == Reply::nil());
    });
}

BOOST_AUTO_TEST_CASE(a_reply_of_16_mib_arrives_whole_and_one_beyond_the_limit_drops) {
    RedisServer server;
    ConnectionLimits limits;
    limits.reply.bytes_max = 20 << 20;
    limits.response_max = milliseconds{20'000};
    with_connection(
        on_socket(server.socket_path()), limits,
        [](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
            co_await expect_up(connection);
            std::string const large(16 << 20, 'x');
            auto const kept = co_await connection.execute(Command("SET", "k", large), patient());
            BOOST_REQUIRE(kept.has_value());
            auto const reply = co_await connection.execute(Command("GET", "k"), patient());
            BOOST_REQUIRE(reply.has_value());
            BOOST_TEST((reply->text == large));
            auto const more = co_await connection.execute(Command("APPEND", "k", large), patient());
            BOOST_REQUIRE(more.has_value());
            co_await expect_error(connection, Command("GET", "k"), Errc::connection_lost);
            BOOST_TEST(metrics.drops_protocol.get() == 1U);
        });
}

BOOST_AUTO_TEST_CASE(who_waits_may_be_cancelled_alone) {
    RedisServer server;
    with_connection(on_socket(server.socket_path()),
                    [](Connection& connection, RedisMetrics& metrics) -> asio::awaitable<void> {
                        co_await expect_up(connection);
                        auto const executor = co_await asio::this_coro::executor;
                        TaskGroup tasks(executor);
                        tasks.spawn(expect_error(connection, Command("BLPOP", "nothing", "0.1"),
                                                 asio::error::operation_aborted));
                        co_await until([&] { return metrics.commands.get() == 1; });
                        tasks.cancel();
                        bool const joined = co_await tasks.join(patient());
                        BOOST_TEST(joined);
                        co_await expect_echo(connection, "mine");
                    });
}

// beside() cancels run() wherever it happens to wait, and fails the test when it does not end.
BOOST_AUTO_TEST_CASE(run_ends_on_cancellation_wherever_it_waits) {
    RedisServer server;
    auto nothing = [](Connection&, auto&) -> asio::awaitable<void> { co_return; };
    auto one_turn = [](Connection&, auto&) -> asio::awaitable<void> {
        co_await reactor::sleep_until(in(milliseconds{1}));
    };
    with_connection(on_socket(server.socket_path()), nothing);  // not begun
    with_connection(on_port(server.port()), one_turn);          // connecting, logging in
    auto named = on_port(server.port());
    named.host = "localhost";
    with_connection(named, nothing);  // resolving
    with_connection(named, one_turn);
    with_connection(on_port(server.port()),
                    [](Connection& connection, auto&) -> asio::awaitable<void> {
                        co_await expect_up(connection);  // exchanging
                    });
    server.freeze();
    with_connection(on_port(server.port()), [](Connection&, auto&) -> asio::awaitable<void> {
        co_await reactor::sleep_until(in(milliseconds{20}));  // logging in
    });
    server.thaw();
    server.kill();
    ConnectionLimits slow;
    slow.backoff.first = milliseconds{60'000};
    slow.backoff.most = milliseconds{60'000};
    with_connection(on_port(server.port()), slow,
                    [](Connection&, auto& metrics) -> asio::awaitable<void> {
                        co_await until([&] { return metrics.connect_failures.get() == 1; });
                        co_await reactor::sleep_until(in(milliseconds{1}));  // pausing
                    });
}

BOOST_AUTO_TEST_CASE(its_end_fails_whoever_still_waits) {
    RedisServer server;
    auto main = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        RedisMetrics metrics;
        TaskGroup waiting(executor);
        TaskGroup life(executor);
        {
            Connection connection(executor, on_socket(server.socket_path()), ConnectionLimits{},
                                  half, metrics);
            life.spawn(connection.run());
            co_await expect_up(connection);
            for (int i = 0; i < 100; ++i)
                waiting.spawn(expect_error(connection, Command("BLPOP", "nothing", "0"),
                                           Errc::connection_lost));
            co_await until([&] { return metrics.commands.get() == 100; });
            co_await reactor::sleep_until(in(milliseconds{5}));
            life.cancel();
            bool const ended = co_await life.join(patient());
            BOOST_TEST(ended);
        }
        bool const joined = co_await waiting.join(patient());
        BOOST_TEST(joined);
    };
    run(main);
}

BOOST_AUTO_TEST_SUITE_END()
