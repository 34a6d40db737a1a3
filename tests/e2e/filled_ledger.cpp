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
std::string fill_script(std::string const& ledger, int accounts, int transfers) {
    std::ifstream file(PENSTOCK_SOURCE_DIR "/bench/sql/fill_ledger.sql");
    std::stringstream text;
    text << file.rdbuf();
    auto script = text.str();
    replace_all(script, ":'ledger'", "'" + ledger + "'");
    replace_all(script, ":accounts", std::to_string(accounts));
    replace_all(script, ":transfers", std::to_string(transfers));
    return script;
}

BOOST_AUTO_TEST_SUITE(filled_ledger)

BOOST_AUTO_TEST_CASE(a_filled_ledger_keeps_every_invariant_and_goes_on_like_any_other) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Operator(url_of(database))(fill_script("flat", 7, 7 * 150));
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
    auto const indexes = Operator(url_of(database))(
        "SELECT count(*) FROM pg_index WHERE indrelid = 'transfers'::regclass AND indisvalid");
    Database plain;
    ServerProcess other({"--database-url", url_of(plain)});
    auto const as_migrated = Operator(url_of(plain))(
        "SELECT count(*) FROM pg_index WHERE indrelid = 'transfers'::regclass AND indisvalid");
    BOOST_TEST(indexes == as_migrated);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
