// Loads of hot ledgers against a server in memory, well-behaved and not.
#include <boost/test/unit_test.hpp>
#include <map>

#include "bench/chaos/chaos.hpp"
#include "bench/run.hpp"
#include "tests/bench/support/complaints.hpp"
#include "tests/bench/support/mock_server.hpp"

namespace penstock::bench {
namespace {

using tests::all_text;
using tests::Mischief;
using tests::MockServer;

Options options_for(MockServer const& server) {
    Options options;
    options.scenario = "hot";
    options.target = server.url();
    options.connections = 8;
    options.accounts = 50;
    options.batch = 1;
    options.warmup_s = 0;
    options.requests = 400;
    options.settle_s = 0.3;
    return options;
}

RunResult run_against(Mischief mischief) {
    MockServer const server(mischief);
    return run(options_for(server));
}

std::map<std::string, std::string> figures_of(ArmResult const& arm) {
    return {arm.figures.begin(), arm.figures.end()};
}

chaos::ChaosResult round_against(Mischief mischief) {
    MockServer const server(mischief);
    auto options = options_for(server);
    options.timeout = std::chrono::milliseconds(2000);
    options.chaos.on = true;
    options.chaos.rounds = 1;
    options.chaos.faults = {"true"};
    return chaos::run_chaos(options);
}

BOOST_AUTO_TEST_SUITE(hot_against_a_mock, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(a_ledger_that_comes_home_is_sound_alone_and_in_bulk_by_every_pattern) {
    for (auto const pattern : {Pattern::uniform, Pattern::zipf, Pattern::hot}) {
        for (unsigned const batch : {1U, 20U}) {
            MockServer const server;
            auto options = options_for(server);
            options.pattern = pattern;
            options.batch = batch;
            options.requests = batch == 1 ? 400 : 100;
            options.ledgers = 2;
            auto const result = run(options);
            BOOST_TEST(all_text(result) == "");
            BOOST_TEST(result.sound());
            auto const& arm = result.arms[0];
            BOOST_TEST(arm.stats.accepted() == options.requests);
            BOOST_TEST(arm.stats.units() == options.requests * batch);
            auto figures = figures_of(arm);
            for (auto const* what : {"journal lag", "to be synced", "all home after the load"})
                BOOST_TEST(!figures[what].empty(), what);
            BOOST_TEST(table(result).find("journal lag, oldest") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(it_is_compared_with_durable_ledgers_of_the_same_server) {
    MockServer const server;
    auto options = options_for(server);
    options.against = {server.url()};
    options.requests = 0;
    options.duration_s = 0.6;
    options.slice_s = 0.2;
    auto const result = run(options);
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_REQUIRE(result.comparisons.size() == 1U);
    BOOST_TEST(result.comparisons[0].ratios.pairs == 3U);
    BOOST_TEST(!result.arms[0].figures.empty());
    BOOST_TEST(result.arms[1].figures.empty());
    BOOST_TEST(table(result).find("against durable ledgers") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(answers_that_are_lost_are_asked_for_again) {
    auto const result =
        run_against({.lose_answer_every = 40, .drop_request_every = 70, .unavailable_every = 90});
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.resolved > 10U);
}

BOOST_AUTO_TEST_CASE(what_does_not_come_home_or_is_lost_on_the_way_is_found) {
    auto const stuck = run_against({.hot = {.never_home = true}});
    BOOST_TEST(all_text(stuck).find("does not come home: 1 items") != std::string::npos);
    auto const lost = run_against({.hot = {.lose_one = true}});
    BOOST_TEST(all_text(lost).find("total of transfer: expected") != std::string::npos);
    auto const buried = run_against({.hot = {.dead_letters = 3}});
    BOOST_TEST(all_text(buried).find("dead letters: 3") != std::string::npos);
    for (auto const& result : {stuck, lost, buried}) BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(a_post_that_is_not_shown_at_once_is_found) {
    auto const result = run_against({.hot = {.forget_posts = true}});
    BOOST_TEST(all_text(result).find("at once: expected") != std::string::npos);
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(one_forgotten_transfer_is_found_at_once_and_at_home) {
    auto const result = run_against({.forget_every = 399});
    BOOST_TEST(all_text(result).find("at once: expected") != std::string::npos);
    BOOST_TEST(all_text(result).find("total of transfer: expected") != std::string::npos);
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_say_how_far_it_is_cannot_be_checked) {
    auto const result = run_against({.hot = {.silent = true}});
    BOOST_TEST(all_text(result).find("cannot be checked") != std::string::npos);
    BOOST_TEST(figures_of(result.arms[0]).contains("looks that failed"));
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(rounds_of_faults_on_hot_ledgers_find_what_was_lost_and_nothing_else) {
    auto const kept =
        round_against({.lose_answer_every = 50, .drop_request_every = 70, .unavailable_every = 90});
    BOOST_TEST(all_text(kept) == "");
    BOOST_TEST(kept.sound());
    auto const& j = kept.total.judgement;
    BOOST_TEST(j.acknowledged > 100U);
    BOOST_TEST(j.refused > 0U);
    BOOST_TEST(j.unanswered > 0U);
    BOOST_TEST(kept.total.crew.replays_compared > 50U);
    auto const lost = round_against({.forget_every = 50});
    BOOST_TEST(lost.total.judgement.lost > 0U);
    BOOST_TEST(!lost.sound());
    auto const doubled = round_against({.double_every = 50});
    BOOST_TEST(doubled.total.judgement.doubled > 0U);
    BOOST_TEST(!doubled.sound());
    auto const stuck = round_against({.hot = {.never_home = true}});
    BOOST_TEST(all_text(stuck).find("does not come home") != std::string::npos);
    BOOST_TEST(!stuck.sound());
}

BOOST_AUTO_TEST_CASE(one_transfer_in_a_request_unless_more_are_asked_for) {
    BOOST_TEST(parse_options({"hot"})->batch == 1U);
    BOOST_TEST(parse_options({"hot", "--batch", "20"})->batch == 20U);
    BOOST_TEST(parse_options({"bulk"})->batch == 500U);
    BOOST_CHECK_THROW(parse_options({"hot", "--settle", "0"}), BadOptions);
    BOOST_CHECK_THROW(parse_options({"hot", "--pattern", "author"}), BadOptions);
    BOOST_TEST(parse_options({"hot", "--chaos", "--fault", "true"})->chaos.on);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
