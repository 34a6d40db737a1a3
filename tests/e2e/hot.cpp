// Does a hot ledger answer as a durable one does, at once, and is it all in the database soon?
#include "tests/e2e/hot_ready.hpp"
#include "tests/support/redis_server.hpp"

namespace penstock::tests {
namespace {

/// A server with all that a hot ledger needs.
struct HotServer {
    HotServer() { current = this; }
    HotServer(HotServer&&) = delete;
    ~HotServer() { current = nullptr; }

    Database database;
    RedisServer redis;
    ServerProcess process{{"--database-url", url_of(database), "--redis-url",
                           "unix://" + redis.socket_path(), "--hot-open-wait-ms", "20000",
                           "--hot-wait-ms", "20000"}};

    static inline HotServer* current = nullptr;
};

ServerProcess const& server() { return HotServer::current->process; }

std::string text(json::value const& value, char const* name) {
    return std::string(value.at(name).as_string());
}

std::string new_hot_ledger(Api& api, std::string const& more = "") {
    await_posts(server());
    return api.new_ledger(R"(,"posting":"hot")" + more);
}

std::string new_till(Api& api, long money = 1'000) {
    auto ledger = new_hot_ledger(api);
    for (auto const* name : {"ann", "bob"}) api.new_account(ledger, name);
    auto const in = api.deposit(ledger, "ann", money);
    BOOST_TEST_REQUIRE(in.status == 201U, in.body);
    return ledger;
}

HttpAnswer hold(Api& api, std::string const& ledger, long amount, std::string const& more = "",
                std::string const& key = fresh("key")) {
    return api.post(ledger + "/holds",
                    R"({"from":"ann","to":"bob","amount":)" + std::to_string(amount) + more + "}",
                    key);
}

HttpAnswer act(Api& api, std::string const& hold, std::string const& action,
               std::string const& body = "{}", std::string const& key = fresh("key")) {
    return api.post(hold + '/' + action, body, key);
}

void await_transfer(Api& api, std::string const& ledger, json::value const& transfer) {
    auto const path = ledger + "/transfers/" + text(transfer, "id");
    await_that([&] { return api.get(path).status == 200; }, "the transfer in the database");
}

/// Entries stand for the database: its last one is of the version that the account has.
void await_statement(Api& api, std::string const& ledger, std::string const& address) {
    auto const version = api.account(ledger, address).at("version").as_int64();
    auto const is_there = [&] {
        auto const page = api.get(ledger + "/accounts/" + address + "/entries?limit=1").document();
        auto const& data = page.at("data").as_array();
        return !data.empty() && data.front().at("version").as_int64() == version;
    };
    await_that(is_there, "the entry in the database");
}

BOOST_AUTO_TEST_SUITE(hot, *boost::unit_test::fixture<HotServer>())

BOOST_AUTO_TEST_CASE(money_moves_at_once_and_is_in_the_database_soon) {
    Api api(server());
    auto const ledger = new_till(api);
    BOOST_TEST(text(api.get(ledger).document(), "posting") == "hot");
    BOOST_TEST(api.balance(ledger, "ann") == 1'000);
    auto const paid = api.post(
        ledger + "/transfers",
        R"({"from":"ann","to":"bob","amount":300,"reference":"r-1","metadata":{"a":[1]}})");
    BOOST_TEST_REQUIRE(paid.status == 201U, paid.body);
    BOOST_TEST(api.balance(ledger, "ann") == 700);
    auto const out = api.withdraw(ledger, "bob", 100);
    BOOST_TEST_REQUIRE(out.status == 201U, out.body);
    BOOST_TEST(out.document().at("balance").as_int64() == 200);
    auto const bob = api.account(ledger, "bob");
    BOOST_TEST(bob.at("balance").as_int64() == 200);
    BOOST_TEST(bob.at("version").as_int64() == 2);
    BOOST_TEST(api.balance(ledger, "@world") == -900);
    BOOST_TEST(api.get(ledger + "/accounts/bob").header("penstock-stale") == "");

    await_transfer(api, ledger, out.document());
    auto const shown = api.get(ledger + "/transfers/" + text(paid.document(), "id"));
    BOOST_TEST(shown.body == paid.body);
    auto const totals = api.totals(ledger);
    for (auto const& [kind, amount] :
         {std::pair{"deposit", 1'000}, std::pair{"transfer", 300}, std::pair{"withdrawal", 100}})
        BOOST_TEST(totals.at(kind).at("amount").as_int64() == amount, kind);
    auto const entries = walk(api, ledger + "/accounts/bob/entries", 1);
    BOOST_TEST_REQUIRE(entries.size() == 2U);
    BOOST_TEST(entries.front().at("balance_after").as_int64() == 200);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(what_the_rules_refuse_is_refused_in_their_words) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 101).code() == "insufficient_funds");
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 101).status == 402U);
    BOOST_TEST(api.withdraw(ledger, "bob", 1).status == 402U);
    BOOST_TEST(api.transfer(ledger, "ann", "ann", 1).code() == "self_transfer");
    auto const unknown = api.transfer(ledger, "ann", "eve", 1);
    BOOST_TEST(unknown.code() == "account_not_found");
    BOOST_TEST(text(unknown.document().at("errors").at(0), "pointer") == "/to");
    BOOST_TEST(api.deposit(ledger, "eve", 1).status == 404U);
    BOOST_TEST(api.transfer(ledger, "@world", "ann", 1).status == 400U);
    BOOST_TEST(api.get(ledger + "/accounts/eve").status == 404U);
    BOOST_TEST(api.balance(ledger, "ann") == 100);
    // Balances of hot ledgers stay within what a double counts exactly.
    BOOST_TEST(api.deposit(ledger, "ann", 9'007'199'254'740'991).code() == "amount_overflow");
}

BOOST_AUTO_TEST_CASE(an_overdraft_limit_is_kept) {
    Api api(server());
    auto const ledger = new_hot_ledger(api);
    api.new_account(ledger, "ann", R"(,"overdraft_limit":50)");
    api.new_account(ledger, "bob");
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 51).status == 402U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 50).status == 201U);
    BOOST_TEST(api.balance(ledger, "ann") == -50);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 1).status == 402U);
}

BOOST_AUTO_TEST_CASE(ten_debits_at_once_of_a_fifth_each_are_five) {
    Api api(server());
    auto const ledger = new_till(api, 10'000);
    auto const answers = at_once(server(), 10, [&](Api& own, std::size_t) {
        return own.transfer(ledger, "ann", "bob", 2'000);
    });
    BOOST_TEST(count(answers, 201) == 5U);
    BOOST_TEST(count(answers, 402) == 5U);
    BOOST_TEST(api.balance(ledger, "bob") == 10'000);
    await_statement(api, ledger, "bob");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_request_sent_five_times_at_once_is_done_once) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    auto const key = fresh("key");
    auto const answers = at_once(server(), 5, [&](Api& own, std::size_t) {
        return own.transfer(ledger, "ann", "bob", 20, key);
    });
    BOOST_TEST(count(answers, 201) == 5U);
    for (auto const& answer : answers) BOOST_TEST(answer.body == answers.front().body);
    BOOST_TEST(api.balance(ledger, "bob") == 20);
}

BOOST_AUTO_TEST_CASE(a_hold_is_captured_voided_and_shown_at_once) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    auto const held = hold(api, ledger, 60);
    BOOST_TEST_REQUIRE(held.status == 201U, held.body);
    auto const first = ledger + "/holds/" + text(held.document(), "id");
    BOOST_TEST(api.get(first).body == held.body);
    BOOST_TEST(api.account(ledger, "ann").at("held").as_int64() == 60);
    BOOST_TEST(api.account(ledger, "ann").at("available").as_int64() == 40);
    BOOST_TEST(hold(api, ledger, 41).status == 402U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 41).status == 402U);
    auto const too_much = act(api, first, "capture", R"({"amount":61})");
    BOOST_TEST(too_much.code() == "over_capture");
    auto const captured = act(api, first, "capture", R"({"amount":50})");
    BOOST_TEST_REQUIRE(captured.status == 200U, captured.body);
    BOOST_TEST(text(captured.document(), "status") == "captured");
    BOOST_TEST(captured.document().at("transfer").at("amount").as_int64() == 50);
    BOOST_TEST(act(api, first, "capture").code() == "illegal_transition");
    BOOST_TEST(act(api, first, "void").status == 409U);
    BOOST_TEST(api.balance(ledger, "bob") == 50);
    auto const other = hold(api, ledger, 50);
    auto const second = ledger + "/holds/" + text(other.document(), "id");
    auto const voided = act(api, second, "void");
    BOOST_TEST_REQUIRE(voided.status == 200U, voided.body);
    BOOST_TEST(api.get(second).body == voided.body);
    BOOST_TEST(api.account(ledger, "ann").at("held").as_int64() == 0);
    auto const nobodys = ledger + "/holds/01900000-0000-7000-8000-000000000000";
    BOOST_TEST(act(api, nobodys, "void").code() == "hold_not_found");
    BOOST_TEST(api.get(nobodys).status == 404U);

    auto const are_home = [&] {
        return walk(api, ledger + "/holds?status=captured", 10).size() == 1 &&
               walk(api, ledger + "/holds?status=voided", 10).size() == 1;
    };
    await_that(are_home, "the ends of the holds in the database");
    // What ended is answered alike, wherever it is known.
    BOOST_TEST(act(api, first, "void").code() == "illegal_transition");
    BOOST_TEST(api.get(second).body == voided.body);
    BOOST_TEST(api.totals(ledger).at("capture").at("amount").as_int64() == 50);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_hold_expires_by_itself) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    auto const held = hold(api, ledger, 60, R"(,"expires_in_s":1)");
    BOOST_TEST_REQUIRE(held.status == 201U, held.body);
    auto const path = ledger + "/holds/" + text(held.document(), "id");
    await_that([&] { return text(api.get(path).document(), "status") == "expired"; },
               "the end of the hold");
    BOOST_TEST(api.account(ledger, "ann").at("available").as_int64() == 100);
    BOOST_TEST(act(api, path, "capture").code() == "illegal_transition");
    await_that([&] { return walk(api, ledger + "/holds?status=expired", 10).size() == 1; },
               "the end of the hold in the database");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_bulk_is_all_or_none_or_each_for_itself) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    auto const bulk = [&](std::string const& amounts, bool atomic, std::string const& key) {
        std::string body;
        for (char const c : amounts)
            body += (body.empty() ? "" : ",") + Api::movement("ann", "bob", (c - '0') * 20);
        return api.post(
            ledger + "/transfers/bulk",
            R"({"transfers":[)" + body + R"(],"atomic":)" + (atomic ? "true" : "false") + "}", key);
    };
    auto const all = bulk("23", true, fresh("key"));
    BOOST_TEST(all.status == 200U, all.body);
    auto const none = bulk("1", true, fresh("key"));
    BOOST_TEST(none.status == 422U, none.body);
    BOOST_TEST(none.code() == "bulk_rejected");
    BOOST_TEST(text(none.document().at("errors").at(0), "pointer") == "/transfers/0");
    BOOST_TEST(api.deposit(ledger, "ann", 100).status == 201U);
    auto const key = fresh("key");
    auto const each = bulk("292", false, key);
    BOOST_TEST_REQUIRE(each.status == 200U, each.body);
    auto const results = each.document();
    BOOST_TEST(results.at("accepted").as_int64() == 2);
    BOOST_TEST(results.at("rejected").as_int64() == 1);
    BOOST_TEST(text(results.at("results").at(1).at("error"), "code") == "insufficient_funds");
    BOOST_TEST(api.balance(ledger, "ann") == 20);
    auto again = bulk("292", false, key);
    BOOST_TEST(again.body == each.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    await_transfer(api, ledger, results.at("results").at(2).at("transfer"));
    again = bulk("292", false, key);
    BOOST_TEST(again.body == each.body);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(a_repetition_has_the_same_bytes_before_and_after_the_drain) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    std::vector<std::function<HttpAnswer()>> requests;
    auto const held = hold(api, ledger, 10);
    auto const path = ledger + "/holds/" + text(held.document(), "id");
    std::vector<std::string> keys;
    for (int i = 0; i < 5; ++i) keys.push_back(fresh("key"));
    requests.emplace_back([&] { return api.deposit(ledger, "ann", 5, keys[0]); });
    requests.emplace_back([&] { return api.transfer(ledger, "ann", "bob", 5, keys[1]); });
    requests.emplace_back([&] { return hold(api, ledger, 5, "", keys[2]); });
    requests.emplace_back([&] { return act(api, path, "capture", "{}", keys[3]); });
    requests.emplace_back([&] { return api.withdraw(ledger, "bob", 5, keys[4]); });
    std::vector<HttpAnswer> first;
    for (auto const& request : requests) first.push_back(request());
    auto const check = [&](char const* when) {
        for (std::size_t i = 0; i < requests.size(); ++i) {
            auto const again = requests[i]();
            BOOST_TEST(again.status == first[i].status, when << i << again.body);
            BOOST_TEST(again.body == first[i].body, when << i);
            BOOST_TEST(again.header("idempotent-replayed") == "true", when << i);
        }
    };
    check("at once ");
    await_transfer(api, ledger, first.back().document());
    check("later ");
    BOOST_TEST(api.deposit(ledger, "ann", 6, keys[0]).code() == "idempotency_key_reused");
    BOOST_TEST(api.balance(ledger, "ann") == 90);
    // Drained, so known to the whole organization.
    auto const durable = api.new_ledger();
    api.new_account(durable, "ann");
    BOOST_TEST(api.deposit(durable, "ann", 5, keys[0]).code() == "idempotency_key_reused");
}

BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_whoever_is_paid) {
    Api api(server());
    auto const ledger = new_hot_ledger(api, R"(,"accounts":"implicit")");
    BOOST_TEST(api.deposit(ledger, "ann", 10).status == 201U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 4).status == 201U);
    BOOST_TEST(api.transfer(ledger, "eve", "bob", 4).status == 402U);
    BOOST_TEST(api.transfer(ledger, "bob", "eve", 5).status == 402U);
    BOOST_TEST(api.get(ledger + "/accounts/eve").status == 404U);
    BOOST_TEST(api.balance(ledger, "bob") == 4);
    await_statement(api, ledger, "bob");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(what_a_hot_ledger_does_not_do_is_said) {
    Api api(server());
    auto const ledger = new_till(api);
    auto const in = api.deposit(ledger, "ann", 1).document();
    auto const check = [&](std::string const& path, std::string const& body) {
        auto const answer = api.post(path, body);
        BOOST_TEST(answer.status == 409U, path << ' ' << answer.body);
        BOOST_TEST(answer.code() == "unsupported_on_ledger", path);
    };
    check(ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":1})");
    // Whether the database has it already or not.
    check(ledger + "/transfers/" + text(in, "id") + "/revert", "{}");
    await_transfer(api, ledger, in);
    check(ledger + "/transfers/" + text(in, "id") + "/revert", "{}");
    check(ledger + "/streams", R"({"sender":"ann","recipient":"bob","total":9,"duration_s":9})");
    check(ledger + "/credits/grants",
          R"({"reference":"g","entries":[{"address":"a","amount":1}]})");
    check("/v1/products", R"({"name":"n","price":1,"stock":1,"starts_at":"2026-01-01T00:00:00Z",)"
                          R"("payment":{"ledger":")" +
                              ledger.substr(12) + R"(","seller":"bob"}})");
    check("/v1/ledgers",
          R"({"name":")" + fresh("ledger") +
              R"(","asset":{"code":"P","scale":0},"kind":"credits","posting":"hot"})");
    BOOST_TEST(api.balance(ledger, "ann") == 1'001);
}

BOOST_AUTO_TEST_CASE(a_ledger_is_deleted_when_nothing_is_on_it) {
    Api api(server());
    auto const ledger = new_till(api, 10);
    // It may be a moment until what it has is known.
    await_that([&] { return api.remove(ledger).code() == "ledger_not_empty"; }, "a refusal");
    // It goes on.
    BOOST_TEST(api.withdraw(ledger, "ann", 10).status == 201U);
    await_that([&] { return api.remove(ledger).status == 204; }, "the end of the ledger");
    BOOST_TEST(api.get(ledger).status == 404U);
    BOOST_TEST(api.deposit(ledger, "ann", 1).status == 404U);
}

BOOST_AUTO_TEST_CASE(without_redis_nothing_is_posted_and_what_is_read_may_be_old) {
    Api api(server());
    auto const ledger = new_till(api, 100);
    auto const paid = api.transfer(ledger, "ann", "bob", 30);
    await_transfer(api, ledger, paid.document());
    auto& redis = HotServer::current->redis;
    redis.kill();
    auto const refused = api.transfer(ledger, "ann", "bob", 1);
    BOOST_TEST(refused.status == 503U, refused.body);
    BOOST_TEST(refused.code() == "unavailable");
    BOOST_TEST(refused.header("retry-after") != "");
    auto const shown = api.get(ledger + "/accounts/bob");
    BOOST_TEST(shown.status == 200U);
    BOOST_TEST(shown.header("penstock-stale") == "true");
    BOOST_TEST(shown.document().at("balance").as_int64() == 30);
    // Other ledgers have nothing to do with it.
    auto const durable = api.new_ledger();
    api.new_account(durable, "ann");
    BOOST_TEST(api.deposit(durable, "ann", 1).status == 201U);
    redis.start();
    await_redis(server());
    // Redis came back empty: everything is built anew from the database.
    auto const key = fresh("key");
    await_that([&] { return api.transfer(ledger, "ann", "bob", 1, key).status == 201; },
               "a post after Redis came back");
    BOOST_TEST(api.balance(ledger, "ann") == 69);
    BOOST_TEST(api.get(ledger + "/accounts/bob").header("penstock-stale") == "");
    await_statement(api, ledger, "bob");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE(what_came_of_posts_is_counted) {
    Api api(server());
    auto const before = metric(api, "penstock_hot_posts_total");
    auto const ledger = new_till(api, 100);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 1).status == 201U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 1'000).status == 402U);
    BOOST_TEST(metric(api, "penstock_hot_posts_total") >= before + 3);
    BOOST_TEST(metric(api, "penstock_hot_loads_total") > 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_server_without_redis_keeps_hot_ledgers_for_later) {
    Database const database;
    ServerProcess const alone({"--database-url", url_of(database)});
    Api api(alone);
    auto const ledger = api.new_ledger(R"(,"posting":"hot")");
    api.new_account(ledger, "ann");
    auto const refused = api.deposit(ledger, "ann", 1);
    BOOST_TEST(refused.status == 503U, refused.body);
    BOOST_TEST(refused.code() == "unavailable");
    auto const shown = api.get(ledger + "/accounts/ann");
    BOOST_TEST(shown.status == 200U);
    BOOST_TEST(shown.header("penstock-stale") == "true");
    BOOST_TEST(api.post(ledger + "/purchases", R"({"buyer":"a","author":"b","price":1})").code() ==
               "unsupported_on_ledger");
}

}  // namespace
}  // namespace penstock::tests
