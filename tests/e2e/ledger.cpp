// Does the ledger keep its rules for whoever stands outside, over HTTP, on either store?
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

std::string text(json::object const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

BOOST_AUTO_TEST_SUITE(ledger, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_debits_of_2000_from_10000_give_five_201_and_five_402, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    BOOST_TEST_REQUIRE(api.deposit(ledger, "ann", 10'000).status == 201);
    auto const answers = at_once(Store::server(), 10, [&](Api& own, std::size_t) {
        return own.withdraw(ledger, "ann", 2'000);
    });
    BOOST_TEST(count(answers, 201) == 5);
    BOOST_TEST(count(answers, 402) == 5);
    for (auto const& answer : answers)
        if (answer.status == 402) BOOST_TEST(answer.code() == "insufficient_funds");
    BOOST_TEST(api.balance(ledger, "ann") == 0);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(five_equal_requests_with_one_key_have_one_effect, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    auto const key = fresh("key");
    auto const answers = at_once(Store::server(), 5, [&](Api& own, std::size_t) {
        return own.deposit(ledger, "ann", 100, key);
    });
    std::set<std::string> bodies;
    for (auto const& answer : answers) {
        bool const in_flight = answer.status == 409 && answer.code() == "idempotency_in_flight";
        BOOST_TEST((in_flight || answer.status == 201), answer.body);
        if (answer.status == 201) bodies.insert(answer.body);
    }
    BOOST_TEST(bodies.size() == 1U);
    BOOST_TEST(api.balance(ledger, "ann") == 100);
    BOOST_TEST(api.account(ledger, "ann").at("version").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_deposits_of_100_return_the_balances_100_to_1000, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    auto const answers = at_once(Store::server(), 10, [&](Api& own, std::size_t) {
        return own.deposit(ledger, "ann", 100);
    });
    std::set<std::int64_t> balances;
    for (auto const& answer : answers) {
        BOOST_TEST_REQUIRE(answer.status == 201);
        balances.insert(answer.document().at("balance").as_int64());
    }
    std::set<std::int64_t> const wanted{100, 200, 300, 400, 500, 600, 700, 800, 900, 1000};
    BOOST_TEST(balances == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_account_begins_at_zero_and_keeps_what_it_was_given, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann:1", R"(,"overdraft_limit":500,"metadata":{"a":[1,null]})");
    auto const account = api.account(ledger, "ann:1");
    BOOST_TEST(account.at("balance").as_int64() == 0);
    BOOST_TEST(account.at("held").as_int64() == 0);
    BOOST_TEST(account.at("available").as_int64() == 0);
    BOOST_TEST(account.at("version").as_int64() == 0);
    BOOST_TEST(account.at("overdraft_limit").as_int64() == 500);
    BOOST_TEST(json::serialize(account.at("metadata")) == R"({"a":[1,null]})");
    BOOST_TEST(text(account, "created_at") == text(account, "updated_at"));
    auto const again = api.post(ledger + "/accounts", R"({"address":"ann:1"})");
    BOOST_TEST(again.status == 409U);
    BOOST_TEST(again.code() == "account_exists");
    BOOST_TEST(api.get(ledger + "/accounts/nobody").code() == "account_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_debit_may_use_the_overdraft_and_not_one_unit_more, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann", R"(,"overdraft_limit":500)");
    api.new_account(ledger, "bob");
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 501).status == 402U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 500).status == 201U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 1).code() == "insufficient_funds");
    BOOST_TEST(api.balance(ledger, "ann") == -500);
    BOOST_TEST(api.balance(ledger, "bob") == 500);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_transfer_is_stored_as_it_was_shown, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann", R"(,"overdraft_limit":500)");
    api.new_account(ledger, "bob");
    auto const made = api.post(
        ledger + "/transfers",
        R"({"from":"ann","to":"bob","amount":7,"reference":"r/1","metadata":{"note":"\u00e4"}})");
    BOOST_TEST_REQUIRE(made.status == 201, made.body);
    auto const transfer = made.document().as_object();
    BOOST_TEST(text(transfer, "kind") == "transfer");
    BOOST_TEST(text(transfer, "from") == "ann");
    BOOST_TEST(text(transfer, "to") == "bob");
    BOOST_TEST(transfer.at("amount").as_int64() == 7);
    BOOST_TEST(text(transfer, "reference") == "r/1");
    auto const path = ledger + "/transfers/" + text(transfer, "id");
    BOOST_TEST(api.get(path).body == made.body);
    BOOST_TEST(api.get(ledger + "/transfers/nonsense").code() == "transfer_not_found");
    BOOST_TEST(api.get(ledger + "/transfers/01890a5d-ac96-774b-bcce-b302099a8057").status == 404U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(clients_may_name_platform_and_no_other_system_account, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    BOOST_TEST(api.deposit(ledger, "ann", 50).status == 201U);
    BOOST_TEST(api.transfer(ledger, "ann", "@platform", 30).status == 201U);
    BOOST_TEST(api.transfer(ledger, "@platform", "ann", 20).status == 201U);
    BOOST_TEST(api.balance(ledger, "@platform") == 10);
    BOOST_TEST(api.balance(ledger, "@world") == -50);
    BOOST_TEST(api.transfer(ledger, "@world", "ann", 1).status == 400U);
    BOOST_TEST(api.transfer(ledger, "ann", "@stream:1", 1).status == 400U);
    BOOST_TEST(api.transfer(ledger, "ann", "ann", 1).code() == "self_transfer");
    BOOST_TEST(api.post(ledger + "/accounts", R"({"address":"@mine"})").status == 400U);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_item_of_a_bulk_stands_alone_unless_it_is_atomic, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    BOOST_TEST(api.deposit(ledger, "ann", 100).status == 201U);
    auto const items = R"({"transfers":[)" + Api::movement("ann", "bob", 60) + ',' +
                       Api::movement("ann", "bob", 60) + ',' + Api::movement("bob", "ann", 10) +
                       ',' + Api::movement("ann", "nobody", 1) + ']';
    auto const refused = api.post(ledger + "/transfers/bulk", items + R"(,"atomic":true})");
    BOOST_TEST(refused.status == 422U);
    BOOST_TEST(refused.code() == "bulk_rejected");
    BOOST_TEST(refused.body.find(R"("/transfers/1")") != std::string::npos, refused.body);
    BOOST_TEST(api.balance(ledger, "ann") == 100);

    auto const key = fresh("key");
    auto const done = api.post(ledger + "/transfers/bulk", items + "}", key);
    BOOST_TEST_REQUIRE(done.status == 200, done.body);
    auto const document = done.document();
    std::vector<std::int64_t> statuses;
    for (auto const& result : document.at("results").as_array())
        statuses.push_back(result.at("status").as_int64());
    BOOST_TEST(statuses == (std::vector<std::int64_t>{201, 402, 201, 404}),
               boost::test_tools::per_element());
    BOOST_TEST(document.at("accepted").as_int64() == 2);
    BOOST_TEST(document.at("rejected").as_int64() == 2);
    BOOST_TEST(api.balance(ledger, "ann") == 50);

    auto const replay = api.post(ledger + "/transfers/bulk", items + "}", key);
    BOOST_TEST(replay.body == done.body);
    BOOST_TEST(replay.header("idempotent-replayed") == "true");
    BOOST_TEST(api.balance(ledger, "ann") == 50);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_atomic_bulk_applies_all_of_its_items_in_order, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"a", "b", "c"}) api.new_account(ledger, address);
    BOOST_TEST(api.deposit(ledger, "a", 10).status == 201U);
    auto const chain = R"({"atomic":true,"transfers":[)" + Api::movement("a", "b", 10) + ',' +
                       Api::movement("b", "c", 10) + "]}";
    auto const done = api.post(ledger + "/transfers/bulk", chain);
    BOOST_TEST(done.status == 200U, done.body);
    BOOST_TEST(done.document().at("accepted").as_int64() == 2);
    BOOST_TEST(api.balance(ledger, "c") == 10);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_transfer_is_reverted_once_while_the_money_is_there, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    BOOST_TEST(api.deposit(ledger, "ann", 100).status == 201U);
    auto const id = text(api.transfer(ledger, "ann", "bob", 40).document().as_object(), "id");
    auto const revert = ledger + "/transfers/" + id + "/revert";
    auto const away = api.withdraw(ledger, "bob", 1);
    BOOST_TEST(api.post(revert, "{}").code() == "insufficient_funds");
    BOOST_TEST(api.deposit(ledger, "bob", 1).status == 201U);
    auto const key = fresh("key");
    auto const reverted = api.post(revert, "{}", key);
    BOOST_TEST_REQUIRE(reverted.status == 201, reverted.body);
    auto const transfer = reverted.document().as_object();
    BOOST_TEST(text(transfer, "kind") == "revert");
    BOOST_TEST(text(transfer, "from") == "bob");
    BOOST_TEST(text(transfer, "to") == "ann");
    BOOST_TEST(api.post(revert, "{}").code() == "already_reverted");
    BOOST_TEST(api.post(revert, "{}", key).body == reverted.body);
    auto const second = ledger + "/transfers/" + text(transfer, "id") + "/revert";
    BOOST_TEST(api.post(second, "{}").code() == "illegal_transition");
    BOOST_TEST(api.post(ledger + "/transfers/nonsense/revert", "{}").status == 404U);
    BOOST_TEST(api.balance(ledger, "ann") == 100);
    BOOST_TEST(away.status == 201U);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_past_view_shows_the_balance_at_that_moment_inclusive, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    std::map<std::string, std::int64_t> last_balance_at;
    for (int i = 0; i < 200 && last_balance_at.size() < 3; ++i) {
        auto const made = api.deposit(ledger, "ann", 10).document().as_object();
        last_balance_at[text(made, "created_at")] = made.at("balance").as_int64();
    }
    BOOST_TEST(last_balance_at.size() == 3U);
    auto const path = ledger + "/accounts/ann?at=";
    for (auto const& [instant, balance] : last_balance_at) {
        auto const answer = api.get(path + instant);
        BOOST_TEST_REQUIRE(answer.status == 200, answer.body);
        BOOST_TEST(answer.document().at("balance").as_int64() == balance);
        BOOST_TEST(answer.document().at("held").is_null());
    }
    auto const before = api.get(path + "2020-01-01T00:00:00.000Z");
    BOOST_TEST(before.document().at("balance").as_int64() == 0);
    BOOST_TEST(before.document().at("version").as_int64() == 0);
    BOOST_TEST(api.get(path + "2999-01-01T00:00:00.000Z").status == 400U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(entries_are_a_statement_with_a_running_balance, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    BOOST_TEST(api.deposit(ledger, "ann", 100).status == 201U);
    for (int i = 0; i < 6; ++i) BOOST_TEST(api.transfer(ledger, "ann", "bob", 5).status == 201U);
    BOOST_TEST(api.transfer(ledger, "bob", "ann", 3).status == 201U);

    // New entries come before the first page: none of the old ones is skipped or repeated.
    auto const entries = walk(api, ledger + "/accounts/ann/entries", 3,
                              [&] { api.transfer(ledger, "ann", "bob", 1); });
    BOOST_TEST_REQUIRE(entries.size() == 8U);
    std::int64_t balance = 0;
    std::int64_t version = 0;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        auto const amount = entry->at("amount").as_int64();
        balance += text(*entry, "direction") == "credit" ? amount : -amount;
        BOOST_TEST(entry->at("balance_after").as_int64() == balance);
        BOOST_TEST(entry->at("version").as_int64() == ++version);
    }
    BOOST_TEST(text(entries.front(), "counterparty") == "bob");
    BOOST_TEST(text(entries.back(), "counterparty") == "@world");
    BOOST_TEST(api.get(ledger + "/accounts/nobody/entries").code() == "account_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_walk_over_transfers_meets_each_once_newest_first, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    std::vector<std::string> made;
    for (int i = 0; i < 11; ++i)
        made.push_back(text(api.deposit(ledger, "ann", 5).document().as_object(), "id"));
    std::sort(made.begin(), made.end());
    for (auto const* list : {"/transfers", "/transfers?account=ann"}) {
        std::vector<std::string> seen;
        std::string before = "9999";
        auto const items = walk(api, ledger + list, 4, [&] { api.deposit(ledger, "bob", 1); });
        for (auto const& item : items) {
            if (text(item, "to") != "ann") continue;
            // Two commits of one millisecond on two connections have no other order.
            BOOST_TEST((text(item, "created_at") <= before));
            before = text(item, "created_at");
            seen.push_back(text(item, "id"));
        }
        std::sort(seen.begin(), seen.end());
        BOOST_TEST(seen == made, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(transfers_are_filtered_by_account_kind_reference_and_time, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob", "cat"}) api.new_account(ledger, address);
    BOOST_TEST(api.deposit(ledger, "ann", 100).status == 201U);
    BOOST_TEST(api.transfer(ledger, "ann", "bob", 10).status == 201U);
    auto const marked = api.post(ledger + "/transfers",
                                 R"({"from":"bob","to":"cat","amount":5,"reference":"order 7"})");
    BOOST_TEST_REQUIRE(marked.status == 201, marked.body);
    auto const list = ledger + "/transfers";
    BOOST_TEST(walk(api, list, 200).size() == 3U);
    BOOST_TEST(walk(api, list + "?account=bob", 1).size() == 2U);
    BOOST_TEST(walk(api, list + "?account=nobody", 1).empty());
    BOOST_TEST(walk(api, list + "?kind=deposit", 1).size() == 1U);
    BOOST_TEST(walk(api, list + "?account=bob&kind=deposit", 1).empty());
    auto const found = walk(api, list + "?reference=order%207", 1);
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(json::serialize(found.front()) == json::serialize(marked.document()));
    auto const at = text(found.front(), "created_at");
    auto const from = walk(api, list + "?from=" + at, 200);
    auto const to = walk(api, list + "?to=" + at, 200);
    BOOST_TEST(from.size() + to.size() == 3U);
    for (auto const& item : from) BOOST_TEST(text(item, "created_at") >= at);
    for (auto const& item : to) BOOST_TEST(text(item, "created_at") < at);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(accounts_are_listed_by_address_without_the_systems, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"b", "a:2", "Z", "a:1", "a", "c"}) api.new_account(ledger, address);
    auto const addresses = [&](std::string const& query) {
        std::vector<std::string> all;
        for (auto const& item : walk(api, ledger + "/accounts" + query, 2))
            all.push_back(text(item, "address"));
        return all;
    };
    using Texts = std::vector<std::string>;
    auto const each = boost::test_tools::per_element();
    BOOST_TEST(addresses("") == (Texts{"Z", "a", "a:1", "a:2", "b", "c"}), each);
    BOOST_TEST(addresses("?prefix=a:") == (Texts{"a:1", "a:2"}), each);
    BOOST_TEST(addresses("?prefix=@") == (Texts{"@platform", "@world"}), each);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(totals_are_the_sums_over_the_transfers, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    for (long amount : {10, 20, 30}) BOOST_TEST(api.deposit(ledger, "ann", amount).status == 201U);
    BOOST_TEST(api.withdraw(ledger, "ann", 5).status == 201U);
    BOOST_TEST(api.withdraw(ledger, "ann", 500).status == 402U);
    auto const sent = api.transfer(ledger, "ann", "bob", 7).document().as_object();
    BOOST_TEST(api.post(ledger + "/transfers/" + text(sent, "id") + "/revert", "{}").status ==
               201U);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> sums;
    for (auto const& item : walk(api, ledger + "/transfers", 2)) {
        auto& [number, amount] = sums[text(item, "kind")];
        number += 1;
        amount += item.at("amount").as_int64();
    }
    BOOST_TEST(sums.size() == 4U);
    for (auto const& total : api.totals(ledger)) {
        auto const& [number, amount] = sums[std::string(total.key())];
        BOOST_TEST(total.value().at("count").as_int64() == number, total.key());
        BOOST_TEST(total.value().at("amount").as_int64() == amount, total.key());
    }
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ledger_is_made_changed_listed_and_taken_once, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger(R"(,"issuers":["mint"])");
    auto const name = ledger.substr(ledger.rfind('/') + 1);
    auto const again =
        api.post("/v1/ledgers", R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2}})");
    BOOST_TEST(again.status == 409U);
    BOOST_TEST(again.code() == "ledger_exists");
    auto const shown = api.get(ledger).document().as_object();
    BOOST_TEST(text(shown, "kind") == "money");
    BOOST_TEST(text(shown, "posting") == "durable");
    BOOST_TEST(text(shown, "accounts") == "explicit");
    BOOST_TEST(shown.at("royalty_percent").as_int64() == 70);
    auto const changed = api.patch(ledger, R"({"royalty_percent":55,"drain":"expiration"})");
    BOOST_TEST(changed.status == 200U, changed.body);
    auto const after = api.get(ledger).document().as_object();
    BOOST_TEST(after.at("royalty_percent").as_int64() == 55);
    BOOST_TEST(text(after, "drain") == "expiration");
    BOOST_TEST(json::serialize(after.at("issuers")) == R"(["mint"])");
    std::size_t listed = 0;
    for (auto const& item : walk(api, "/v1/ledgers", 7)) listed += text(item, "name") == name;
    BOOST_TEST(listed == 1U);
    BOOST_TEST(api.get("/v1/ledgers/no-such-ledger").code() == "ledger_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ledger_is_deleted_only_at_rest_at_zero, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 201U);
    auto const refused = api.remove(ledger);
    BOOST_TEST(refused.status == 409U);
    BOOST_TEST(refused.code() == "ledger_not_empty");
    BOOST_TEST(api.withdraw(ledger, "ann", 5).status == 201U);
    auto const deleted = api.remove(ledger);
    BOOST_TEST(deleted.status == 204U, deleted.body);
    BOOST_TEST(api.get(ledger).code() == "ledger_not_found");
    BOOST_TEST(api.deposit(ledger, "ann", 5).code() == "ledger_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(money_does_not_move_on_a_ledger_of_credits, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger(R"(,"kind":"credits")");
    auto const refused = api.deposit(ledger, "ann", 5);
    BOOST_TEST(refused.status == 409U);
    BOOST_TEST(refused.code() == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_implicit_ledger_opens_the_account_that_is_paid, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const implicit = api.new_ledger(R"(,"accounts":"implicit")");
    BOOST_TEST(api.transfer(implicit, "ann", "bob", 1).code() == "insufficient_funds");
    BOOST_TEST(api.deposit(implicit, "ann", 5).status == 201U);
    BOOST_TEST(api.transfer(implicit, "ann", "bob", 2).status == 201U);
    BOOST_TEST(api.balance(implicit, "bob") == 2);
    check_verified(api, implicit);
    auto const strict = api.new_ledger();
    auto const refused = api.deposit(strict, "ann", 5);
    BOOST_TEST(refused.status == 404U);
    BOOST_TEST(refused.code() == "account_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_replay_is_byte_for_byte_whatever_happened_since, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    auto const key = fresh("key");
    auto const first = api.post(ledger + "/deposits",
                                R"({"account":"ann","amount":5,"metadata":{"z":1,"a":2}})", key);
    BOOST_TEST_REQUIRE(first.status == 201, first.body);
    BOOST_TEST(first.header("idempotent-replayed").empty());
    BOOST_TEST(api.deposit(ledger, "ann", 7).status == 201U);
    // The canonical body decides: neither the order of the members nor white space.
    auto const replay = api.post(
        ledger + "/deposits", R"({ "metadata":{"a":2,"z":1}, "amount":5, "account":"ann" })", key);
    BOOST_TEST(replay.status == 201U);
    BOOST_TEST(replay.body == first.body);
    BOOST_TEST(replay.header("idempotent-replayed") == "true");
    BOOST_TEST(api.balance(ledger, "ann") == 12);

    auto const other_body = api.deposit(ledger, "ann", 6, key);
    BOOST_TEST(other_body.status == 422U);
    BOOST_TEST(other_body.code() == "idempotency_key_reused");
    auto const other_path = api.withdraw(ledger, "ann", 5, key);
    BOOST_TEST(other_path.code() == "idempotency_key_reused");
    BOOST_TEST(api.balance(ledger, "ann") == 12);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_kind_of_creation_replays, Store, StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const twice = [&](std::string const& path, std::string const& body) {
        auto const key = fresh("key");
        auto const first = api.post(path, body, key);
        BOOST_TEST(first.status == 201U, first.body);
        auto const second = api.post(path, body, key);
        BOOST_TEST(second.status == 201U);
        BOOST_TEST(second.body == first.body);
        BOOST_TEST(second.header("idempotent-replayed") == "true");
    };
    twice("/v1/ledgers",
          R"({"name":")" + fresh("ledger") + R"(","asset":{"code":"EUR","scale":2}})");
    twice(ledger + "/accounts", R"({"address":"ann","overdraft_limit":10})");
    twice("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
    twice(ledger + "/withdrawals", R"({"account":"ann","amount":3})");
    BOOST_TEST(api.balance(ledger, "ann") == -3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_refusal_is_not_recorded_so_its_key_may_succeed_later, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    auto const key = fresh("key");
    BOOST_TEST(api.withdraw(ledger, "ann", 5, key).status == 402U);
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 201U);
    BOOST_TEST(api.withdraw(ledger, "ann", 5, key).status == 201U);
    BOOST_TEST(api.balance(ledger, "ann") == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_balance_that_would_leave_64_bits_is_refused, Store,
                              StoresAndModes) {
    auto const ledger = Api(Store::server()).new_ledger();
    Api(Store::server()).new_account(ledger, "ann");
    // 2^63 - 1 holds 1024 times the greatest amount, and not once more.
    auto const answers = at_once(Store::server(), 8, [&](Api& own, std::size_t) {
        HttpAnswer last;
        for (int i = 0; i < 128; ++i) last = own.deposit(ledger, "ann", 9'007'199'254'740'991);
        return last;
    });
    BOOST_TEST(count(answers, 201) == 8);
    Api api(Store::server());
    auto const refused = api.deposit(ledger, "ann", 9'007'199'254'740'991);
    BOOST_TEST(refused.status == 422U);
    BOOST_TEST(refused.code() == "amount_overflow");
    BOOST_TEST(api.balance(ledger, "ann") == 1024 * 9'007'199'254'740'991);
    check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
