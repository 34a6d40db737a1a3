// Do credits keep their rules over HTTP, on either store: lots, expiry by nobody's hand, history,
// wide requests, and a crowd that spends from one address?
#include <algorithm>
#include <map>
#include <type_traits>
#include <vector>

#include "tests/e2e/points.hpp"

namespace penstock::tests {
namespace {

/// The first reference of the answer, so that its repetition is the same request.
std::string body_of_grant(std::string const& reference, std::string const& entries) {
    return R"({"reference":")" + reference + R"(","entries":[)" + entries + "]}";
}

/// What is asked for here is much, and a busy machine may take its time.
constexpr char const* patience_ms = "120000";

BOOST_AUTO_TEST_SUITE(credits, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(lots_are_drained_in_the_order_of_granting, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    grant(api, ledger, entry("ann", 100, far_away));
    grant(api, ledger, entry("ann", 50));
    auto const spent = act(api, ledger, "expenses", entry("ann", 120));
    BOOST_TEST_REQUIRE(spent.status == 201, spent.body);
    auto const shown = balance_of(api, ledger, "ann");
    BOOST_TEST(shown.at("balance").as_int64() == 30);
    BOOST_TEST(shown.at("lots").as_array().size() == 1U);
    BOOST_TEST(shown.at("lots").at(0).at("amount").as_int64() == 50);
    BOOST_TEST(shown.at("lots").at(0).at("amount_remaining").as_int64() == 30);
    BOOST_TEST(shown.at("expiring").at(0).at("expires_at").is_null());
    BOOST_TEST(act(api, ledger, "expenses", entry("ann", 31)).status == 402U);
    auto const partial = act(api, ledger, "expenses", entry("ann", 31), R"(,"allow_partial":true)");
    BOOST_TEST(partial.document().at("entries").at(0).at("amount").as_int64() == 30);
    BOOST_TEST(partial.document().at("entries").at(0).at("shortfall").as_int64() == 1);
    BOOST_TEST(amount(api, ledger, "ann") == 0);
    BOOST_TEST(amount(api, ledger, "nobody") == 0);
}

/// What is left of the lots of an address, in the order in which they will be spent.
std::vector<std::int64_t> left_of(Api& api, std::string const& ledger, std::string const& address) {
    std::vector<std::int64_t> amounts;
    auto const shown = balance_of(api, ledger, address);
    for (auto const& lot : shown.at("lots").as_array())
        amounts.push_back(lot.at("amount_remaining").as_int64());
    return amounts;
}

void change(Api& api, std::string const& ledger, std::string const& policy) {
    auto const changed = api.patch(ledger, "{" + policy + "}");
    BOOST_TEST_REQUIRE(changed.status == 200, changed.body);
}

void spend(Api& api, std::string const& ledger, std::string const& address, long much) {
    auto const spent = act(api, ledger, "expenses", entry(address, much));
    BOOST_TEST_REQUIRE(spent.status == 201, spent.body);
}

using Amounts = std::vector<std::int64_t>;

/// The one granted first is the second to expire; the last one never does.
void grant_three_lots(Api& api, std::string const& ledger) {
    grant(api, ledger, entry("ann", 30, "2903-01-01T00:00:00.000Z"));
    grant(api, ledger, entry("ann", 20, "2901-01-01T00:00:00.000Z"));
    grant(api, ledger, entry("ann", 10));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_of_the_drain_policy_holds_from_then_on, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    grant_three_lots(api, ledger);
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{30, 20, 10}));
    spend(api, ledger, "ann", 5);
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{25, 20, 10}));
    change(api, ledger, R"("drain":"expiration")");
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{20, 25, 10}));
    spend(api, ledger, "ann", 22);
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{23, 10}));
    grant(api, ledger, entry("ann", 7, "2902-01-01T00:00:00.000Z"));
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{7, 23, 10}));
    change(api, ledger, R"("drain":"emission")");
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{23, 10, 7}));
    spend(api, ledger, "ann", 24);
    BOOST_TEST((left_of(api, ledger, "ann") == Amounts{9, 7}));
    auto const answer = act(api, ledger, "transfers", entry("bob", 12), R"(,"from":"ann")");
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    // Nine that never expire and three that do: the latter would be spent first by expiration.
    BOOST_TEST((left_of(api, ledger, "bob") == Amounts{9, 3}));
    change(api, ledger, R"("drain":"expiration")");
    BOOST_TEST((left_of(api, ledger, "bob") == Amounts{3, 9}));
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_of_the_issuers_holds_from_then_on, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    auto const send = [&](std::string const& from, long much) {
        auto const sender = R"(,"from":")" + from + '"';
        return act(api, ledger, "transfers", entry("bob", much), sender).status;
    };
    grant(api, ledger, entry("ann", 5));
    BOOST_TEST(send("ann", 6) == 402U);
    change(api, ledger, R"("issuers":["ann","cid"])");
    BOOST_TEST(send("ann", 6) == 201U);
    BOOST_TEST(send("cid", 100) == 201U);
    BOOST_TEST(amount(api, ledger, "ann") == 5);
    change(api, ledger, R"("issuers":["cid"])");
    BOOST_TEST(send("ann", 6) == 402U);
    BOOST_TEST(send("ann", 5) == 201U);
    BOOST_TEST(amount(api, ledger, "ann") == 0);
    change(api, ledger, R"("issuers":[])");
    BOOST_TEST(send("cid", 1) == 402U);
    BOOST_TEST(amount(api, ledger, "bob") == 111);
    check_verified(api, ledger);
}

// What one server was told, another one does not show a moment later, but at once.
BOOST_AUTO_TEST_CASE(another_server_shows_the_order_of_the_policy_of_now) {
    Api here(OnPostgres::server());
    Api there(OneByOne::server());
    auto const ledger = new_points(here);
    grant_three_lots(here, ledger);
    for (int turn = 0; turn < 5; ++turn) {
        BOOST_TEST((left_of(there, ledger, "ann") == Amounts{30, 20, 10}), turn);
        change(here, ledger, R"("drain":"expiration")");
        BOOST_TEST((left_of(there, ledger, "ann") == Amounts{20, 30, 10}), turn);
        change(here, ledger, R"("drain":"emission")");
    }
}

/// How many items each page of a list has.
std::vector<std::size_t> page_sizes(Api& api, std::string const& list) {
    std::vector<std::size_t> sizes;
    auto path = list;
    while (sizes.size() < 10) {
        auto const answer = api.get(path);
        BOOST_TEST_REQUIRE(answer.status == 200U, answer.body);
        auto const page = answer.document();
        sizes.push_back(page.at("data").as_array().size());
        auto const& next = page.at("next_cursor");
        if (next.is_null()) return sizes;
        path = list + "&cursor=" + std::string(next.as_string());
    }
    BOOST_FAIL(list << " does not end");
    return sizes;
}

using Sizes = std::vector<std::size_t>;

// It looks at a thousand rows at most, and goes on behind them.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_page_may_be_empty_and_still_go_on, Store, Stores) {
    constexpr long many = 1'200;
    Api api(Store::server());
    api.with("Request-Timeout-Ms", patience_ms);
    auto const ledger = new_points(api);
    auto const nothing = act(api, ledger, "expenses", entry("ann", 1), R"(,"allow_partial":true)");
    BOOST_TEST_REQUIRE(nothing.status == 201, nothing.body);
    grant(api, ledger, entries(many, [](long) { return entry("ann", 1); }));
    auto const history = ledger + "/credits/history?address=ann&limit=200";
    BOOST_TEST((page_sizes(api, history + "&kind=expense") == Sizes{0, 1}));
    BOOST_TEST((page_sizes(api, history + "&kind=transfer") == Sizes{0, 0}));
    BOOST_TEST((page_sizes(api, history) == Sizes{200, 200, 200, 200, 200, 200, 1}));
    auto const user = [](long i) { return entry("user-" + std::to_string(i), 2); };
    grant(api, ledger, entries(many, user) + "," + entry("zoe", 100));
    auto const rich = ledger + "/credits/balances?min_balance=100";
    // Ann comes first, zoe last.
    BOOST_TEST((page_sizes(api, rich) == Sizes{1, 1}));
    BOOST_TEST((page_sizes(api, ledger + "/credits/balances?min_balance=5000") == Sizes{0, 0}));
    auto const count = api.get(ledger + "/credits/balances/count?min_balance=100").document();
    BOOST_TEST(count.at("count").as_int64() == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_repeated_request_is_answered_byte_for_byte, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    auto const key = fresh("key");
    auto const body = body_of_grant("once", entry("ann", 5, far_away) + "," + entry("bob", 6));
    auto const first = api.post(ledger + "/credits/grants", body, key);
    BOOST_TEST_REQUIRE(first.status == 201, first.body);
    auto const again = api.post(ledger + "/credits/grants", body, key);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    auto const other = api.post(ledger + "/credits/grants", body, fresh("key"));
    BOOST_TEST(other.status == 409U);
    BOOST_TEST(other.code() == "reference_exists");
    BOOST_TEST(amount(api, ledger, "ann") == 5);
}

/// What an expense took, entry by entry of the history, oldest first.
std::vector<std::int64_t> spent_from(Api& api, std::string const& ledger,
                                     std::string const& address) {
    std::vector<std::int64_t> amounts;
    auto const list = ledger + "/credits/history?kind=expense&address=" + address;
    for (auto const& item : walk(api, list, 100)) amounts.push_back(item.at("amount").as_int64());
    std::reverse(amounts.begin(), amounts.end());
    return amounts;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crowd_never_overdraws_one_address, Store, Stores) {
    constexpr std::size_t crowd = 256;
    constexpr int lots = 20;
    Api api(Store::server());
    auto const ledger = new_points(api);
    for (int i = 0; i < lots; ++i) grant(api, ledger, entry("ann", 10));
    auto const answers = at_once(Store::server(), crowd, [&](Api& own, std::size_t) {
        own.with("Request-Timeout-Ms", patience_ms);
        return act(own, ledger, "expenses", entry("ann", 3));
    });
    BOOST_TEST(count(answers, 201) == std::size_t{66});
    BOOST_TEST(count(answers, 402) == crowd - 66);
    // 66 · 3 of 20 · 10: all lots but the last are gone, in the order of granting.
    auto const shown = balance_of(api, ledger, "ann");
    BOOST_TEST(shown.at("balance").as_int64() == 2);
    BOOST_TEST_REQUIRE(shown.at("lots").as_array().size() == 1U);
    auto const history = api.get(ledger + "/credits/history?kind=grant&limit=1").document();
    BOOST_TEST(shown.at("lots").at(0).at("reference") == history.at("data").at(0).at("reference"));
    BOOST_TEST(spent_from(api, ledger, "ann") == std::vector<std::int64_t>(66, -3),
               boost::test_tools::per_element());
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crowd_that_takes_what_is_there_takes_it_once, Store, Stores) {
    constexpr std::size_t crowd = 256;
    Api api(Store::server());
    auto const ledger = new_points(api, R"(,"drain":"expiration")");
    // In the order of granting the last to expire comes first.
    for (int i = 3; i > 0; --i)
        grant(api, ledger, entry("ann", 100, "290" + std::to_string(i) + "-01-01T00:00:00.000Z"));
    auto const answers = at_once(Store::server(), crowd, [&](Api& own, std::size_t) {
        own.with("Request-Timeout-Ms", patience_ms);
        return act(own, ledger, "expenses", entry("ann", 7), R"(,"allow_partial":true)");
    });
    std::int64_t taken = 0;
    std::map<std::int64_t, int> times;
    for (auto const& answer : answers) {
        BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
        auto const line = answer.document().at("entries").at(0);
        BOOST_TEST(line.at("amount").as_int64() + line.at("shortfall").as_int64() == 7);
        taken += line.at("amount").as_int64();
        ++times[line.at("amount").as_int64()];
    }
    BOOST_TEST(taken == 300);
    BOOST_TEST(times[7] == 42);
    BOOST_TEST(times[6] == 1);
    BOOST_TEST(times[0] == 213);
    BOOST_TEST(amount(api, ledger, "ann") == 0);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_expired_counts_no_more_and_is_recorded_once, Store, Stores) {
    Api api(Store::server());
    in_time(900, [&](std::int64_t ms) {
        auto const ledger = new_points(api);
        auto const lots = entry("ann", 40, instant_in_ms(ms)) + "," + entry("ann", 2);
        if (act(api, ledger, "grants", lots).status != 201U) return false;
        if (amount(api, ledger, "ann") != 42) return false;
        auto const expired = [&] {
            auto const totals = api.totals(ledger);
            return totals.at("credits_expired").at("amount").as_int64() == 40;
        };
        await_that(expired, "the record of an expiry");
        BOOST_TEST(amount(api, ledger, "ann") == 2);
        BOOST_TEST(api.totals(ledger).at("credits_expired").at("count").as_int64() == 1);
        auto const history = api.get(ledger + "/credits/history").document().at("data").as_array();
        BOOST_TEST(history.size() == 2U);
        check_verified(api, ledger);
        return true;
    });
}

/// Of the rows of an operation and of the lots that another one granted: how many there are, and
/// in how many transactions they were last written.
std::string rows_and_commits(std::string const& operation, std::string const& granted) {
    auto sql = Servers::current->database.connect();
    auto const of = [](std::string const& column, std::string const& id) {
        return " WHERE " + column + " = '" + id + "'";
    };
    return sql(
        "SELECT count(*) || ' in ' || count(DISTINCT x) FROM ("
        "SELECT xmin::text x FROM credit_operations" +
        of("id", operation) + " UNION ALL SELECT xmin::text FROM credit_entries" +
        of("operation_id", operation) + " UNION ALL SELECT xmin::text FROM credit_lots" +
        of("operation_id", granted) + ") written");
}

/// Of the widest request that there is: the operation, its entries, its lots.
constexpr char const* all_in_one = "60001 in 1";

/// It is one commit: its rows are of one instant.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_wide_grant_and_expense_are_one_commit_each, Store, Stores) {
    Api api(Store::server());
    api.with("Request-Timeout-Ms", patience_ms);
    auto const ledger = new_points(api);
    constexpr long wide = 30'000;
    auto const user = [](long i) { return "user-" + std::to_string(i); };
    auto const granted = act(api, ledger, "grants",
                             entries(wide, [&](long i) { return entry(user(i), 10, far_away); }));
    BOOST_TEST_REQUIRE(granted.status == 201, granted.body.substr(0, 500));
    BOOST_TEST(granted.document().at("entries").as_array().size() == std::size_t{wide});
    auto const grant_id = std::string(granted.document().at("id").as_string());
    if constexpr (std::is_same_v<Store, OnPostgres>)
        BOOST_TEST(rows_and_commits(grant_id, grant_id) == all_in_one);
    auto const count = api.get(ledger + "/credits/balances/count?min_balance=10");
    BOOST_TEST(count.document().at("count").as_int64() == wide);

    // One who cannot pay, and nobody has paid.
    auto const spends = entries(wide, [&](long i) { return entry(user(i), 10); });
    auto const refused = act(api, ledger, "expenses",
                             entries(wide - 1, [&](long i) { return entry(user(i), 10); }) + "," +
                                 entry(user(wide - 1), 11));
    BOOST_TEST(refused.status == 402U);
    auto const spent = act(api, ledger, "expenses", spends);
    BOOST_TEST_REQUIRE(spent.status == 201, spent.body.substr(0, 500));
    auto const expense = spent.document();
    auto const expense_id = std::string(expense.at("id").as_string());
    std::string const created_at(expense.at("created_at").as_string());
    if constexpr (std::is_same_v<Store, OnPostgres>)
        BOOST_TEST(rows_and_commits(expense_id, grant_id) == all_in_one);
    auto const newest = api.get(ledger + "/credits/history?kind=expense&limit=200").document();
    BOOST_TEST(newest.at("data").as_array().size() == 200U);
    for (auto const& row : newest.at("data").as_array())
        BOOST_TEST(std::string(row.at("created_at").as_string()) == created_at);
    auto const left = api.get(ledger + "/credits/balances/count?min_balance=1");
    BOOST_TEST(left.document().at("count").as_int64() == 0);
    auto const all = api.get(ledger + "/credits/balances/count");
    BOOST_TEST(all.document().at("count").as_int64() == wide);
    check_verified(api, ledger);
    auto const more =
        act(api, ledger, "grants", entries(wide + 1, [&](long i) { return entry(user(i), 1); }));
    BOOST_TEST(more.status == 400U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_of_money_can_be_asked_of_a_ledger_of_credits, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    grant(api, ledger, entry("ann", 5));
    auto const id = "/00000000-0000-7000-8000-000000000000";
    for (std::string const path : {"/accounts", "/accounts/ann", "/accounts/ann/entries",
                                   "/transfers", "/holds", "/purchases"}) {
        auto const answer = api.get(ledger + path);
        BOOST_TEST(answer.status == 409U, path << ": " << answer.body);
        BOOST_TEST(answer.code() == "unsupported_on_ledger", path);
    }
    for (std::string const path : {"/transfers", "/holds", "/purchases"})
        BOOST_TEST(api.get(ledger + path + id).code() == "unsupported_on_ledger", path);
    std::pair<std::string, std::string> const posts[]{
        {"/accounts", R"({"address":"bob"})"},
        {"/deposits", R"({"account":"ann","amount":1})"},
        {"/withdrawals", R"({"account":"ann","amount":1})"},
        {"/transfers", R"({"from":"ann","to":"bob","amount":1})"},
        {"/transfers/bulk", R"({"transfers":[{"from":"ann","to":"bob","amount":1}]})"},
        {"/transfers" + std::string(id) + "/revert", "{}"},
        {"/holds", R"({"from":"ann","to":"bob","amount":1})"},
        {"/holds" + std::string(id) + "/capture", "{}"},
        {"/holds" + std::string(id) + "/void", "{}"},
        {"/purchases", R"({"buyer":"ann","author":"bob","price":1})"},
        {"/purchases" + std::string(id) + "/refund", "{}"},
        {"/reports", R"({"type":"financial"})"},
    };
    for (auto const& [path, body] : posts) {
        auto const answer = api.post(ledger + path, body);
        BOOST_TEST(answer.status == 409U, path << ": " << answer.body);
        BOOST_TEST(answer.code() == "unsupported_on_ledger", path);
    }
    BOOST_TEST(api.get(ledger + "/totals").status == 200U);
    BOOST_TEST(amount(api, ledger, "ann") == 5);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_activity_feed_shows_operations_and_expiries, Store, Stores) {
    Api api(Store::server());
    in_time(800, [&](std::int64_t ms) {
        auto const ledger = new_points(api);
        auto const feed = [&](std::string const& filter) {
            auto const name = ledger.substr(ledger.rfind('/') + 1);
            return api.get("/v1/activity?ledger=" + name + filter).document().at("data").as_array();
        };
        auto const lots = entry("ann", 40, instant_in_ms(ms)) + "," + entry("bob", 2);
        auto const granted = act(api, ledger, "grants", lots);
        if (granted.status != 201U) return false;
        act(api, ledger, "transfers", entry("cid", 1), R"(,"from":"bob")");
        auto const is_expired = [&] { return feed("&type=credits.expired").size() == 1; };
        await_that(is_expired, "an expiry in the feed");
        auto const newest = feed("&account=ann&limit=1").at(0);
        BOOST_TEST(newest.at("type").as_string() == "credits.expired");
        BOOST_TEST(newest.at("subject") == granted.document().at("id"));
        BOOST_TEST(newest.at("data").at("address").as_string() == "ann");
        BOOST_TEST(newest.at("data").at("amount").as_int64() == 40);
        auto const sent = feed("&type=credits.transferred").at(0);
        BOOST_TEST(sent.at("data").at("from").as_string() == "bob");
        BOOST_TEST(sent.at("data").at("to").as_string() == "cid");
        BOOST_TEST(sent.at("data").at("amount").as_int64() == 1);
        auto const wide = feed("&type=credits.granted").at(0);
        BOOST_TEST(wide.at("data").at("reference") == granted.document().at("reference"));
        BOOST_TEST(wide.at("data").at("amount").is_null());
        return true;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bad_input_is_refused_with_pointers, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    auto const past = act(api, ledger, "grants", entry("ann", 1, "2020-01-01T00:00:00.000Z"));
    BOOST_TEST(past.status == 400U);
    BOOST_TEST(past.document().at("errors").at(0).at("pointer").as_string() ==
               "/entries/0/expires_at");
    BOOST_TEST(act(api, ledger, "grants", entry("@world", 1)).status == 400U);
    BOOST_TEST(act(api, ledger, "grants", "").status == 400U);
    BOOST_TEST(act(api, ledger, "expenses", entry("ann", 0)).status == 400U);
    auto const self = act(api, ledger, "transfers", entry("ann", 1), R"(,"from":"ann")");
    BOOST_TEST(self.status == 400U);
    BOOST_TEST(self.code() == "self_transfer");
    BOOST_TEST(api.get(ledger + "/credits/balances?min_balance=-1").status == 400U);
    auto const money = api.new_ledger();
    BOOST_TEST(act(api, money, "grants", entry("ann", 1)).code() == "unsupported_on_ledger");
    BOOST_TEST(api.get(money + "/credits/history").code() == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
