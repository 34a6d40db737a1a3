// Loads of payment streams against a server in memory, well-behaved and not.
#include <boost/test/unit_test.hpp>

#include "bench/ground.hpp"
#include "bench/run.hpp"
#include "bench/scenario.hpp"
#include "tests/bench/support/complaints.hpp"
#include "tests/bench/support/mock_server.hpp"

namespace penstock::bench {
namespace {

using tests::all_text;
using tests::Mischief;
using tests::MockServer;

constexpr unsigned streams = 20;

Options options_for(MockServer const& server) {
    Options options;
    options.scenario = "streams";
    options.target = server.url();
    options.connections = 8;
    options.accounts = streams;
    options.warmup_s = 0;
    options.requests = 400;
    return options;
}

RunResult run_against(Mischief mischief) {
    MockServer const server(mischief);
    return run(options_for(server));
}

/// Of one arm, whatever each request was.
std::uint64_t accepted_by(RunResult const& result, std::string const& route) {
    for (auto const& one : result.arms[0].stats.routes)
        if (one.label == route) return one.accepted;
    BOOST_FAIL("no such route");
    return 0;
}

BOOST_AUTO_TEST_SUITE(streams_against_a_mock, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(withdrawals_and_settlements_over_several_ledgers_end_sound) {
    for (unsigned const ledgers : {1U, 3U}) {
        MockServer const server;
        auto options = options_for(server);
        options.ledgers = ledgers;
        options.requests = 2'000;
        auto const result = run(options);
        BOOST_TEST(all_text(result) == "");
        BOOST_TEST(result.sound());
        BOOST_TEST(result.arms[0].stats.accepted() == 2'000U);
        // One in fifty is settled; each of those is made and started anew.
        auto const settled = accepted_by(result, "POST settle");
        BOOST_TEST(settled > 10U);
        BOOST_TEST(accepted_by(result, "POST withdraw") > 1'700U);
        BOOST_TEST(accepted_by(result, "POST streams") <= settled);
        BOOST_TEST(table(result).find("streams settled") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(requests_without_an_answer_are_counted_once) {
    auto const result =
        run_against({.lose_answer_every = 40, .drop_request_every = 70, .unavailable_every = 90});
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.resolved > 10U);
}

BOOST_AUTO_TEST_CASE(shed_load_leaves_nothing_behind) {
    auto const result = run_against({.overload_every = 10});
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.refused.at("503 overloaded") == 40U);
}

BOOST_AUTO_TEST_CASE(forgotten_and_doubled_actions_are_found) {
    BOOST_TEST(!run_against({.forget_every = 20}).arms[0].off.empty());
    BOOST_TEST(!run_against({.double_every = 20}).arms[0].off.empty());
}

BOOST_AUTO_TEST_CASE(another_amount_in_an_answer_is_a_fault) {
    auto const result = run_against({.wrong_amount_every = 1});
    BOOST_TEST(result.arms[0].stats.fault_count > 300U);
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(an_escrow_that_is_off_is_found_although_the_totals_are_right) {
    auto const result = run_against({.streams = {.pay_from_sender = true}});
    BOOST_TEST(all_text(result).find("the sum of the escrow") != std::string::npos);
    BOOST_TEST(all_text(result).find("stream_withdrawal") == std::string::npos);
    BOOST_TEST(!result.sound());
}

/// A run in which so many streams are settled as a mistake in it needs to show.
std::string settled_wrongly(tests::StreamMischief mischief) {
    MockServer const server({.streams = mischief});
    auto options = options_for(server);
    options.requests = 2'000;
    auto const result = run(options);
    BOOST_TEST(accepted_by(result, "POST settle") > 0U);
    BOOST_TEST(!result.sound());
    return all_text(result);
}

BOOST_AUTO_TEST_CASE(a_refund_other_than_what_had_not_vested_is_found) {
    auto const short_of_one = settled_wrongly({.keep_back = true});
    BOOST_TEST(short_of_one.find("stream_refund amount") != std::string::npos);
    auto const too_much = settled_wrongly({.refund_all = true});
    BOOST_TEST(too_much.find("refunded something else") != std::string::npos);
}

/// A scenario whose streams have been set up, in the hand of the test.
struct Prepared {
    explicit Prepared(MockServer const& server) : ground(options_for(server)) {
        ScenarioContext context;
        context.target = ground.target();
        context.options = options_for(server);
        context.run_id = "run";
        scenario = make_scenario(std::move(context));
        Client client(ground.executor(), ground.sweeper(), ground.endpoint(), ground.target(), 1);
        ground.run(scenario->setup(client));
    }

    /// The next call of that route; calls of others are acknowledged, or have failed.
    Call next(std::string const& route) {
        auto const routes = scenario->routes();
        for (int i = 0; i < 100'000; ++i) {
            Call call;
            BOOST_REQUIRE((scenario->next(call) == Next::ready));
            if (routes[call.route] == route) return call;
            BOOST_REQUIRE(routes[call.route] == "POST withdraw");
            scenario->on_failure(call);
        }
        BOOST_FAIL("there is none");
        return {};
    }

    std::optional<std::string> answer(Call const& call, std::string_view body) const {
        Response response;
        response.status = call.expected_status;
        response.body = body;
        return scenario->on_answer(call, response);
    }

    Ground ground;
    std::unique_ptr<Scenario> scenario;
};

BOOST_AUTO_TEST_CASE(what_was_refused_is_done_again_so_that_as_many_streams_run) {
    MockServer const server;
    Prepared prepared(server);
    auto& scenario = *prepared.scenario;
    BOOST_TEST(scenario.available() == streams);
    auto const settle = prepared.next("POST settle");
    BOOST_TEST(scenario.available() == streams);
    scenario.on_failure(settle);
    BOOST_TEST(scenario.available() == streams);
    auto const settled = prepared.next("POST settle");
    std::string const refund = R"({"vested":1000,"refunded":999999999000})";
    BOOST_TEST(!prepared.answer(settled, refund));
    auto const create = prepared.next("POST streams");
    scenario.on_failure(create);
    BOOST_TEST(scenario.available() == streams);
    auto const created = prepared.next("POST streams");
    BOOST_TEST(!prepared.answer(created, R"({"id":"s77"})"));
    auto const start = prepared.next("POST start");
    BOOST_TEST(start.bytes.find("/streams/s77/start ") != std::string::npos);
    scenario.on_failure(start);
    BOOST_TEST(scenario.available() == streams);
    auto const started = prepared.next("POST start");
    BOOST_TEST(started.bytes.find("/streams/s77/start ") != std::string::npos);
    BOOST_TEST(!prepared.answer(started, R"({"status":"active"})"));
    for (auto const& [name, value] : scenario.figures())
        if (name == "streams running") BOOST_TEST(value == std::to_string(streams));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
