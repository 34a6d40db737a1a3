// Do credits keep their rules over HTTP, on either store: lots, expiry by nobody's hand, history,
// wide requests, and a crowd that spends from one address?
#include <chrono>

#include "server/http/instant_text.hpp"
#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

std::string new_points(Api& api, std::string const& more = "") {
    auto const name = fresh("points");
    auto const made =
        api.post("/v1/ledgers", R"({"name":")" + name + R"(","asset":{"code":"PTS","scale":0},)" +
                                    R"("kind":"credits")" + more + "}");
    BOOST_TEST_REQUIRE(made.status == 201, made.body);
    return "/v1/ledgers/" + name;
}

std::string entry(std::string const& address, long amount, std::string const& expires_at = "") {
    auto text = R"({"address":")" + address + R"(","amount":)" + std::to_string(amount);
    if (!expires_at.empty()) text += R"(,"expires_at":")" + expires_at + '"';
    return text + "}";
}

HttpAnswer act(Api& api, std::string const& ledger, std::string const& kind,
               std::string const& entries, std::string const& more = "",
               std::string const& key = fresh("key")) {
    return api.post(
        ledger + "/credits/" + kind,
        R"({"reference":")" + fresh("ref") + R"(","entries":[)" + entries + "]" + more + "}", key);
}

HttpAnswer grant(Api& api, std::string const& ledger, std::string const& entries) {
    auto answer = act(api, ledger, "grants", entries);
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    return answer;
}

json::object balance_of(Api& api, std::string const& ledger, std::string const& address) {
    return api.get(ledger + "/credits/balances/" + address).document().as_object();
}

std::int64_t amount(Api& api, std::string const& ledger, std::string const& address) {
    return balance_of(api, ledger, address).at("balance").as_int64();
}

/// The first reference of the answer, so that its repetition is the same request.
std::string body_of_grant(std::string const& reference, std::string const& entries) {
    return R"({"reference":")" + reference + R"(","entries":[)" + entries + "]}";
}

std::string instant_in_ms(std::int64_t ms) {
    using namespace std::chrono;
    auto const now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    return server::instant_text(now.count() + ms);
}

constexpr char const* far_away = "2999-01-01T00:00:00.000Z";

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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_crowd_never_overdraws_one_address, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    for (int i = 0; i < 10; ++i) grant(api, ledger, entry("ann", 10));
    auto const answers = at_once(Store::server(), 16, [&](Api& own, std::size_t) {
        return act(own, ledger, "expenses", entry("ann", 7));
    });
    auto const paid = std::count_if(answers.begin(), answers.end(),
                                    [](HttpAnswer const& answer) { return answer.status == 201; });
    BOOST_TEST(paid == 14);
    BOOST_TEST(amount(api, ledger, "ann") == 2);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wide_grant_and_expense_are_one_commit_each, Store, Stores) {
    Api api(Store::server());
    auto const ledger = new_points(api);
    constexpr long wide = 3'000;
    std::string entries;
    for (long i = 0; i < wide; ++i)
        entries += (i ? "," : "") + entry("user-" + std::to_string(i), 10, far_away);
    grant(api, ledger, entries);
    auto const count = api.get(ledger + "/credits/balances/count?min_balance=10");
    BOOST_TEST(count.document().at("count").as_int64() == wide);
    std::string spends;
    for (long i = 0; i < wide; ++i)
        spends += (i ? "," : "") + entry("user-" + std::to_string(i), 10);
    BOOST_TEST(act(api, ledger, "expenses", spends).status == 201U);
    auto const left = api.get(ledger + "/credits/balances/count?min_balance=1");
    BOOST_TEST(left.document().at("count").as_int64() == 0);
    auto const all = api.get(ledger + "/credits/balances/count");
    BOOST_TEST(all.document().at("count").as_int64() == wide);
    check_verified(api, ledger);
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
