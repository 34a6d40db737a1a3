// Does a copy that was interrupted go on where it was?
#include <sstream>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

constexpr int bulks = 8;
constexpr int of_a_bulk = 1'000;

/// A ledger whose transfers are several ranges of a comparison.
void fill(std::string const& url) {
    ServerProcess server({"--database-url", url});
    Api api(server);
    auto const ledger = api.new_ledger();
    for (auto const* account : {"ann", "bob"}) api.new_account(ledger, account);
    BOOST_TEST(api.deposit(ledger, "ann", bulks * of_a_bulk).status == 201U);
    std::string text = R"({"transfers":[)";
    for (int i = 0; i < of_a_bulk; ++i) text += (i ? "," : "") + Api::movement("ann", "bob", 1);
    text += "]}";
    for (int i = 0; i < bulks; ++i)
        BOOST_TEST(api.post(ledger + "/transfers/bulk", text).status == 200U);
    server.terminate();
    BOOST_TEST(server.exit_code().value_or(-1) == 0);
}

/// In the copy, as somebody else: whoever comes to this transfer waits for the end of it.
void stand_in_the_way_of(Operator& copy, std::string const& ledger, std::string const& id) {
    copy("BEGIN");
    copy(
        "INSERT INTO transfers (id, ledger_id, from_account, to_account, amount, from_balance,"
        " from_version, to_balance, to_version, created_at, kind) VALUES ('" +
        id + "', '" + ledger + "', gen_random_uuid(), gen_random_uuid(), 1, 0, 1, 0, 1, now(), 3)");
}

/// What stands behind a name and before the next blank.
std::string word_behind(std::string const& text, std::string const& name) {
    auto const at = text.find(name);
    if (at == text.npos) return "";
    std::istringstream rest(text.substr(at + name.size()));
    std::string word;
    rest >> word;
    return word;
}

BOOST_AUTO_TEST_SUITE(backfill)

BOOST_AUTO_TEST_CASE(a_backfill_that_was_killed_within_a_table_goes_on_behind_what_it_had_done) {
    Cluster one, other;
    auto const a = one.url(), b = other.url();
    fill(a);
    BOOST_TEST(ServerProcess::run({"migrate", "--database-url", b}).code == 0);
    Operator primary(a), copy(b), watch(b);
    auto const ledger = primary("SELECT ledger_id FROM transfers WHERE kind = 3 LIMIT 1");
    auto const third_range =
        primary("SELECT id FROM transfers WHERE kind = 3 ORDER BY id OFFSET 5000 LIMIT 1");
    stand_in_the_way_of(copy, ledger, third_range);
    {
        auto backfill =
            ServerProcess::started({"backfill", "--from", a, "--to", b, "--rows-per-s", "3000"});
        watch.await(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND application_name LIKE 'penstock%-move'",
            "1");
        backfill.kill();
    }
    copy("ROLLBACK");
    watch.await("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%-move'", "0");
    BOOST_TEST(watch("SELECT complete FROM penstock_shadow.backfill"
                     " WHERE table_name = 'transfers'") == "f");
    auto const after = watch(
        "SELECT format('%L::uuid, %L::int2, %L::uuid', after_key[1],"
        " after_key[2], after_key[3]) FROM penstock_shadow.backfill"
        " WHERE table_name = 'transfers' AND after_key IS NOT NULL");
    BOOST_REQUIRE(!after.empty());
    auto const all = primary("SELECT count(*) FROM transfers");
    auto const left =
        primary("SELECT count(*) FROM transfers WHERE (ledger_id, kind, id) > (" + after + ')');
    BOOST_TEST(std::stoi(left) < std::stoi(all));

    auto const resumed = ServerProcess::run({"backfill", "--from", a, "--to", b});
    BOOST_TEST(resumed.code == 0, resumed.output);
    // What it had done it does not even look at; and of the tables before this one nothing.
    BOOST_TEST(word_behind(resumed.output, "transfers: ") == left, resumed.output);
    BOOST_TEST(resumed.output.find("accounts: ") == std::string::npos, resumed.output);
    auto const same = ServerProcess::run({"parity", "--from", a, "--to", b});
    BOOST_TEST(same.code == 0, same.output);
    BOOST_TEST(watch("SELECT count(*) FROM transfers") == all);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
