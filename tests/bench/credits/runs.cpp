// Loads of credits against a server in memory, well-behaved and not.
#include <boost/test/unit_test.hpp>

#include "bench/credits/view.hpp"
#include "bench/ground.hpp"
#include "bench/run.hpp"
#include "tests/bench/support/complaints.hpp"
#include "tests/bench/support/mock_server.hpp"

namespace penstock::bench {
namespace {

using tests::all_text;
using tests::Mischief;
using tests::MockServer;

Options options_for(MockServer const& server, std::string scenario) {
    Options options;
    options.scenario = std::move(scenario);
    options.target = server.url();
    options.connections = options.scenario == "credits-wide" ? 1 : 8;
    options.accounts = 20;
    options.warmup_s = 0;
    options.requests = 400;
    options.history = 300;
    options.credits.width = 70;
    options.credits.short_lived = 0.3;
    options.credits.lifetime_s = 1;
    return options;
}

RunResult run_against(Mischief mischief) {
    MockServer const server(mischief);
    return run(options_for(server, "credits"));
}

BOOST_AUTO_TEST_SUITE(credits_against_a_mock, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(every_pattern_and_order_of_draining_ends_sound) {
    for (auto const pattern : {Pattern::uniform, Pattern::zipf, Pattern::hot}) {
        for (auto const drain : {Drain::emission, Drain::expiration}) {
            MockServer const server;
            auto options = options_for(server, "credits");
            options.pattern = pattern;
            options.credits.drain = drain;
            options.ledgers = pattern == Pattern::uniform ? 3 : 1;
            auto const result = run(options);
            BOOST_TEST(all_text(result) == "");
            BOOST_TEST(result.sound());
            auto const& routes = result.arms[0].stats.routes;
            BOOST_TEST(routes[0].accepted + routes[1].accepted == 400u);
            BOOST_TEST(routes[1].accepted > 300u);
        }
    }
}

BOOST_AUTO_TEST_CASE(requests_without_an_answer_are_counted_once) {
    auto const result =
        run_against({.lose_answer_every = 40, .drop_request_every = 70, .unavailable_every = 90});
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.resolved > 10u);
}

BOOST_AUTO_TEST_CASE(shed_load_leaves_nothing_behind) {
    auto const result = run_against({.overload_every = 10});
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.refused.at("503 overloaded") == 40u);
}

BOOST_AUTO_TEST_CASE(one_forgotten_and_one_doubled_operation_are_found) {
    BOOST_TEST(!run_against({.forget_every = 399}).arms[0].off.empty());
    BOOST_TEST(!run_against({.double_every = 399}).arms[0].off.empty());
}

BOOST_AUTO_TEST_CASE(another_amount_in_an_answer_is_a_fault) {
    auto const result = run_against({.wrong_amount_every = 100});
    BOOST_TEST(result.arms[0].stats.fault_count == 4u);
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(lots_that_pay_out_of_turn_or_after_their_end_are_found) {
    BOOST_TEST(!run_against({.credits = {.newest_first = true}}).arms[0].off.empty());
    BOOST_TEST(!run_against({.credits = {.keep_expired = true}}).arms[0].off.empty());
}

BOOST_AUTO_TEST_CASE(wide_requests_are_timed_one_by_one) {
    MockServer const server;
    auto options = options_for(server, "credits-wide");
    options.requests = 10;
    auto const result = run(options);
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    auto const& stats = result.arms[0].stats;
    BOOST_TEST(stats.accepted() == 10u);
    BOOST_TEST(stats.units() == 700u);
    BOOST_TEST(stats.routes[0].accepted == 3u);
    BOOST_TEST(stats.routes[3].accepted == 2u);
    auto const text = table(result);
    BOOST_TEST(text.find("rows/s; ") != std::string::npos);
    BOOST_TEST(text.find("70 entries in a request") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(balances_are_read_beside_plain_accounts_of_the_same_server) {
    MockServer const server;
    auto options = options_for(server, "credits-reads");
    options.requests = 0;
    options.duration_s = 0.4;
    options.slice_s = 0.1;
    auto const result = run(options);
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_REQUIRE(result.arms.size() == 2u);
    BOOST_TEST(result.arms[0].stats.routes[0].label == "GET credits/balances/{address}");
    BOOST_TEST(result.arms[1].stats.routes[0].label == "GET accounts/{address}");
    BOOST_TEST(result.comparisons[0].ratios.p50.median > 0.0);
    BOOST_TEST(table(result).find("rows of history") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(of_a_very_long_history_that_of_some_addresses_is_read) {
    MockServer const server;
    Options options;
    options.target = server.url();
    Ground ground(options);
    Client client(ground.executor(), ground.sweeper(), ground.endpoint(), ground.target(), 1);
    credits::CreditBooks books("points", Drain::emission);
    std::vector<credits::Entry> everybody;
    for (unsigned i = 0; i < 50; ++i)
        everybody.push_back({books.open("user:" + std::to_string(i)), 10});
    auto const play = [&]() -> asio::awaitable<void> {
        using credits::Deed;
        co_await credits::create_credits(client, "points", Drain::emission);
        co_await credits::post_all(client, books, Deed::grant, everybody);
        co_await credits::post_all(client, books, Deed::expense, everybody);
        credits::CheckLimits const few{.rows_max = 10, .histories_max = 7, .purses_max = 3};
        auto const off = co_await credits::check_credits(client, books, few);
        BOOST_TEST(off.empty());
        // An operation that the ledger never heard of is missed in each of the seven.
        auto const number = books.begin(Deed::grant, everybody);
        std::string const told = R"({"id":"o9","kind":"grant","reference":"op-2","entries":[],)"
                                 R"("created_at":"2026-11-21T09:00:00.000Z"})";
        BOOST_TEST(books.acknowledge(number, told).has_value());
        auto const missed = co_await credits::check_credits(client, books, few);
        BOOST_TEST(missed.size() > 7u);
    };
    ground.run(play());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
