// Do purchases, refunds and holds keep their rules over HTTP, on either store, and do holds end by
// themselves?
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

std::string text(json::object const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

std::int64_t number(json::object const& object, char const* name) {
    return object.at(name).as_int64();
}

std::string purchase_body(std::string const& buyer, std::string const& author, long price) {
    return R"({"buyer":")" + buyer + R"(","author":")" + author + R"(","price":)" +
           std::to_string(price) + "}";
}

HttpAnswer buy(Api& api, std::string const& ledger, std::string const& buyer,
               std::string const& author, long price, std::string const& key = fresh("key")) {
    return api.post(ledger + "/purchases", purchase_body(buyer, author, price), key);
}

HttpAnswer act(Api& api, std::string const& ledger, std::string const& what, std::string const& id,
               std::string const& action, std::string const& body = "{}",
               std::string const& key = fresh("key")) {
    return api.post(ledger + "/" + what + "/" + id + "/" + action, body, key);
}

std::string new_market(Api& api, long money = 1'000'000) {
    auto ledger = api.new_ledger();
    for (auto const* name : {"buyer", "author", "other"}) api.new_account(ledger, name);
    BOOST_TEST_REQUIRE(api.deposit(ledger, "buyer", money).status == 201);
    return ledger;
}

HttpAnswer hold(Api& api, std::string const& ledger, long amount, std::string const& more = "") {
    return api.post(ledger + "/holds", R"({"from":"buyer","to":"author","amount":)" +
                                           std::to_string(amount) + more + "}");
}

std::int64_t total(Api& api, std::string const& ledger, char const* kind, char const* what) {
    return api.totals(ledger).at(kind).as_object().at(what).as_int64();
}

BOOST_AUTO_TEST_SUITE(wallets, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_purchase_is_shared_between_author_and_platform, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api);
    auto const answer = api.post(
        ledger + "/purchases",
        R"({"buyer":"buyer","author":"author","price":99,"reference":"o-1","metadata":{"a":1}})");
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    auto const made = answer.document().as_object();
    BOOST_TEST(number(made, "author_amount") == 69);
    BOOST_TEST(number(made, "platform_amount") == 30);
    BOOST_TEST(number(made, "royalty_percent") == 70);
    BOOST_TEST(text(made, "status") == "completed");
    BOOST_TEST(text(made, "reference") == "o-1");
    BOOST_TEST(number(api.account(ledger, "author"), "fraction") == 30);
    BOOST_TEST(api.balance(ledger, "@platform") == 30);
    auto const shown = api.get(ledger + "/purchases/" + text(made, "id"));
    BOOST_TEST(shown.body == answer.body);
    BOOST_TEST(total(api, ledger, "purchase", "amount") == 99);
    BOOST_TEST(total(api, ledger, "royalty_author", "amount") == 69);
    BOOST_TEST(total(api, ledger, "royalty_platform", "amount") == 30);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_prices_1_to_1000_the_author_gets_350350, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api);
    auto const answers = at_once(Store::server(), 20, [&](Api& own, std::size_t place) {
        HttpAnswer last;
        for (long i = 1; i <= 50; ++i) {
            last = buy(own, ledger, "buyer", "author", static_cast<long>(place) * 50 + i);
            if (last.status != 201) break;
        }
        return last;
    });
    BOOST_TEST(count(answers, 201) == 20U);
    BOOST_TEST(api.balance(ledger, "author") == 350'350);
    BOOST_TEST(api.balance(ledger, "@platform") == 150'150);
    BOOST_TEST(number(api.account(ledger, "author"), "fraction") == 0);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_purchase_is_refused_in_the_documented_order, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 100);
    BOOST_TEST(buy(api, ledger, "x", "x", 0).code() == "invalid_request");
    BOOST_TEST(buy(api, ledger, "x", "x", 1).code() == "self_purchase");
    BOOST_TEST(buy(api, ledger, "x", "y", 101).status == 404U);
    BOOST_TEST(buy(api, ledger, "buyer", "y", 101).code() == "account_not_found");
    BOOST_TEST(buy(api, ledger, "buyer", "author", 101).status == 402U);
    BOOST_TEST(buy(api, ledger, "@world", "author", 1).status == 400U);
    BOOST_TEST(buy(api, ledger, "@platform", "author", 1).code() == "self_purchase");
    BOOST_TEST(api.balance(ledger, "buyer") == 100);
    BOOST_TEST(total(api, ledger, "purchase", "count") == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refund_happens_once_and_restores_everything, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 1'000);
    auto const bought = buy(api, ledger, "buyer", "author", 333);
    auto const id = text(bought.document().as_object(), "id");
    auto const key = fresh("key");
    auto const back = act(api, ledger, "purchases", id, "refund", "{}", key);
    BOOST_TEST_REQUIRE(back.status == 200, back.body);
    BOOST_TEST(text(back.document().as_object(), "status") == "refunded");
    auto const again = act(api, ledger, "purchases", id, "refund", "{}", key);
    BOOST_TEST(again.body == back.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    auto const twice = act(api, ledger, "purchases", id, "refund");
    BOOST_TEST(twice.status == 409U);
    BOOST_TEST(twice.code() == "already_refunded");
    BOOST_TEST(api.balance(ledger, "buyer") == 1'000);
    BOOST_TEST(api.balance(ledger, "author") == 0);
    BOOST_TEST(total(api, ledger, "refund", "amount") == 333);
    BOOST_TEST(total(api, ledger, "purchase", "amount") == 333);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_purchases_key_replays_the_same_bytes_after_its_refund, Store,
                              Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 1'000);
    auto const key = fresh("key");
    auto const bought = buy(api, ledger, "buyer", "author", 333, key);
    auto const id = text(bought.document().as_object(), "id");
    BOOST_TEST(act(api, ledger, "purchases", id, "refund").status == 200U);
    auto const again = buy(api, ledger, "buyer", "author", 333, key);
    BOOST_TEST(again.status == 201U);
    BOOST_TEST(again.body == bought.body);
    BOOST_TEST(buy(api, ledger, "buyer", "author", 334, key).code() == "idempotency_key_reused");
    BOOST_TEST(api.balance(ledger, "buyer") == 1'000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_author_who_spent_the_money_cannot_refund, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 100);
    auto const id = text(buy(api, ledger, "buyer", "author", 100).document().as_object(), "id");
    BOOST_TEST(api.withdraw(ledger, "author", 1).status == 201U);
    BOOST_TEST(act(api, ledger, "purchases", id, "refund").status == 402U);
    BOOST_TEST(api.deposit(ledger, "author", 1).status == 201U);
    BOOST_TEST(act(api, ledger, "purchases", id, "refund").status == 200U);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(twenty_refunds_of_one_purchase_pay_back_once, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 100);
    auto const id = text(buy(api, ledger, "buyer", "author", 100).document().as_object(), "id");
    auto const answers = at_once(Store::server(), 20, [&](Api& own, std::size_t) {
        return act(own, ledger, "purchases", id, "refund");
    });
    BOOST_TEST(count(answers, 200) == 1U);
    BOOST_TEST(count(answers, 409) == 19U);
    BOOST_TEST(api.balance(ledger, "buyer") == 100);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(purchases_are_listed_by_buyer_and_by_author, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 1'000);
    BOOST_TEST_REQUIRE(api.deposit(ledger, "other", 1'000).status == 201);
    for (long i = 1; i <= 5; ++i) {
        BOOST_TEST(buy(api, ledger, "buyer", "author", i).status == 201U);
        BOOST_TEST(buy(api, ledger, "other", "author", 10 + i).status == 201U);
        BOOST_TEST(buy(api, ledger, "buyer", "other", 20 + i).status == 201U);
    }
    auto const prices = [&](std::string const& query) {
        std::vector<std::int64_t> all;
        for (auto const& item : walk(api, ledger + "/purchases" + query, 2))
            all.push_back(number(item, "price"));
        return all;
    };
    BOOST_TEST(prices("").size() == 15U);
    std::vector<std::int64_t> const by_other{15, 14, 13, 12, 11};
    BOOST_TEST(prices("?buyer=other") == by_other, boost::test_tools::per_element());
    std::vector<std::int64_t> const to_other{25, 24, 23, 22, 21};
    BOOST_TEST(prices("?author=other") == to_other, boost::test_tools::per_element());
    std::vector<std::int64_t> const both{5, 4, 3, 2, 1};
    BOOST_TEST(prices("?buyer=buyer&author=author") == both, boost::test_tools::per_element());
    BOOST_TEST(prices("?buyer=nobody").empty());
    BOOST_TEST(api.get(ledger + "/purchases?cursor=zz").code() == "invalid_cursor");
    BOOST_TEST(api.get(ledger + "/purchases/nothing").code() == "purchase_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hold_reserves_and_its_capture_moves, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 100);
    auto const placed = hold(api, ledger, 60);
    BOOST_TEST_REQUIRE(placed.status == 201, placed.body);
    auto const id = text(placed.document().as_object(), "id");
    BOOST_TEST(text(placed.document().as_object(), "status") == "pending");
    auto const account = api.account(ledger, "buyer");
    BOOST_TEST(number(account, "balance") == 100);
    BOOST_TEST(number(account, "held") == 60);
    BOOST_TEST(number(account, "available") == 40);
    BOOST_TEST(api.withdraw(ledger, "buyer", 41).status == 402U);
    BOOST_TEST(act(api, ledger, "holds", id, "capture", R"({"amount":61})").code() ==
               "over_capture");
    auto const key = fresh("key");
    auto const taken = act(api, ledger, "holds", id, "capture", R"({"amount":25})", key);
    BOOST_TEST_REQUIRE(taken.status == 200, taken.body);
    auto const document = taken.document().as_object();
    BOOST_TEST(text(document, "status") == "captured");
    BOOST_TEST(number(document, "captured_amount") == 25);
    auto const& transfer = document.at("transfer").as_object();
    BOOST_TEST(text(transfer, "kind") == "capture");
    BOOST_TEST(text(transfer, "id") == text(document, "transfer_id"));
    BOOST_TEST(act(api, ledger, "holds", id, "capture", R"({"amount":25})", key).body ==
               taken.body);
    BOOST_TEST(number(api.account(ledger, "buyer"), "available") == 75);
    BOOST_TEST(act(api, ledger, "holds", id, "void").code() == "illegal_transition");
    BOOST_TEST(act(api, ledger, "holds", id, "capture").code() == "illegal_transition");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_twenty_captures_and_voids_of_one_hold_one_ends_it, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 100);
    auto const id = text(hold(api, ledger, 60).document().as_object(), "id");
    auto const answers = at_once(Store::server(), 20, [&](Api& own, std::size_t place) {
        return act(own, ledger, "holds", id, place % 2 ? "capture" : "void");
    });
    BOOST_TEST(count(answers, 200) == 1U);
    BOOST_TEST(count(answers, 409) == 19U);
    BOOST_TEST(number(api.account(ledger, "buyer"), "held") == 0);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_hold_ends_by_itself_when_it_is_due, Store, Stores) {
    Api api(Store::server());
    in_time(1'000, [&](std::int64_t ms) {
        auto const ledger = new_market(api, 100);
        auto const expiry = R"(,"expires_in_s":)" + std::to_string(ms / 1'000);
        auto const id = text(hold(api, ledger, 60, expiry).document().as_object(), "id");
        if (number(api.account(ledger, "buyer"), "held") != 60) return false;
        // Nobody reads the hold: only the account tells.
        await_that([&] { return number(api.account(ledger, "buyer"), "held") == 0; }, "its end");
        auto const ended = api.get(ledger + "/holds/" + id).document().as_object();
        BOOST_TEST(text(ended, "status") == "expired");
        BOOST_TEST(text(ended, "ended_at") >= text(ended, "expires_at"));
        BOOST_TEST(act(api, ledger, "holds", id, "capture").code() == "illegal_transition");
        check_verified(api, ledger);
        return true;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(holds_are_listed_by_account_and_status, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_market(api, 1'000);
    std::vector<std::string> ids;
    for (long i = 1; i <= 6; ++i)
        ids.push_back(text(hold(api, ledger, i).document().as_object(), "id"));
    BOOST_TEST(act(api, ledger, "holds", ids[0], "capture").status == 200U);
    BOOST_TEST(act(api, ledger, "holds", ids[1], "void").status == 200U);
    auto const amounts = [&](std::string const& query) {
        std::vector<std::int64_t> all;
        for (auto const& item : walk(api, ledger + "/holds" + query, 2))
            all.push_back(number(item, "amount"));
        return all;
    };
    std::vector<std::int64_t> const all{6, 5, 4, 3, 2, 1};
    std::vector<std::int64_t> const pending{6, 5, 4, 3};
    std::vector<std::int64_t> const captured{1};
    BOOST_TEST(amounts("") == all, boost::test_tools::per_element());
    BOOST_TEST(amounts("?account=buyer") == all, boost::test_tools::per_element());
    BOOST_TEST(amounts("?account=author") == all, boost::test_tools::per_element());
    BOOST_TEST(amounts("?status=pending") == pending, boost::test_tools::per_element());
    BOOST_TEST(amounts("?account=author&status=captured") == captured,
               boost::test_tools::per_element());
    BOOST_TEST(amounts("?account=other").empty());
    BOOST_TEST(api.get(ledger + "/holds?status=gone").code() == "invalid_request");
}

BOOST_AUTO_TEST_CASE(holds_that_came_due_while_no_server_ran_end_at_the_next_start) {
    Database database;
    std::string ledger;
    std::string id;
    {
        ServerProcess server({"--database-url", url_of(database)});
        Api api(server);
        ledger = new_market(api, 100);
        id = text(hold(api, ledger, 60, R"(,"expires_in_s":1)").document().as_object(), "id");
        server.kill();
    }
    ServerProcess one({"--database-url", url_of(database)});
    ServerProcess two({"--database-url", url_of(database)});
    Api api(two);
    await_that([&] { return number(api.account(ledger, "buyer"), "held") == 0; }, "the end of it");
    BOOST_TEST(text(api.get(ledger + "/holds/" + id).document().as_object(), "status") ==
               "expired");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
