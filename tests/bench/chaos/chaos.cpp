// Whole rounds against a server in memory that misbehaves, and against processes that are killed:
// the oracle must find what was lost and what was doubled, and must not mistake a fault that the
// contract allows for one of them.
#include "bench/chaos/chaos.hpp"

#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>

#include "bench/chaos/process.hpp"
#include "tests/bench/support/complaints.hpp"
#include "tests/bench/support/mock_server.hpp"
#include "tests/support/run.hpp"

namespace penstock::bench::chaos {
namespace {

using tests::all_text;
using tests::Mischief;
using tests::MockServer;

Options one_round(MockServer const& server, std::string scenario, std::string fault) {
    Options options;
    options.scenario = std::move(scenario);
    options.target = server.url();
    options.connections = 8;
    options.timeout = std::chrono::milliseconds(2000);
    options.chaos.on = true;
    options.chaos.rounds = 1;
    options.chaos.faults = {std::move(fault)};
    return options;
}

ChaosResult rounds_against(Mischief mischief, std::string scenario = "purchases",
                           std::string fault = "true") {
    MockServer const server(mischief);
    return run_chaos(one_round(server, std::move(scenario), std::move(fault)));
}

/// 400 users for 100 units: sold out; for 1000 units: the rest is bought at the end.
ChaosResult sale_against(Mischief mischief, std::int64_t stock = 100) {
    MockServer const server(mischief);
    auto options = one_round(server, "sale", "true");
    options.sale.users = 400;
    options.sale.stock = stock;
    options.sale.per_user_limit = 2;
    options.sale.quantity_max = 2;
    options.sale.bot_attempts = 10;
    options.sale.paid = stock > 400;
    return run_chaos(options);
}

/// "of 5 units that were left 2 could be bought": 3.
int held_back_by(std::string const& difference) {
    std::vector<int> numbers;
    std::istringstream words(difference);
    for (std::string word; words >> word;)
        if (word.find_first_not_of("0123456789") == word.npos) numbers.push_back(std::stoi(word));
    return numbers.size() == 2 ? numbers[0] - numbers[1] : -1;
}

BOOST_AUTO_TEST_SUITE(chaos, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(a_server_that_keeps_its_word_is_found_sound_in_spite_of_lost_answers) {
    for (auto const* const scenario : {"purchases", "transfers"}) {
        BOOST_TEST_CONTEXT(scenario) {
            auto const result = rounds_against(
                {.lose_answer_every = 50, .drop_request_every = 70, .unavailable_every = 90},
                scenario);
            BOOST_TEST(all_text(result) == "");
            BOOST_TEST(result.sound());
            auto const& j = result.total.judgement;
            BOOST_TEST(j.acknowledged > 100u);
            BOOST_TEST(j.refused > 0u);
            BOOST_TEST(j.unanswered > 0u);
            BOOST_TEST(result.total.crew.replays_compared > 50u);
            BOOST_TEST(result.total.crew.unusable.count() > 0);
            BOOST_TEST(result.faults.at("true") >= 1u);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sale_is_sold_to_the_last_unit_in_spite_of_lost_answers) {
    for (std::int64_t const stock : {100, 1000}) {
        auto const result = sale_against(
            {.lose_answer_every = 50, .drop_request_every = 70, .unavailable_every = 90}, stock);
        BOOST_TEST(all_text(result) == "");
        BOOST_TEST(result.sound());
        auto const& sales = result.total.sales;
        BOOST_TEST(sales.stock == stock + sales.restocked);
        BOOST_TEST(sales.sold == sales.stock);
        BOOST_TEST(sales.cancelled > 0u);
        BOOST_TEST(sales.restocked > 0);
        if (stock > 400) BOOST_TEST(sales.rest > 0);
        BOOST_TEST(result.total.judgement.unanswered > 0u);
        BOOST_TEST(result.total.crew.replays_compared > 30u);
        BOOST_TEST(table(result).find("over-sold") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(what_a_sale_forgets_oversells_or_holds_back_is_found) {
    auto const forgotten = sale_against({.forget_every = 50}, 1000);
    BOOST_TEST(forgotten.total.judgement.lost > 0u);
    auto const oversold = sale_against({.sales = {.sell_without_end = true}});
    BOOST_TEST(oversold.total.sales.over_sold > 100);
    auto const above = sale_against({.sales = {.no_limit = true}}, 1000);
    BOOST_TEST(above.total.sales.over_limit > 0u);
    auto const held_back = sale_against({.sales = {.hidden_units = 3}});
    BOOST_TEST(held_back_by(held_back.total.off.front()) == 3);
    auto const ahead = sale_against({.sales = {.gate_ahead = 1}});
    BOOST_TEST(!ahead.total.off.empty());
    auto const kept = sale_against({.sales = {.keep_cancelled_units = true}});
    BOOST_TEST(!kept.total.off.empty());
    for (auto const& result : {forgotten, oversold, above, held_back, ahead, kept})
        BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_and_forgotten_is_lost) {
    auto const result = rounds_against({.forget_every = 50});
    BOOST_TEST(result.total.judgement.lost > 0u);
    BOOST_TEST(result.total.judgement.doubled == 0u);
    BOOST_TEST(!result.total.off.empty());
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(what_was_done_twice_is_doubled) {
    auto const result = rounds_against({.double_every = 50}, "transfers");
    BOOST_TEST(result.total.judgement.doubled > 0u);
    BOOST_TEST(result.total.judgement.lost == 0u);
    BOOST_TEST(!result.total.off.empty());
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(a_replay_of_other_bytes_is_found) {
    auto const result = rounds_against({.garble_replays = true});
    BOOST_TEST(result.total.crew.replays_different > 50u);
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(a_fault_that_cannot_be_dealt_is_said) {
    auto const result = rounds_against({}, "transfers", "false");
    BOOST_TEST(!result.surprises.empty());
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(the_table_and_the_json_say_the_same) {
    auto const result = rounds_against({}, "transfers");
    auto const json = boost::json::parse(to_json(result));
    BOOST_TEST(json.at("sound").as_bool());
    BOOST_TEST(json.at("lost").to_number<int>() == 0);
    auto const acknowledged = std::to_string(json.at("acknowledged").to_number<int>());
    BOOST_TEST(table(result).find(acknowledged) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(process, *boost::unit_test::timeout(60))

std::optional<int> outcome_of(Process& process) {
    std::optional<int> outcome;
    tests::run([&]() -> asio::awaitable<void> {
        outcome = co_await process.ended(steady_now() + std::chrono::seconds(20));
    });
    return outcome;
}

BOOST_AUTO_TEST_CASE(a_process_tells_how_it_ended) {
    Process failing("failing", "sh -c 'exit 7'");
    failing.start();
    BOOST_TEST(outcome_of(failing).value() == 7);
    BOOST_TEST(failing.ended_by_itself());
    BOOST_TEST(!failing.running());
}

BOOST_AUTO_TEST_CASE(what_was_killed_did_not_end_by_itself_and_can_be_started_again) {
    Process sleeper("sleeper", "sleep 60");
    for (int i = 0; i < 2; ++i) {
        sleeper.start();
        BOOST_TEST(sleeper.running());
        sleeper.signal(SIGKILL);
        BOOST_TEST(outcome_of(sleeper).value() == 128 + SIGKILL);
        BOOST_TEST(!sleeper.ended_by_itself());
    }
}

BOOST_AUTO_TEST_CASE(what_is_frozen_still_runs) {
    Process sleeper("sleeper", "sleep 60");
    sleeper.start();
    sleeper.signal(SIGSTOP);
    BOOST_TEST(sleeper.running());
    sleeper.signal(SIGCONT);
    BOOST_TEST(sleeper.running());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::chaos
