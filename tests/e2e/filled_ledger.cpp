// Is the past that the bench makes with one SQL script one that the server could have made?
#include <fstream>
#include <sstream>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

void replace_all(std::string& text, std::string const& what, std::string const& by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

/// The script, its variables filled in as psql would.
std::string fill_script(std::string const& name, std::string const& ledger, int accounts,
                        std::string const& size_name, int size) {
    std::ifstream file(PENSTOCK_SOURCE_DIR "/bench/sql/" + name);
    std::stringstream text;
    text << file.rdbuf();
    auto script = text.str();
    replace_all(script, ":'ledger'", "'" + ledger + "'");
    replace_all(script, ":accounts", std::to_string(accounts));
    replace_all(script, size_name, std::to_string(size));
    return script;
}

std::string valid_indexes(Database const& database, std::string const& table) {
    return Operator(url_of(database))("SELECT count(*) FROM pg_index WHERE indrelid = '" + table +
                                      "'::regclass AND indisvalid");
}

BOOST_AUTO_TEST_SUITE(filled_ledger)

BOOST_AUTO_TEST_CASE(a_filled_ledger_keeps_every_invariant_and_goes_on_like_any_other) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Operator(url_of(database))(fill_script("fill_ledger.sql", "flat", 7, ":transfers", 7 * 150));
    Api api(server);
    std::string const ledger = "/v1/ledgers/flat";
    check_verified(api, ledger);
    BOOST_TEST(api.totals(ledger).at("transfer").at("count").as_int64() == 7 * 150);
    BOOST_TEST(api.account(ledger, "account:0000003").at("version").as_int64() == 301);
    auto const newest = api.get(ledger + "/transfers?limit=200");
    BOOST_TEST(newest.document().at("data").as_array().size() == 200U);

    BOOST_TEST(api.transfer(ledger, "account:0000003", "account:0000006", 5).status == 201U);
    BOOST_TEST(api.deposit(ledger, "account:0000000", 5).status == 201U);
    check_verified(api, ledger);
    Database plain;
    ServerProcess other({"--database-url", url_of(plain)});
    BOOST_TEST(valid_indexes(database, "transfers") == valid_indexes(plain, "transfers"));
}

BOOST_AUTO_TEST_CASE(a_filled_ledger_of_credits_too) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Operator(url_of(database))(fill_script("fill_credits.sql", "points", 7, ":rows", 7 * 150));
    Api api(server);
    std::string const ledger = "/v1/ledgers/points";
    check_verified(api, ledger);
    auto const shown = [&](std::string const& address) {
        return api.get(ledger + "/credits/balances/" + address).document().as_object();
    };
    for (auto const* const address : {"account:0000002", "account:0000003"}) {
        auto const purse = shown(address);
        BOOST_TEST(purse.at("balance").as_int64() == 250);
        BOOST_TEST(purse.at("lots").as_array().size() == 3U);
        BOOST_TEST(purse.at("lots").at(0).at("amount_remaining").as_int64() == 50);
    }
    auto const totals = api.totals(ledger);
    BOOST_TEST(totals.at("credits_granted").at("count").as_int64() == 7 * 76);
    BOOST_TEST(totals.at("credits_spent").at("count").as_int64() == 7 * 74);
    auto const newest = api.get(ledger + "/credits/history?limit=200");
    BOOST_TEST(newest.document().at("data").as_array().size() == 200U);

    auto const spent =
        api.post(ledger + "/credits/expenses",
                 R"({"reference":"next","entries":[{"address":"account:0000003","amount":120}]})");
    BOOST_TEST(spent.status == 201U);
    BOOST_TEST(shown("account:0000003").at("lots").as_array().size() == 2U);
    check_verified(api, ledger);
    Database plain;
    ServerProcess other({"--database-url", url_of(plain)});
    for (auto const* const table : {"credit_operations", "credit_entries", "credit_lots"})
        BOOST_TEST(valid_indexes(database, table) == valid_indexes(plain, table));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
