// Do payment streams keep their rules over HTTP, on either store and across servers?
#include <algorithm>
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using Types = std::vector<std::string>;

std::string text(json::object const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

std::int64_t number(json::object const& object, char const* name) {
    return object.at(name).as_int64();
}

/// A ledger in which "ann" has money and "bob" has none.
std::string new_ledger_of_two(Api& api, long money = 1'000'000) {
    auto ledger = api.new_ledger();
    for (auto const* name : {"ann", "bob"}) api.new_account(ledger, name);
    BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", money).status == 201);
    return ledger;
}

/// From ann to bob. `how_much`: `"total":5` or a rate.
std::string stream_body(std::string const& how_much, long duration_s,
                        std::string const& more = "") {
    return R"({"sender":"ann","recipient":"bob",)" + how_much + R"(,"duration_s":)" +
           std::to_string(duration_s) + more + "}";
}

json::object draft(Api& api, std::string const& ledger, long total, long duration_s) {
    auto const answer = api.post(ledger + "/streams",
                                 stream_body(R"("total":)" + std::to_string(total), duration_s));
    BOOST_REQUIRE_MESSAGE(answer.status == 201, answer.body);
    return answer.document().as_object();
}

HttpAnswer act(Api& api, std::string const& stream, std::string const& action,
               std::string const& body = "{}", std::string const& key = fresh("key")) {
    return api.post(stream + "/" + action, body, key);
}

json::object done(Api& api, std::string const& stream, std::string const& action,
                  std::string const& body = "{}") {
    auto const answer = act(api, stream, action, body);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, action << ": " << answer.body);
    return answer.document().as_object();
}

/// The path of a stream that runs.
std::string running(Api& api, std::string const& ledger, long total, long duration_s) {
    auto stream = ledger + "/streams/" + text(draft(api, ledger, total, duration_s), "id");
    done(api, stream, "start");
    return stream;
}

json::object get(Api& api, std::string const& path) {
    auto const answer = api.get(path);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return answer.document().as_object();
}

Types actions_of(json::object const& stream) {
    Types names;
    for (auto const& name : stream.at("next_actions").as_array())
        names.emplace_back(name.as_string());
    return names;
}

Types feed_of(Api& api, std::string const& query) {
    Types types;
    for (auto const& item : walk(api, "/v1/activity?" + query, 200))
        types.push_back(text(item, "type"));
    return types;
}

std::string id_of(std::string const& path) { return path.substr(path.rfind('/') + 1); }

/// 0 ≤ released ≤ vested ≤ total, and the stream's account holds the rest.
void check_stream(Api& api, std::string const& ledger, std::string const& path) {
    auto const stream = get(api, path);
    auto const released = number(stream, "released"), vested = number(stream, "vested");
    BOOST_TEST(released >= 0);
    BOOST_TEST(released <= vested);
    BOOST_TEST(vested <= number(stream, "total"));
    BOOST_TEST(number(stream, "withdrawable") == vested - released);
    BOOST_TEST(api.balance(ledger, "bob") == released);
    bool const has_started = !stream.at("started_at").is_null();
    auto const owed =
        has_started ? number(stream, "total") - released - number(stream, "refunded") : 0;
    BOOST_TEST(api.balance(ledger, "@stream:" + id_of(path)) == owed);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE(streams, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_vests_and_is_withdrawn, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api, 1'000);
    auto const made = draft(api, ledger, 900, 1);
    BOOST_TEST(text(made, "status") == "draft");
    BOOST_TEST(number(made, "vested") == 0);
    BOOST_TEST(made.at("started_at").is_null());
    BOOST_TEST((actions_of(made) == Types{"start", "stop", "delete"}));
    auto const path = ledger + "/streams/" + text(made, "id");
    BOOST_TEST((get(api, path) == made));

    auto const started = done(api, path, "start");
    BOOST_TEST(text(started, "status") == "active");
    BOOST_TEST(api.balance(ledger, "ann") == 100);
    BOOST_TEST(started.at("started_at") == started.at("updated_at"));
    auto const has_vested = [&] { return number(get(api, path), "vested") == 900; };
    await_that(has_vested, "the end of vesting");
    BOOST_TEST(act(api, path, "withdraw", R"({"amount":901})").code() == "over_withdraw");
    auto const part = done(api, path, "withdraw", R"({"amount":300})");
    BOOST_TEST(number(part, "paid") == 300);
    BOOST_TEST(number(part, "withdrawable") == 600);
    BOOST_TEST(text(part, "status") == "active");
    BOOST_TEST(number(done(api, path, "withdraw"), "paid") == 600);
    BOOST_TEST(act(api, path, "withdraw").code() == "nothing_to_withdraw");
    auto const settled = done(api, path, "settle");
    BOOST_TEST(text(settled, "status") == "withdrawn");
    BOOST_TEST(actions_of(settled).empty());
    BOOST_TEST(number(done(api, path, "withdraw"), "paid") == 0);
    check_stream(api, ledger, path);
    auto const totals = api.totals(ledger);
    BOOST_TEST(number(totals.at("stream_funding").as_object(), "amount") == 900);
    BOOST_TEST(number(totals.at("stream_withdrawal").as_object(), "count") == 2);
    BOOST_TEST(number(totals.at("stream_refund").as_object(), "count") == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rate_gives_the_total_if_it_comes_out_whole, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    struct Row {
        char const* rate;
        long duration_s;
        char const* expected;  ///< the total or a code
    };
    for (auto const& [rate, duration, expected] : std::initializer_list<Row>{
             {R"({"amount":3,"per":"second"})", 60, "180"},
             {R"({"amount":3,"per":"minute"})", 60, "3"},
             {R"({"amount":7200,"per":"hour"})", 1, "2"},
             {R"({"amount":10,"per":"day"})", 43'200, "5"},
             {R"({"amount":7,"per":"week"})", 86'400, "1"},
             {R"({"amount":30,"per":"month"})", 86'400, "1"},
             {R"({"amount":1,"per":"month"})", 86'400, "precision"},
             {R"({"amount":9007199254740991,"per":"second"})", 2, "amount_overflow"}}) {
        auto const answer =
            api.post(ledger + "/streams", stream_body(R"("rate":)" + std::string(rate), duration));
        if (answer.status == 201)
            BOOST_TEST(std::to_string(number(answer.document().as_object(), "total")) == expected);
        else
            BOOST_TEST(answer.code() == expected, answer.body);
        BOOST_TEST((answer.status == 201 || answer.status == 422));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_no_stream_is_refused, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    auto const streams = ledger + "/streams";
    for (auto const* body :
         {R"({"sender":"ann","recipient":"bob","duration_s":5})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":1,)"
          R"("rate":{"amount":1,"per":"second"}})",
          R"({"sender":"ann","recipient":"bob","duration_s":0,"total":1})",
          R"({"sender":"ann","recipient":"bob","duration_s":3153600001,"total":1})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":0})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":9007199254740992})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":1.0})",
          R"({"sender":"@world","recipient":"bob","duration_s":5,"total":1})",
          R"({"sender":"ann","recipient":"@stream:x","duration_s":5,"total":1})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":1,"label":""})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":1,"metadata":[]})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"rate":{"amount":1,"per":"year"}})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"rate":{"per":"day"}})",
          R"({"sender":"ann","recipient":"bob","duration_s":5,"total":1,"more":1})"})
        BOOST_TEST(api.post(streams, body).code() == "invalid_request", body);
    auto const refused = [&](char const* sender, char const* recipient) {
        return api
            .post(streams, R"({"sender":")" + std::string(sender) + R"(","recipient":")" +
                               recipient + R"(","total":1,"duration_s":1})")
            .code();
    };
    BOOST_TEST(refused("ann", "ann") == "self_transfer");
    BOOST_TEST(refused("nobody", "bob") == "account_not_found");
    BOOST_TEST(refused("ann", "nobody") == "account_not_found");
    BOOST_TEST(api.post("/v1/ledgers/none/streams", stream_body(R"("total":1)", 1)).code() ==
               "ledger_not_found");
    auto const id = text(draft(api, ledger, 5, 5), "id");
    auto const unknown = id.substr(0, 35) + (id.back() == '0' ? '1' : '0');
    for (std::string const& wrong : {std::string("x"), unknown}) {
        BOOST_TEST(api.get(streams + '/' + wrong).code() == "stream_not_found", wrong);
        BOOST_TEST(act(api, streams + '/' + wrong, "pause").code() == "stream_not_found", wrong);
        BOOST_TEST(api.remove(streams + '/' + wrong).code() == "stream_not_found", wrong);
    }
    auto const other = new_ledger_of_two(api);
    BOOST_TEST(act(api, other + "/streams/" + id, "start").code() == "stream_not_found");
    BOOST_TEST(api.get(other + "/streams/" + id).code() == "stream_not_found");
    BOOST_TEST(act(api, streams + '/' + id, "pause", R"({"more":1})").code() == "invalid_request");
    BOOST_TEST(act(api, streams + '/' + id, "withdraw", R"({"amount":0})").code() ==
               "invalid_request");
    auto const points = api.new_ledger(R"(,"kind":"credits")");
    BOOST_TEST(api.post(points + "/streams", stream_body(R"("total":1)", 1)).code() ==
               "unsupported_on_ledger");
    BOOST_TEST(api.get(points + "/streams").code() == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(illegal_actions_change_nothing, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    auto const path = ledger + "/streams/" + text(draft(api, ledger, 1'000, 3'600), "id");
    auto const refuse = [&](std::initializer_list<char const*> actions) {
        auto const before = get(api, path);
        for (auto const* action : actions) {
            auto const answer =
                std::string_view(action) == "delete" ? api.remove(path) : act(api, path, action);
            BOOST_TEST(answer.status == 409U, action << ": " << answer.body);
            BOOST_TEST(answer.code() == "illegal_transition");
            auto const detail = text(answer.document().as_object(), "detail");
            BOOST_TEST(detail.find(action) != std::string::npos, detail);
            BOOST_TEST(detail.find(text(before, "status")) != std::string::npos, detail);
        }
        auto const behind = get(api, path);
        BOOST_TEST((behind.at("updated_at") == before.at("updated_at")));
        BOOST_TEST((behind.at("status") == before.at("status")));
    };
    refuse({"pause", "settle", "withdraw", "cancel"});
    done(api, path, "start");
    refuse({"delete"});
    done(api, path, "stop");
    refuse({"start", "pause", "cancel", "delete"});
    done(api, path, "settle");
    auto const cancelled = running(api, ledger, 10, 3'600);
    done(api, cancelled, "cancel");
    BOOST_TEST(act(api, cancelled, "start").code() == "illegal_transition");
    BOOST_TEST(text(done(api, cancelled, "cancel"), "status") == "cancelled");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_sender_without_money_does_not_start, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api, 9);
    auto const path = ledger + "/streams/" + text(draft(api, ledger, 10, 60), "id");
    auto const key = fresh("key");
    BOOST_TEST(act(api, path, "start", "{}", key).code() == "insufficient_funds");
    BOOST_TEST(api.deposit(ledger, "ann", 1).status == 201U);
    // A refusal is not recorded: the same key may succeed later.
    BOOST_TEST(act(api, path, "start", "{}", key).status == 200U);
    check_stream(api, ledger, path);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_repeated_key_gives_the_same_bytes, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    auto const body =
        stream_body(R"("total":50000)", 1, R"(,"label":"für May","metadata":{"a":1})");
    auto const create_key = fresh("key");
    auto const made = api.post(ledger + "/streams", body, create_key);
    BOOST_TEST_REQUIRE(made.status == 201, made.body);
    BOOST_TEST(text(made.document().as_object(), "label") == "für May");
    auto const path = ledger + "/streams/" + text(made.document().as_object(), "id");
    std::vector<std::pair<std::string, HttpAnswer>> kept;
    for (std::string const action : {"start", "pause", "pause", "start", "settle"}) {
        auto const key = fresh("key");
        kept.emplace_back(action + ' ' + key, act(api, path, action, "{}", key));
        BOOST_TEST(kept.back().second.status == 200U, kept.back().second.body);
    }
    for (auto const& [name, first] : kept) {
        auto const space = name.find(' ');
        auto const again = act(api, path, name.substr(0, space), "{}", name.substr(space + 1));
        BOOST_TEST(again.status == first.status);
        BOOST_TEST(again.body == first.body);
        BOOST_TEST(again.header("idempotent-replayed") == "true");
    }
    auto const replayed = api.post(ledger + "/streams", body, create_key);
    BOOST_TEST(replayed.status == 201U);
    BOOST_TEST(replayed.body == made.body);
    BOOST_TEST(act(api, path, "stop", "{}", create_key).code() == "idempotency_key_reused");
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_draft_can_be_deleted, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    auto const id = text(draft(api, ledger, 10, 60), "id");
    auto const path = ledger + "/streams/" + id;
    auto const gone = api.remove(path);
    BOOST_TEST(gone.status == 204U);
    BOOST_TEST(gone.body.empty());
    BOOST_TEST(api.remove(path).code() == "stream_not_found");
    BOOST_TEST(api.get(path).code() == "stream_not_found");
    BOOST_TEST(walk(api, ledger + "/streams", 10).empty());
    BOOST_TEST((feed_of(api, "stream=" + id) == Types{"stream.deleted", "stream.created"}));
    // A key is honoured here as well.
    auto const other = ledger + "/streams/" + text(draft(api, ledger, 10, 60), "id");
    HttpHeaders const headers{{"Idempotency-Key", fresh("key")}};
    for (int i = 0; i < 2; ++i)
        BOOST_TEST(api.http().request("DELETE", other, std::nullopt, headers).status == 204U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streams_are_listed_by_party_and_status, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    std::vector<std::string> ids;
    for (long i = 1; i <= 6; ++i) ids.push_back(text(draft(api, ledger, i, 3'600), "id"));
    auto const path = [&](std::size_t i) { return ledger + "/streams/" + ids[i]; };
    done(api, path(0), "start");
    done(api, path(1), "start");
    done(api, path(1), "cancel");
    auto const totals = [&](std::string const& query) {
        std::vector<std::int64_t> all;
        for (auto const& item : walk(api, ledger + "/streams" + query, 2))
            all.push_back(number(item, "total"));
        return all;
    };
    using Totals = std::vector<std::int64_t>;
    BOOST_TEST((totals("") == Totals{6, 5, 4, 3, 2, 1}));
    BOOST_TEST((totals("?sender=ann") == Totals{6, 5, 4, 3, 2, 1}));
    BOOST_TEST((totals("?recipient=bob&status=draft") == Totals{6, 5, 4, 3}));
    BOOST_TEST((totals("?status=active") == Totals{1}));
    BOOST_TEST((totals("?sender=ann&recipient=bob&status=cancelled") == Totals{2}));
    BOOST_TEST(totals("?sender=bob").empty());
    for (auto const* query : {"?status=deleted", "?status=x", "?limit=0", "?more=1"})
        BOOST_TEST(api.get(ledger + "/streams" + query).code() == "invalid_request", query);
    BOOST_TEST(api.get(ledger + "/streams?cursor=x").code() == "invalid_cursor");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ledger_with_money_in_a_stream_is_not_deleted, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api, 10);
    auto const path = running(api, ledger, 10, 3'600);
    BOOST_TEST(api.remove(ledger).code() == "ledger_not_empty");
    done(api, path, "cancel");
    for (auto const* name : {"ann", "bob"})
        if (auto const left = api.balance(ledger, name); left > 0)
            BOOST_TEST(api.withdraw(ledger, name, left).status == 201U);
    draft(api, ledger, 10, 3'600);
    BOOST_TEST(api.remove(ledger).status == 204U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_feed_shows_what_became_of_a_stream, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_ledger_of_two(api);
    auto const path = running(api, ledger, 500'000, 1);
    auto const has_vested = [&] { return number(get(api, path), "vested") == 500'000; };
    await_that(has_vested, "the end of vesting");
    done(api, path, "withdraw", R"({"amount":7})");
    done(api, path, "pause");
    done(api, path, "start");
    done(api, path, "stop");
    done(api, path, "settle");
    auto const stream = id_of(path);
    Types const life{"stream.settled",   "stream.stopped", "stream.resumed", "stream.paused",
                     "stream.withdrawn", "stream.started", "stream.created"};
    BOOST_TEST(feed_of(api, "stream=" + stream) == life, boost::test_tools::per_element());
    BOOST_TEST(feed_of(api, "subject=" + stream) == life, boost::test_tools::per_element());
    auto const name = id_of(ledger);
    BOOST_TEST(
        (feed_of(api, "ledger=" + name + "&type=stream.started") == Types{"stream.started"}));
    BOOST_TEST((feed_of(api, "stream=" + stream + "&account=@stream:" + stream) ==
                Types{"stream.withdrawn", "stream.started"}));
    auto const items = walk(api, "/v1/activity?stream=" + stream, 3);
    BOOST_TEST_REQUIRE(items.size() == life.size());
    BOOST_TEST(text(items[6].at("data").as_object(), "sender") == "ann");
    BOOST_TEST(number(items[6].at("data").as_object(), "total") == 500'000);
    BOOST_TEST(text(items[5].at("data").as_object(), "from") == "ann");
    BOOST_TEST(number(items[4].at("data").as_object(), "amount") == 7);
    auto const transfer = text(items[4].at("data").as_object(), "transfer_id");
    BOOST_TEST(text(get(api, ledger + "/transfers/" + transfer), "kind") == "stream_withdrawal");
    BOOST_TEST(act(api, ledger + "/transfers/" + transfer, "revert").code() ==
               "illegal_transition");
    BOOST_TEST(api.get("/v1/activity?stream=ann").code() == "invalid_request");
    BOOST_TEST(api.get("/v1/activity?stream=" + stream + "&subject=ann").code() ==
               "invalid_request");
    check_stream(api, ledger, path);
}

/// The answers of `n` calls at once, half of them on each of two servers.
template <class Call>
std::vector<HttpAnswer> on_both(ServerProcess const& one, ServerProcess const& two, std::size_t n,
                                Call call) {
    return at_once(one, n, [&](Api& own, std::size_t place) {
        if (place % 2 == 0) return call(own, place);
        Api other(two);
        return call(other, place);
    });
}

BOOST_AUTO_TEST_CASE(of_twenty_pauses_on_two_servers_one_changes_the_state) {
    auto& servers = *Servers::current;
    Api api(servers.on_postgres);
    auto const ledger = new_ledger_of_two(api);
    auto const path = running(api, ledger, 1'000, 3'600);
    for (auto const* action : {"pause", "start"}) {
        auto const answers = on_both(servers.on_postgres, servers.one_by_one, 20,
                                     [&](Api& own, std::size_t) { return act(own, path, action); });
        BOOST_TEST(count(answers, 200) == 20U, action);
        std::set<std::string> changes;
        for (auto const& answer : answers)
            changes.insert(text(answer.document().as_object(), "updated_at"));
        BOOST_TEST(changes.size() == 1U, action);
    }
    auto const feed = feed_of(api, "stream=" + id_of(path));
    BOOST_TEST(std::ranges::count(feed, "stream.paused") == 1);
    BOOST_TEST(std::ranges::count(feed, "stream.resumed") == 1);
    check_stream(api, ledger, path);
}

BOOST_AUTO_TEST_CASE(withdrawals_at_once_on_two_servers_never_pay_more_than_vested) {
    auto& servers = *Servers::current;
    Api api(servers.on_postgres);
    auto const ledger = new_ledger_of_two(api);
    auto const path = running(api, ledger, 500'000, 1);
    auto const answers =
        on_both(servers.on_postgres, servers.one_by_one, 24, [&](Api& own, std::size_t place) {
            auto const* body = place % 3 == 0 ? R"({"amount":20000})" : "{}";
            return act(own, path, "withdraw", body);
        });
    std::int64_t paid = 0;
    for (auto const& answer : answers) {
        if (answer.status == 200)
            paid += number(answer.document().as_object(), "paid");
        else
            BOOST_TEST(answer.status == 422U, answer.body);
    }
    BOOST_TEST(number(get(api, path), "released") == paid);
    BOOST_TEST(api.balance(ledger, "bob") == paid);
    check_stream(api, ledger, path);
}

BOOST_AUTO_TEST_CASE(everything_at_once_on_two_servers_leaves_sound_books) {
    auto& servers = *Servers::current;
    Api api(servers.on_postgres);
    auto const ledger = new_ledger_of_two(api);
    for (int round = 0; round < 5; ++round) {
        auto const path = ledger + "/streams/" + text(draft(api, ledger, 100'000, 1), "id");
        char const* const actions[]{"start", "pause", "start", "withdraw", "settle", "cancel"};
        auto const bob = api.balance(ledger, "bob");
        auto const answers = on_both(
            servers.on_postgres, servers.one_by_one, 18,
            [&](Api& own, std::size_t place) { return act(own, path, actions[place % 6]); });
        for (auto const& answer : answers)
            BOOST_TEST((answer.status == 200 || answer.status == 409 || answer.status == 422),
                       answer.status << ' ' << answer.body);
        BOOST_TEST(count(answers, 200) >= 1U);
        auto const stream = get(api, path);
        BOOST_TEST(api.balance(ledger, "bob") - bob == number(stream, "released"));
        check_verified(api, ledger);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
