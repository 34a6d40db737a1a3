// Whole runs against a server in memory, well-behaved and not: the oracle must know the
// difference, and faults that the contract allows must not be mistaken for lost money.
#include "bench/run.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <map>

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
    options.connections = 8;
    options.accounts = 50;
    options.warmup_s = 0;
    options.requests = 400;
    options.timeout = std::chrono::milliseconds(5000);
    options.history = 300;
    options.batch = 20;
    options.input = PENSTOCK_SOURCE_DIR "/tests/bench/fixtures/retail.tsv";
    return options;
}

RunResult run_against(Mischief mischief, std::string scenario = "transfers") {
    MockServer const server(mischief);
    return run(options_for(server, std::move(scenario)));
}

BOOST_AUTO_TEST_SUITE(run_against_a_mock, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(every_scenario_ends_sound_on_a_server_that_keeps_its_word) {
    for (auto const* const scenario :
         {"transfers", "bulk", "reads", "retail", "purchases", "replays"}) {
        BOOST_TEST_CONTEXT(scenario) {
            auto const result = run_against({}, scenario);
            BOOST_TEST(result.sound());
            BOOST_TEST(all_text(result.arms[0]) == "");
            auto const expected = result.options.scenario == "retail" ? 25u : 400u;
            BOOST_TEST(result.arms[0].stats.accepted() == expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_patterns_keep_the_books_over_several_ledgers) {
    MockServer const server;
    for (auto const pattern : {Pattern::zipf, Pattern::hot}) {
        auto options = options_for(server, "transfers");
        options.pattern = pattern;
        options.ledgers = 3;
        auto const result = run(options);
        BOOST_TEST(result.sound());
    }
}

BOOST_AUTO_TEST_CASE(one_forgotten_transfer_is_found) {
    auto const result = run_against({.forget_every = 399});
    BOOST_TEST(!result.sound());
    BOOST_TEST(result.arms[0].off.size() >= 3u);  // a total and two balances
}

BOOST_AUTO_TEST_CASE(an_answer_about_another_amount_is_a_fault) {
    auto const result = run_against({.wrong_amount_every = 100});
    BOOST_TEST(result.arms[0].stats.fault_count == 4u);
    BOOST_TEST(result.arms[0].off.empty());
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(a_refusal_that_the_load_never_deserves_makes_the_run_unsound) {
    auto const result = run_against({.refuse_every = 50});
    BOOST_TEST(result.arms[0].stats.wrong.at("402 insufficient_funds") == 8u);
    BOOST_TEST(result.arms[0].off.empty());
    BOOST_TEST(!result.sound());
}

BOOST_AUTO_TEST_CASE(shed_load_is_counted_and_is_not_a_fault) {
    auto const result = run_against({.overload_every = 10});
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.refused.at("503 overloaded") == 40u);
    BOOST_TEST(result.arms[0].stats.accepted() == 360u);
}

BOOST_AUTO_TEST_CASE(unanswered_requests_are_sent_again_under_their_key_and_counted_once) {
    auto const result =
        run_against({.lose_answer_every = 40, .drop_request_every = 70, .unavailable_every = 90});
    BOOST_TEST(all_text(result.arms[0]) == "");
    BOOST_TEST(result.sound());
    auto const& stats = result.arms[0].stats;
    BOOST_TEST(stats.resolved > 10u);
    BOOST_TEST(stats.unresolved == 0u);
}

BOOST_AUTO_TEST_CASE(silence_ends_at_the_deadline_and_is_resolved) {
    MockServer const server({.silent_every = 100});
    auto options = options_for(server, "transfers");
    options.timeout = std::chrono::milliseconds(300);
    auto const result = run(options);
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.unclear.at("timed out") >= 4u);
}

BOOST_AUTO_TEST_CASE(a_replay_finishes_in_spite_of_faults) {
    auto const result = run_against({.lose_answer_every = 3,
                                     .drop_request_every = 7,
                                     .overload_every = 4,
                                     .unavailable_every = 5},
                                    "retail");
    BOOST_TEST(all_text(result.arms[0]) == "");
    BOOST_TEST(result.sound());
    BOOST_TEST(result.arms[0].stats.accepted() == 25u);
}

BOOST_AUTO_TEST_CASE(a_shop_is_replayed_as_purchases_or_as_transfers_with_known_figures) {
    for (auto const as : {As::purchases, As::transfers}) {
        MockServer const server;
        auto options = options_for(server, "retail");
        options.as = as;
        auto const result = run(options);
        BOOST_TEST(result.sound());
        std::map<std::string, std::string> figures(result.arms[0].figures.begin(),
                                                   result.arms[0].figures.end());
        BOOST_TEST(figures["purchases"] == "22 for 41780, as expected");
        BOOST_TEST(figures["refunds"] == "3 for 4590, as expected");
        bool const royalties = as == As::purchases;
        // 70 % of 41780 - 4590, product by product, and what is left of each.
        BOOST_TEST(figures["products together"] ==
                   (royalties ? "26030, as expected" : "37190, as expected"));
        BOOST_TEST(figures["@platform"] == (royalties ? "11160, as expected" : ""));
        BOOST_TEST(figures["fractions, in 1/100 pence"] == (royalties ? "300, as expected" : ""));
    }
}

BOOST_AUTO_TEST_CASE(patterns_of_purchases_keep_the_books) {
    for (auto const pattern : {Pattern::uniform, Pattern::author, Pattern::platform}) {
        MockServer const server;
        auto options = options_for(server, "purchases");
        options.pattern = pattern;
        if (pattern == Pattern::uniform) options.ledgers = 3;
        BOOST_TEST(run(options).sound());
    }
}

BOOST_AUTO_TEST_CASE(a_forgotten_and_a_doubled_purchase_are_found) {
    auto const forgotten = run_against({.forget_every = 399}, "purchases");
    BOOST_TEST(forgotten.arms[0].off.size() >= 5u);  // three totals, three balances, a fraction
    auto const doubled = run_against({.double_every = 399}, "purchases");
    BOOST_TEST(doubled.arms[0].off.size() >= 5u);
}

BOOST_AUTO_TEST_CASE(replays_are_compared_byte_by_byte) {
    for (bool const garbled : {false, true}) {
        MockServer const server({.garble_replays = garbled});
        auto options = options_for(server, "replays");
        options.requests = 1500;
        options.repeat = 0.9;
        auto const result = run(options);
        BOOST_TEST(result.sound() == !garbled);
        auto const& routes = result.arms[0].stats.routes;
        BOOST_TEST(routes[0].accepted + routes[1].accepted == 1500u);
        BOOST_TEST(routes[1].accepted > 1000u);
        BOOST_TEST((result.arms[0].stats.fault_count > 1000u) == garbled);
    }
}

BOOST_AUTO_TEST_CASE(what_must_stay_flat_is_measured_on_a_ledger_that_is_there) {
    MockServer const server({.unlimited_credit = true});
    auto past = options_for(server, "retail");
    past.ledger = "flat";
    past.as = As::transfers;
    BOOST_TEST(run(past).sound());
    auto options = options_for(server, "flat");
    options.ledger = "flat";
    options.connections = 1;
    options.requests = 60;
    auto const result = run(options);
    BOOST_TEST(all_text(result.arms[0]) == "");
    BOOST_TEST(result.sound());
    for (auto const& route : result.arms[0].stats.routes) BOOST_TEST(route.accepted == 10u);
    options.ledger = "missing";
    BOOST_CHECK_THROW(run(options), Unusable);
}

/// Two pieces, the second one short.
constexpr tests::ExportMischief two_pieces{.rows = 200'000};

Options options_of_export(MockServer const& server) {
    auto options = options_for(server, "export");
    options.ledger = "long";
    options.connections = 1;
    options.requests = 5;
    return options;
}

RunResult run_export(tests::ExportMischief mischief) {
    MockServer const server({.exports = mischief});
    return run(options_of_export(server));
}

BOOST_AUTO_TEST_CASE(an_export_is_awaited_and_fetched_piece_by_piece) {
    for (unsigned const connections : {1U, 3U}) {
        MockServer const server({.exports = two_pieces});
        auto options = options_of_export(server);
        options.connections = connections;
        auto const result = run(options);
        auto const& arm = result.arms[0];
        BOOST_TEST(all_text(arm) == "");
        BOOST_TEST(result.sound());
        BOOST_TEST(arm.stats.accepted() == 5U);
        // 200,000 rows of 100 bytes and the header; the first piece of 16 MiB three times.
        BOOST_TEST(arm.stats.units() == 3U * 167'772U + 2U * 32'227U);
        std::map<std::string, std::string> figures(arm.figures.begin(), arm.figures.end());
        BOOST_TEST(figures["rows in the file"] == "200000");
        BOOST_TEST(figures["bytes in the file"] == "20000010");
        for (auto const* what : {"written in", "rows written", "fetched in", "rows to the client"})
            BOOST_TEST(!figures[what].empty(), what);
        BOOST_TEST(table(result).find("GET download (16 MiB)") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_export_with_a_row_less_or_a_piece_that_is_cut_is_found) {
    auto dropped = two_pieces;
    dropped.drop_a_row = true;
    auto const without_a_row = run_export(dropped);
    BOOST_TEST(!without_a_row.sound());
    BOOST_TEST(all_text(without_a_row.arms[0]) == "200000 lines for 200000 rows\n");
    auto cut = two_pieces;
    cut.cut_pieces = true;
    auto const with_cuts = run_export(cut);
    BOOST_TEST(!with_cuts.sound());
    BOOST_TEST(with_cuts.arms[0].stats.fault_count == 5U);
    auto whole = two_pieces;
    whole.ignore_ranges = true;
    auto const without_ranges = run_export(whole);
    BOOST_TEST(!without_ranges.sound());
    BOOST_TEST(without_ranges.arms[0].stats.wrong.at("200 ?") == 5U);
}

BOOST_AUTO_TEST_CASE(an_export_that_fails_or_has_nothing_in_it_is_unusable) {
    BOOST_CHECK_THROW(run_export({.rows = 10, .fail = true}), Unusable);
    BOOST_CHECK_THROW(run_export({}), Unusable);
}

BOOST_AUTO_TEST_CASE(a_replay_into_a_ledger_that_is_not_empty_starts_from_what_is_there) {
    MockServer const server;
    auto options = options_for(server, "retail");
    options.ledger = "shop";
    BOOST_TEST(run(options).sound());
    BOOST_TEST(run(options).sound());
}

BOOST_AUTO_TEST_CASE(orders_that_are_all_accepted_keep_the_books_of_every_product) {
    for (bool const paid : {false, true}) {
        MockServer const server({.lose_answer_every = 40, .unavailable_every = 90});
        auto options = options_for(server, "sale");
        options.sale.load = SaleLoad::accepted;
        options.sale.products = 3;
        options.sale.users = 20;
        options.sale.paid = paid;
        auto const result = run(options);
        BOOST_TEST(all_text(result.arms[0]) == "");
        BOOST_TEST(result.sound());
        BOOST_TEST(result.arms[0].stats.resolved > 5u);
        BOOST_TEST(table(result).find("units sold") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(one_forgotten_and_one_doubled_order_are_found) {
    for (Mischief const& mischief :
         {Mischief{.forget_every = 399}, Mischief{.double_every = 399}}) {
        MockServer const server(mischief);
        auto options = options_for(server, "sale");
        options.sale.load = SaleLoad::accepted;
        auto const result = run(options);
        BOOST_TEST(!result.sound());
        BOOST_TEST(!result.arms[0].off.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_is_sold_out_is_compared_with_the_plainest_answer_of_the_same_server) {
    MockServer const server;
    auto options = options_for(server, "sale");
    options.sale.load = SaleLoad::refused;
    options.requests = 0;
    options.duration_s = 0.4;
    options.slice_s = 0.1;
    auto const result = run(options);
    BOOST_TEST(all_text(result.arms[0]) == "");
    BOOST_TEST(result.sound());
    BOOST_REQUIRE(result.arms.size() == 2u);
    BOOST_TEST(result.arms[0].stats.routes[0].label == "POST orders (sold out)");
    BOOST_TEST(result.arms[1].stats.routes[0].label == "GET /healthz");
    BOOST_TEST(result.arms[0].stats.accepted() > 0u);
    BOOST_TEST(result.comparisons[0].ratios.throughput.median > 0.0);
}

BOOST_AUTO_TEST_CASE(a_sale_that_sells_what_is_sold_out_is_unsound) {
    MockServer const server({.sales = {.sell_without_end = true}});
    auto options = options_for(server, "sale");
    options.sale.load = SaleLoad::refused;
    options.requests = 50;
    auto const result = run(options);
    BOOST_TEST(!result.sound());
    BOOST_TEST(result.arms[0].stats.wrong.at("201 ?") == 50u);
}

BOOST_AUTO_TEST_CASE(an_open_loop_sends_what_is_due) {
    MockServer const server;
    auto options = options_for(server, "transfers");
    options.requests = 0;
    options.duration_s = 0.5;
    options.rate = 400;
    auto const result = run(options);
    BOOST_TEST(result.sound());
    auto const& stats = result.arms[0].stats;
    BOOST_TEST(stats.scheduled == 200u);
    BOOST_TEST(stats.accepted() + stats.not_sent == 200u);
}

BOOST_AUTO_TEST_CASE(two_servers_take_turns_and_are_compared_pair_by_pair) {
    MockServer const target;
    MockServer const against;
    auto options = options_for(target, "transfers");
    options.against = {against.url()};
    options.requests = 0;
    options.duration_s = 0.6;
    options.slice_s = 0.2;
    auto const result = run(options);
    BOOST_TEST(result.sound());
    BOOST_REQUIRE(result.arms.size() == 2u);
    BOOST_TEST(result.arms[0].stats.slices.size() == 3u);
    BOOST_TEST(result.arms[1].stats.slices.size() == 3u);
    BOOST_REQUIRE(result.comparisons.size() == 1u);
    BOOST_TEST(result.comparisons[0].ratios.pairs == 3u);
    BOOST_TEST(result.comparisons[0].ratios.throughput.median > 0.1);
}

BOOST_AUTO_TEST_CASE(the_reports_say_the_same_and_need_nothing_from_outside) {
    auto const result = run_against({}, "reads");
    auto const json = boost::json::parse(to_json(result));
    BOOST_TEST(json.at("sound").as_bool());
    BOOST_TEST(json.at("arms").at(0).at("accepted").to_number<int>() == 400);
    auto const page = to_html(result);
    BOOST_TEST(page.find("<svg") != std::string::npos);
    for (auto const* const foreign : {"src=", "href=", "url(", "@import", "<script"}) {
        BOOST_TEST(page.find(foreign) == std::string::npos);
    }
    BOOST_TEST(table(result).find("GET totals") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there_is_unusable_not_a_crash) {
    std::string gone;
    {
        MockServer const server;
        gone = server.url();
    }
    Options options;
    options.scenario = "retail";
    options.input = "/nonexistent";
    options.target = gone;
    BOOST_CHECK_THROW(run(options), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
