// Whole spikes against a server in memory: one that keeps its word, and some that do not.
#include "bench/sale/spike.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/bench/support/mock_server.hpp"

namespace penstock::bench::sale {
namespace {

using tests::Mischief;
using tests::MockServer;

Options spike_on(MockServer const& server) {
    Options options;
    options.scenario = "sale";
    options.target = server.url();
    options.connections = 16;
    options.timeout = std::chrono::milliseconds(2000);
    options.sale.users = 300;
    options.sale.stock = 50;
    options.sale.spread_ms = 300;
    options.sale.bot_attempts = 20;
    return options;
}

SpikeResult spike_against(Mischief mischief, std::int64_t stock = 50) {
    MockServer const server(mischief);
    auto options = spike_on(server);
    options.sale.stock = stock;
    return play_spike(options);
}

std::string all_text(SpikeResult const& result) {
    std::string text;
    for (auto const* const texts :
         {&result.faults, &result.judgement.off, &result.judgement.requests.details}) {
        for (auto const& line : *texts) text += line + "\n";
    }
    return text;
}

BOOST_AUTO_TEST_SUITE(sale_spike, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(a_crowd_gets_what_there_is_and_everybody_is_told) {
    for (bool const paid : {false, true}) {
        MockServer const server;
        auto options = spike_on(server);
        options.sale.paid = paid;
        auto const result = play_spike(options);
        BOOST_TEST(all_text(result) == "");
        BOOST_TEST(result.sound());
        BOOST_TEST(result.judgement.sold == 50);
        BOOST_TEST(result.accepted.count() == 50u);
        BOOST_TEST(result.refused.count() > 200u);
        BOOST_TEST(result.early.count() > 10u);
        BOOST_TEST(result.bots.count() > 60u);
        BOOST_TEST(result.undecided == 0u);
        BOOST_TEST(result.answers.at("403 sale_not_started") >= result.early.count());
        BOOST_CHECK(result.decided >= result.last_accepted);
        BOOST_CHECK(result.last_accepted.count() > 0);
        std::uint64_t arrived = 0;
        std::uint64_t accepted = 0;
        for (auto const& moment : result.moments) {
            arrived += moment.arrived;
            accepted += moment.accepted;
        }
        BOOST_TEST(arrived == result.arrivals);
        BOOST_TEST(accepted == 50u);
    }
}

BOOST_AUTO_TEST_CASE(more_units_than_users_want_are_not_sold) {
    MockServer const server;
    auto options = spike_on(server);
    options.sale.stock = 10'000;
    options.sale.per_user_limit = 2;
    options.sale.quantity_max = 3;
    auto const result = play_spike(options);
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.answers.at("409 purchase_limit_reached") > 0u);
}

BOOST_AUTO_TEST_CASE(lost_answers_are_asked_for_again) {
    auto const result = spike_against(
        {.lose_answer_every = 20, .drop_request_every = 30, .overload_every = 25}, 500);
    BOOST_TEST(all_text(result) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.undecided > 10u);
    BOOST_TEST(result.resolved == result.undecided);
    BOOST_TEST(result.judgement.requests.unanswered > 5u);
    BOOST_TEST(result.unclear.at("503 overloaded") > 5u);
}

BOOST_AUTO_TEST_CASE(a_server_that_breaks_its_word_is_found) {
    auto const found = [](Mischief mischief, std::int64_t stock = 50) {
        auto const result = spike_against(mischief, stock);
        BOOST_TEST(!result.sound());
        return result.judgement;
    };
    BOOST_TEST(found({.sales = {.sell_without_end = true}}).over_sold > 100);
    BOOST_TEST(found({.sales = {.no_limit = true}}, 5000).over_limit > 0u);
    BOOST_TEST(found({.forget_every = 100}, 500).requests.lost > 0u);
    BOOST_TEST(found({.double_every = 100, .sales = {.no_limit = true}}, 500).requests.doubled >
               0u);
    BOOST_TEST(found({.sales = {.hidden_units = 7}}).off.front() ==
               "sold are 43, but stock and demand make 50");
    BOOST_TEST(found({.sales = {.gate_ahead = 1}}).off.size() == 1u);
    auto const early = spike_against({.sales = {.open_early = true}});
    BOOST_TEST(early.faults.front().starts_with("an order from before the start"));
}

BOOST_AUTO_TEST_CASE(the_reports_say_the_same_and_need_nothing_from_outside) {
    auto const result = spike_against({});
    auto const json = boost::json::parse(to_json(result));
    BOOST_TEST(json.at("sound").as_bool());
    BOOST_TEST(json.at("sold").to_number<int>() == 50);
    BOOST_TEST(json.at("accepted").at("count").to_number<int>() == 50);
    auto const page = to_html(result);
    BOOST_TEST(page.find("<svg") != std::string::npos);
    for (auto const* const foreign : {"src=", "href=", "url(", "@import", "<script"}) {
        BOOST_TEST(page.find(foreign) == std::string::npos);
    }
    BOOST_TEST(table(result).find("everybody was told") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_spike_compares_no_servers) {
    MockServer const server;
    auto options = spike_on(server);
    options.against = {server.url()};
    BOOST_CHECK_THROW(play_spike(options), BadOptions);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::sale
