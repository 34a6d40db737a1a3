// The small pure decisions: verdicts, schedules, retries, ratios, targets, options.
#include <boost/test/unit_test.hpp>

#include "bench/options.hpp"
#include "bench/ratios.hpp"
#include "bench/retry.hpp"
#include "bench/schedule.hpp"
#include "bench/target.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

Response response(int status, std::string_view body = {}) {
    Response r;
    r.status = status;
    r.body = body;
    return r;
}

BOOST_AUTO_TEST_SUITE(verdict)

BOOST_AUTO_TEST_CASE(only_what_was_certainly_not_applied_is_refused) {
    BOOST_CHECK(judge(response(201), 201) == Verdict::accepted);
    BOOST_CHECK(judge(response(200), 201) == Verdict::wrong);
    BOOST_CHECK(judge(response(302), 201) == Verdict::wrong);
    BOOST_CHECK(judge(response(429, R"({"code":"rate_limited"})"), 201) == Verdict::refused);
    BOOST_CHECK(judge(response(503, R"({"code":"overloaded"})"), 201) == Verdict::refused);
    BOOST_CHECK(judge(response(503, R"({"code":"unavailable"})"), 201) == Verdict::unclear);
    BOOST_CHECK(judge(response(503), 201) == Verdict::unclear);
    BOOST_CHECK(judge(response(504, R"({"code":"deadline_exceeded"})"), 201) == Verdict::unclear);
    BOOST_CHECK(judge(response(500, R"({"code":"internal"})"), 201) == Verdict::unclear);
    BOOST_CHECK(judge(response(402, R"({"code":"insufficient_funds"})"), 201) == Verdict::wrong);
    BOOST_CHECK(judge(response(409, R"({"code":"idempotency_in_flight"})"), 201) ==
                Verdict::unclear);
    BOOST_CHECK(judge(response(409, R"({"code":"ledger_exists"})"), 201) == Verdict::wrong);
    // A load may be there to be refused.
    BOOST_CHECK(judge(response(409, R"({"code":"sold_out"})"), 409) == Verdict::accepted);
    BOOST_CHECK(judge(response(409, R"({"code":"idempotency_in_flight"})"), 409) ==
                Verdict::unclear);
    BOOST_CHECK(judge(response(201), 409) == Verdict::wrong);
}

BOOST_AUTO_TEST_CASE(members_are_found_in_compact_and_in_spaced_json) {
    std::string_view const body =
        R"({"from":"amount","amount": 12,"to":"bob","next_cursor":"abc","n":{"x":5}})";
    BOOST_TEST(has_integer(body, "amount", 12));
    BOOST_TEST(!has_integer(body, "amount", 1));
    BOOST_TEST(!has_integer(body, "amount", 120));
    BOOST_TEST(!has_integer(R"({"amount":12.5})", "amount", 12));
    BOOST_TEST(has_text(body, "to", "bob"));
    BOOST_TEST(!has_text(body, "to", "bo"));
    BOOST_TEST(!has_text(body, "to", "bobby"));
    BOOST_TEST(text_member(body, "next_cursor") == "abc");
    BOOST_TEST(text_member(R"({"next_cursor":null})", "next_cursor").empty());
    BOOST_TEST(problem_code("<html>") == "?");
    BOOST_TEST(integer_member(body, "amount").value() == 12);
    BOOST_TEST(integer_member(R"({"a":"amount","amount":-7})", "amount").value() == -7);
    BOOST_TEST(!integer_member(R"({"amount":1.5})", "amount").has_value());
    BOOST_TEST(!integer_member(body, "from").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(arrivals_are_evenly_spaced_and_end_with_the_slice) {
    SteadyTime const start{};
    SteadyTime const end = start + milliseconds{10};
    Schedule s(start, end, 500);  // every 2 ms
    BOOST_CHECK(s.take() == start);
    BOOST_CHECK(s.take() == start + milliseconds{2});
    BOOST_TEST(s.left() == 3u);
    for (int i = 0; i < 3; ++i) BOOST_CHECK(s.take() < end);
    BOOST_CHECK(s.take() == end);
    BOOST_TEST(s.taken() == 5u);
    BOOST_TEST(s.left() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(retry)

BOOST_AUTO_TEST_CASE(a_retry_is_not_before_retry_after_and_not_beyond_twice_that) {
    Random random(1);
    for (int i = 0; i < 1000; ++i) {
        auto const asked = retry_delay(1, 3u, random);
        BOOST_REQUIRE(asked >= milliseconds{3000} && asked <= milliseconds{6000});
        auto const first = retry_delay(1, std::nullopt, random);
        BOOST_REQUIRE(first >= milliseconds{25} && first <= milliseconds{50});
        auto const late = retry_delay(1000, std::nullopt, random);
        BOOST_REQUIRE(late >= milliseconds{1600} && late <= milliseconds{4000});
        BOOST_REQUIRE(retry_delay(1, 4'000'000'000u, random) <= milliseconds{120'000});
        BOOST_REQUIRE(retry_delay(1, 0u, random) >= milliseconds{25});
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ratios)

Stats stats_of(std::vector<std::uint64_t> const& accepted) {
    Stats stats;
    for (auto const count : accepted) {
        auto& slice = stats.slices.emplace_back();
        slice.seconds = 2;
        slice.accepted = slice.units = count;
        if (count > 0) slice.latency.record(1'000'000'000 / count);
    }
    return stats;
}

BOOST_AUTO_TEST_CASE(ratios_are_taken_pair_by_pair) {
    auto const ratios = compare(stats_of({400, 100, 900}), stats_of({100, 100, 300}));
    BOOST_TEST(ratios.pairs == 3u);
    BOOST_TEST(ratios.throughput.min == 1.0);
    BOOST_TEST(ratios.throughput.median == 3.0);
    BOOST_TEST(ratios.throughput.max == 4.0);
    BOOST_TEST(ratios.throughput_of_all > 2.79);
    BOOST_TEST(ratios.throughput_of_all < 2.81);
    BOOST_TEST(ratios.p50.max == 1.0);
}

BOOST_AUTO_TEST_CASE(a_pair_without_answers_is_left_out_and_nothing_divides_by_zero) {
    BOOST_TEST(compare(stats_of({100, 0}), stats_of({50, 50})).pairs == 1u);
    BOOST_TEST(compare(stats_of({}), stats_of({})).throughput.median == 0.0);
    BOOST_TEST(spread_of({1, 2, 3, 10}).median == 2.5);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(target)

BOOST_AUTO_TEST_CASE(targets_are_plain_http_with_host_and_port) {
    auto const plain = Target::parse("http://127.0.0.1:8080/");
    BOOST_REQUIRE(plain.has_value());
    BOOST_TEST(plain->host == "127.0.0.1");
    BOOST_TEST(plain->port == "8080");
    BOOST_TEST(plain->authority == "127.0.0.1:8080");
    auto const six = Target::parse("http://[::1]:99");
    BOOST_REQUIRE(six.has_value());
    BOOST_TEST(six->host == "::1");
    BOOST_TEST(six->port == "99");
    BOOST_TEST(Target::parse("http://name").value().port == "80");
    for (auto const* const bad :
         {"https://x", "127.0.0.1:80", "http://", "http://x:0", "http://x:70000", "http://x:y",
          "http://x/path", "http://:80", "http://u@x", "http://x\r\nA: b"}) {
        BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!Target::parse(bad).has_value()); }
    }
}

BOOST_AUTO_TEST_CASE(a_post_carries_a_key_a_length_and_the_credentials) {
    auto target = *Target::parse("http://h:1");
    target.api_key = "secret";
    Random random(1);
    std::string first = "old";
    PostRoute const route(target, "/v1/x");
    route.write(first, "{}", random);
    BOOST_TEST(first.starts_with("POST /v1/x HTTP/1.1\r\nHost: h:1\r\n"));
    BOOST_TEST(first.find("Authorization: Bearer secret\r\n") != std::string::npos);
    BOOST_TEST(first.ends_with("\r\nContent-Length: 2\r\n\r\n{}"));
    std::string second;
    route.write(second, "{}", random);
    BOOST_TEST(first != second);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(the_scenario_comes_first_and_the_rest_has_defaults) {
    auto const o = parse_options({"bulk", "--batch", "100", "--target=http://x:1", "--rate=2.5"});
    BOOST_REQUIRE(o.has_value());
    BOOST_TEST(o->scenario == "bulk");
    BOOST_TEST(o->batch == 100u);
    BOOST_TEST(o->rate == 2.5);
    BOOST_TEST(o->connections == 64u);
    BOOST_TEST(!parse_options({"--help"}).has_value());
    BOOST_TEST(help_text().find("--against") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    using Arguments = std::vector<std::string>;
    for (Arguments const& bad :
         {Arguments{},
          Arguments{"nothing"},
          Arguments{"bulk", "bulk"},
          Arguments{"bulk", "--batch=0"},
          Arguments{"bulk", "--batch=10001"},
          Arguments{"bulk", "--connections=0"},
          Arguments{"bulk", "--connections=-1"},
          Arguments{"bulk", "--duration=nan"},
          Arguments{"bulk", "--rate=-1"},
          Arguments{"bulk", "--pattern=odd"},
          Arguments{"bulk", "--unknown"},
          Arguments{"bulk", "--target=x"},
          Arguments{"bulk", "--against=ftp://x"},
          Arguments{"bulk", "--accounts=1"},
          Arguments{"retail"},
          Arguments{"bulk", "--timeout-ms=0"},
          Arguments{"bulk", "--conn=5"},
          Arguments{"transfers", "--pattern=author"},
          Arguments{"purchases", "--pattern=hot"},
          Arguments{"purchases", "--pattern=platform", "--ledgers=2"},
          Arguments{"flat"},
          Arguments{"replays", "--repeat=1.1"},
          Arguments{"replays", "--repeat-against=-1"},
          Arguments{"retail", "--input=x", "--as=gifts"},
          Arguments{"sale", "--load=few"},
          Arguments{"sale", "--limit=0"},
          Arguments{"sale", "--early=1.5"},
          Arguments{"sale", "--users=0"},
          Arguments{"sale", "--spread-ms=0"},
          Arguments{"sale", "--against=http://x"},
          Arguments{"sale", "--rate=5"},
          Arguments{"sale", "--load=accepted", "--chaos", "--fault=true"},
          Arguments{"credits", "--drain=newest"},
          Arguments{"credits", "--spend=1.1"},
          Arguments{"credits", "--short-lived=-1"},
          Arguments{"credits", "--lifetime=0"},
          Arguments{"credits", "--pattern=author"},
          Arguments{"credits", "--chaos", "--fault=true"},
          Arguments{"credits-wide", "--width=30001"},
          Arguments{"credits-wide", "--connections=2"},
          Arguments{"export"},
          Arguments{"purchases", "--chaos"},
          Arguments{"bulk", "--chaos", "--fault=true"},
          Arguments{"purchases", "--chaos", "--server=serve"},
          Arguments{"purchases", "--chaos", "--fault=true", "--rounds=0"},
          Arguments{"purchases", "--chaos", "--fault=true", "--rate=5"},
          Arguments{"purchases", "--chaos", "--fault=true", "--against=http://x"}}) {
        BOOST_CHECK_THROW(parse_options(bad), BadOptions);
    }
}

BOOST_AUTO_TEST_CASE(what_may_be_several_is_a_list) {
    auto const o = parse_options({"replays", "--against=http://a", "--against", "http://b",
                                  "--repeat=1", "--repeat-against=0", "--as=transfers"});
    BOOST_TEST(o->against == (std::vector<std::string>{"http://a", "http://b"}),
               boost::test_tools::per_element());
    BOOST_TEST(o->repeat == 1.0);
    BOOST_TEST(o->repeat_against.value() == 0.0);
    BOOST_CHECK(o->as == As::transfers);
    auto const s = parse_options({"sale", "--load=refused", "--against=http://a", "--paid"});
    BOOST_CHECK(s->sale.load == SaleLoad::refused);
    BOOST_TEST(s->sale.paid);
    auto const p = parse_options({"credits", "--drain=expiration", "--spend=1"});
    BOOST_CHECK(p->credits.drain == Drain::expiration);
    BOOST_TEST(p->credits.spend == 1.0);
    BOOST_TEST(parse_options({"credits-wide"})->connections == 1u);
    auto const c = parse_options({"purchases", "--chaos", "--server", "serve --listen {listen}",
                                  "--server=again {listen}", "--fault=one", "--fault=two"});
    BOOST_TEST(c->chaos.on);
    BOOST_TEST(c->chaos.servers.size() == 2u);
    BOOST_TEST(c->chaos.faults.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
