// What must be found when a sale is off, and what must not be taken for it.
#include "bench/sale/books.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "bench/sale/payments.hpp"
#include "bench/sale/upkeep.hpp"
#include "bench/sale/view.hpp"

namespace penstock::bench::sale {
namespace {

using Told = SaleBooks::Told;

constexpr char const* start = "2026-11-21T09:00:00.000Z";
constexpr char const* later = "2026-11-21T09:00:00.500Z";

Terms terms_of(std::int64_t stock, std::int64_t limit) {
    Terms terms;
    terms.product = "p";
    terms.price = 10;
    terms.stock = stock;
    terms.per_user_limit = limit;
    terms.starts_at = start;
    return terms;
}

std::string answer(std::uint32_t attempt, std::string user, std::int64_t quantity = 1,
                   std::string created_at = later) {
    boost::json::object const order{{"id", "o" + std::to_string(attempt)},
                                    {"product_id", "p"},
                                    {"user", user},
                                    {"quantity", quantity},
                                    {"unit_price", 10},
                                    {"total", 10 * quantity},
                                    {"status", "completed"},
                                    {"metadata", {{"attempt", attempt}}},
                                    {"created_at", created_at}};
    return boost::json::serialize(order);
}

Response response(int status, std::string_view body) {
    Response r;
    r.status = status;
    r.body = body;
    return r;
}

/// Three users and two units: the first two have one each, the third was too late.
struct Fixture {
    SaleBooks books{terms_of(2, 1)};
    SeenSale seen;

    Fixture() {
        for (std::uint32_t user = 0; user < 3; ++user) books.begin(user, 1);
        for (std::uint32_t user = 0; user < 2; ++user) sell(user, "user:" + std::to_string(user));
        BOOST_TEST(!books.refuse(2, Refusal::sold_out, Told::nothing).has_value());
        seen.stock = 2;
        count();
    }

    void sell(std::uint32_t attempt, std::string const& user) {
        BOOST_TEST(!books.acknowledge(attempt, answer(attempt, user)).has_value());
        show(answer(attempt, user));
    }
    void show(std::string const& order) {
        seen.orders.push_back(order_of(boost::json::parse(order)));
    }
    void count() {
        seen.sold = static_cast<std::int64_t>(seen.orders.size());
        seen.remaining = seen.stock - seen.sold;
        seen.gate.sold = seen.sold;
        seen.gate.remaining = seen.remaining;
    }
    SaleJudgement judge() const { return books.judge(seen, Returns::none); }
};

std::string first_of(std::vector<std::string> const& texts) {
    return texts.empty() ? "" : texts.front();
}

BOOST_FIXTURE_TEST_SUITE(sale_books, Fixture)

BOOST_AUTO_TEST_CASE(a_sale_that_went_well_is_sound) {
    auto const judgement = judge();
    BOOST_TEST(first_of(judgement.off) == "");
    BOOST_TEST(judgement.sound());
    BOOST_TEST(judgement.requests.acknowledged == 2u);
    BOOST_TEST(judgement.requests.refused == 1u);
    BOOST_TEST(judgement.sold == 2);
    BOOST_TEST(books.demand() == 3);
}

BOOST_AUTO_TEST_CASE(an_order_that_is_gone_is_lost) {
    seen.orders.pop_back();
    count();
    auto const judgement = judge();
    BOOST_TEST(judgement.requests.lost == 1u);
    BOOST_TEST(!judgement.sound());
}

BOOST_AUTO_TEST_CASE(an_order_too_many_is_over_sold_and_above_the_limit) {
    auto again = answer(1, "user:1");
    again.replace(again.find("\"o1\""), 4, "\"o9\"");
    show(again);
    count();
    auto const judgement = judge();
    BOOST_TEST(judgement.requests.doubled == 1u);
    BOOST_TEST(judgement.over_sold == 1);
    BOOST_TEST(judgement.over_limit == 1u);
    BOOST_TEST(!judgement.sound());
}

BOOST_AUTO_TEST_CASE(an_order_of_somebody_who_was_refused_is_a_phantom) {
    show(answer(2, "user:2"));
    count();
    BOOST_TEST(judge().requests.phantom == 1u);
    seen.orders.back().attempt.reset();
    BOOST_TEST(judge().requests.phantom == 1u);
}

BOOST_AUTO_TEST_CASE(an_order_of_another_content_than_acknowledged_is_found) {
    seen.orders[0] = order_of(boost::json::parse(answer(0, "user:0", 1, start)));
    BOOST_TEST(first_of(judge().off).starts_with("an order of another content"));
}

BOOST_AUTO_TEST_CASE(figures_that_do_not_add_up_are_found) {
    seen.sold = 1;
    BOOST_TEST(judge().off.size() == 4u);  // orders, remaining, gate, demand
}

BOOST_AUTO_TEST_CASE(a_gate_that_differs_or_still_keeps_something_back_is_found) {
    for (auto const& change : {SeenGate{2, 1, 0, 0, false}, SeenGate{2, 0, 1, 0, false},
                               SeenGate{2, 0, 0, 1, false}, SeenGate{1, 0, 0, 0, false}}) {
        seen.gate = change;
        BOOST_TEST(first_of(judge().off).starts_with("the gate says"));
    }
    seen.gate = SeenGate{2, 0, std::nullopt, 0, false};
    BOOST_TEST(judge().sound());
}

BOOST_AUTO_TEST_CASE(a_unit_that_nobody_got_though_somebody_wanted_it_is_found) {
    seen.stock = 3;
    books = SaleBooks(terms_of(3, 1));
    for (std::uint32_t user = 0; user < 3; ++user) books.begin(user, 1);
    for (std::uint32_t user = 0; user < 2; ++user)
        books.acknowledge(user, answer(user, "user:" + std::to_string(user)));
    books.refuse(2, Refusal::sold_out, Told::nothing);
    count();
    auto const judgement = judge();
    BOOST_REQUIRE(judgement.off.size() == 2u);
    BOOST_TEST(judgement.off[0] == "sold are 2, but stock and demand make 3");
    BOOST_TEST(judgement.off[1].starts_with("refused as sold out, with 1 left"));
    // Where units may have come back later, it is nobody's fault.
    BOOST_TEST(books.judge(seen, Returns::some).sound());
}

BOOST_AUTO_TEST_CASE(a_limit_that_was_not_reached_is_found) {
    books.refuse(2, Refusal::limit_reached, Told::nothing);
    BOOST_TEST(first_of(judge().off).starts_with("refused for a limit that is not reached"));
}

BOOST_AUTO_TEST_CASE(without_an_answer_to_the_end_is_not_sound) {
    books.lost(2);
    auto const judgement = judge();
    BOOST_TEST(judgement.requests.unresolved == 1u);
    BOOST_TEST(judgement.requests.unanswered == 1u);
    BOOST_TEST(!judgement.sound());
}

BOOST_AUTO_TEST_CASE(what_is_answered_after_all_is_counted_once) {
    books.lost(0);  // its second request; the first was acknowledged
    BOOST_TEST(judge().sound());
    books.lost(2);
    books.refuse(2, Refusal::sold_out, Told::nothing);
    BOOST_TEST(judge().sound());
    BOOST_TEST(judge().requests.unanswered == 2u);
}

BOOST_AUTO_TEST_CASE(a_repetition_says_the_same_and_is_never_refused) {
    BOOST_TEST(!books.acknowledge(0, answer(0, "user:0")).has_value());
    BOOST_TEST(books.acknowledge(0, answer(0, "user:0", 1, start)).has_value());
    BOOST_CHECK(books.told(0) == Told::acknowledged);
    BOOST_TEST(books.refuse(0, Refusal::sold_out, Told::acknowledged).has_value());
    // Sent before the other one was answered: it may have been decided first.
    BOOST_TEST(!books.refuse(0, Refusal::sold_out, Told::nothing).has_value());
    BOOST_CHECK(books.at(0).fate == Fate::acknowledged);
}

BOOST_AUTO_TEST_CASE(an_answer_about_another_order_is_a_fault) {
    auto const fault = [&](std::string body) {
        SaleBooks fresh(terms_of(2, 1));
        fresh.begin(0, 1);
        return fresh.acknowledge(0, body).value_or("");
    };
    BOOST_TEST(fault(answer(0, "user:0")) == "");
    BOOST_TEST(fault(answer(0, "user:1")) != "");
    BOOST_TEST(fault(answer(1, "user:0")) != "");
    BOOST_TEST(fault(answer(0, "user:0", 2)) != "");
    auto const early = fault(answer(0, "user:0", 1, "2026-11-21T08:59:59.999Z"));
    BOOST_TEST(early.starts_with("an order from before the start"));
}

BOOST_AUTO_TEST_CASE(a_cancelled_order_keeps_its_content_and_counts_no_more) {
    auto cancelled = answer(0, "user:0");
    cancelled.replace(cancelled.find("completed"), 9, "cancelled");
    seen.orders[0] = order_of(boost::json::parse(cancelled));
    seen.sold = 1;
    seen.remaining = 1;
    seen.gate = SeenGate{1, 0, 1, 0, false};
    auto const unasked = books.judge(seen, Returns::some);
    BOOST_TEST(first_of(unasked.off).starts_with("cancelled, and nobody asked for it"));
    books.cancelled(0);
    BOOST_TEST(books.judge(seen, Returns::some).sound());
}

BOOST_AUTO_TEST_CASE(what_the_shop_was_told_is_so) {
    Upkeep upkeep;
    Act cancel;
    cancel.attempt = 0;
    auto const cancelling = upkeep.begin(cancel);
    Act restock;
    restock.kind = Act::Kind::restock;
    restock.quantity = 3;
    auto const restocking = upkeep.begin(restock);
    Judgement before;
    upkeep.judge(before);
    BOOST_TEST(before.unresolved == 2u);

    auto cancelled = answer(0, "user:0");
    cancelled.replace(cancelled.find("completed"), 9, "cancelled");
    auto const product = R"({"id":"p","stock":5})";
    upkeep.lost(cancelling);
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(!upkeep.acknowledge(cancelling, cancelled, books).has_value());
        BOOST_TEST(!upkeep.acknowledge(restocking, product, books).has_value());
    }
    BOOST_TEST(upkeep.cancelled() == 1u);
    BOOST_TEST(upkeep.restocked() == 3);
    Judgement after;
    upkeep.judge(after);
    BOOST_TEST(after.sound());
    BOOST_TEST(after.acknowledged == 2u);
    BOOST_TEST(after.unanswered == 1u);

    BOOST_TEST(first_of(books.judge(seen, Returns::some).off)
                   .starts_with("cancelled, and still completed"));
    seen.orders[0] = order_of(boost::json::parse(cancelled));
    seen.sold = 1;
    seen.remaining = 1;
    seen.gate = SeenGate{1, 0, 1, 0, false};
    BOOST_TEST(first_of(books.judge(seen, Returns::some).off) == "the stock is 2, not 5");
    seen.stock = 5;
    seen.remaining = 4;
    seen.gate = SeenGate{1, 0, 4, 0, false};
    BOOST_TEST(books.judge(seen, Returns::some).sound());
}

BOOST_AUTO_TEST_CASE(what_the_shop_is_told_must_be_what_it_asked_for) {
    Upkeep upkeep;
    auto const fault = [&](Act::Kind kind, std::string const& first, std::string const& second) {
        Act act;
        act.kind = kind;
        auto const number = upkeep.begin(act);
        auto found = upkeep.acknowledge(number, first, books);
        if (!found && !second.empty()) found = upkeep.acknowledge(number, second, books);
        return found.value_or("");
    };
    BOOST_TEST(fault(Act::Kind::cancel, R"({"id":"o0","status":"completed"})", "") != "");
    BOOST_TEST(fault(Act::Kind::cancel, R"({"id":"o1","status":"cancelled"})", "") != "");
    BOOST_TEST(fault(Act::Kind::restock, R"({"id":"q"})", "") != "");
    auto const other = fault(Act::Kind::restock, R"({"id":"p"})", R"({"id":"p","stock":1})");
    BOOST_TEST(other.starts_with("a repetition of a restock"));
}

BOOST_AUTO_TEST_CASE(refusals_are_known_by_status_and_code) {
    BOOST_CHECK(refusal_of(response(403, R"({"code":"sale_not_started"})")) ==
                Refusal::not_started);
    BOOST_CHECK(refusal_of(response(409, R"({"code":"sold_out"})")) == Refusal::sold_out);
    BOOST_CHECK(refusal_of(response(409, R"({"code":"purchase_limit_reached"})")) ==
                Refusal::limit_reached);
    BOOST_TEST(!refusal_of(response(403, R"({"code":"sold_out"})")).has_value());
    BOOST_TEST(!refusal_of(response(409, R"({"code":"idempotency_in_flight"})")).has_value());
}

BOOST_AUTO_TEST_CASE(payments_and_orders_say_the_same) {
    std::vector<SeenPurchase> purchases{{"user:0", "seller", 10, 7, 3, true},
                                        {"user:1", "seller", 10, 7, 3, true}};
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").empty());
    purchases[0].price = 11;
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").size() == 2u);
    purchases[0] = purchases[1];
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").size() == 2u);
    purchases[0] = {"user:0", "thief", 10, 7, 3, true};
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").size() == 1u);
    purchases[0] = {"user:0", "seller", 10, 7, 3, false};
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").size() == 2u);
    seen.orders[0].completed = false;
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").empty());
    seen.orders[0].total = 0;
    purchases.erase(purchases.begin());
    BOOST_TEST(compare_payments(seen.orders, purchases, "seller").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench::sale
