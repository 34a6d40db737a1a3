// Are lots that do not follow from their history found and rebuilt: by a server before it listens,
// and by the command?
#include "tests/e2e/points.hpp"
#include "tests/support/postgres.hpp"

namespace penstock::tests {
namespace {

constexpr char const* nothing_yet = "'00000000-0000-0000-0000-000000000000'";

/// A database that a server has worked on, and what it said last of two addresses.
struct Worked {
    Worked() {
        ServerProcess server({"--database-url", url});
        Api api(server);
        path = new_points(api);
        grant(api, path, entry("ann", 100, far_away) + "," + entry("ann", 50));
        grant(api, path, entry("bob", 30) + "," + entry("ann", 20));
        BOOST_TEST_REQUIRE(act(api, path, "expenses", entry("ann", 120)).status == 201U);
        BOOST_TEST_REQUIRE(
            act(api, path, "transfers", entry("bob", 5), R"(,"from":"ann")").status == 201U);
        ann = shown(api, "ann");
        bob = shown(api, "bob");
        name = path.substr(path.rfind('/') + 1);
        server.terminate();
        BOOST_TEST_REQUIRE((server.exit_code() == 0));
    }

    std::string shown(Api& api, std::string const& address) const {
        return api.get(path + "/credits/balances/" + address).body;
    }
    void sql(std::string const& statement) { operator_(statement); }

    ServerProcess::Ended command(std::string const& verb, std::vector<std::string> more = {}) {
        std::vector<std::string> words{verb, "--database-url", url};
        words.insert(words.end(), more.begin(), more.end());
        return ServerProcess::run(words);
    }

    Database database;
    std::string url = url_of(database);
    std::string path, name, ann, bob;

private:
    Operator operator_ = database.connect();
};

bool says(ServerProcess::Ended const& ended, std::string const& words) {
    return ended.output.find(words) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(credits_repair)

BOOST_AUTO_TEST_CASE(lots_that_are_behind_are_rebuilt_before_the_server_listens) {
    Worked worked;
    worked.sql("DELETE FROM credit_lots");
    worked.sql("UPDATE credit_ledgers SET lots_last = " + std::string(nothing_yet));
    // Where another one listens it must give up, but the lots come first.
    ServerProcess const another({});
    auto const listen = "127.0.0.1:" + std::to_string(another.port());
    auto const ended = worked.command("serve", {"--listen", listen});
    BOOST_TEST(ended.code == 1, ended.output);
    BOOST_TEST(says(ended, "credit_lots_rebuilt"), ended.output);
    BOOST_TEST(says(ended, "5 missing"), ended.output);

    ServerProcess server({"--database-url", worked.url});
    Api api(server);
    BOOST_TEST(worked.shown(api, "ann") == worked.ann);
    BOOST_TEST(worked.shown(api, "bob") == worked.bob);
    check_verified(api, worked.path);
    BOOST_TEST(act(api, worked.path, "expenses", entry("ann", 46)).status == 402U);
    BOOST_TEST(act(api, worked.path, "expenses", entry("ann", 45)).status == 201U);
    check_verified(api, worked.path);
}

BOOST_AUTO_TEST_CASE(a_ledger_of_which_nothing_says_how_far_it_is_is_rebuilt_too) {
    Worked worked;
    worked.sql("DELETE FROM credit_lots");
    worked.sql("DELETE FROM credit_ledgers");
    ServerProcess server({"--database-url", worked.url});
    Api api(server);
    BOOST_TEST(worked.shown(api, "ann") == worked.ann);
    BOOST_TEST(act(api, worked.path, "expenses", entry("ann", 45)).status == 201U);
    check_verified(api, worked.path);
}

BOOST_AUTO_TEST_CASE(a_server_does_not_serve_lots_that_cannot_be_rebuilt) {
    Worked worked;
    worked.sql("UPDATE credit_entries SET amount = -1000 WHERE amount = -120");
    worked.sql("UPDATE credit_ledgers SET lots_last = " + std::string(nothing_yet));
    auto const ended = worked.command("serve", {"--listen", "127.0.0.1:0"});
    BOOST_TEST(ended.code == 1, ended.output);
    BOOST_TEST(says(ended, worked.name + " cannot be rebuilt"), ended.output);
    auto const repaired = worked.command("repair");
    BOOST_TEST(repaired.code == 1, repaired.output);
    BOOST_TEST(says(repaired, "contradicts itself"), repaired.output);
}

BOOST_AUTO_TEST_CASE(the_command_repairs_one_address_one_ledger_or_all) {
    Worked worked;
    auto const clean = worked.command("repair");
    BOOST_TEST(clean.code == 0, clean.output);
    BOOST_TEST(says(clean, "1 ledgers of credits, 0 mended, 0 failed"), clean.output);
    worked.sql("UPDATE credit_lots SET amount_remaining = amount, is_open = true");
    auto const wrong = worked.command("verify");
    BOOST_TEST(wrong.code == 1, wrong.output);
    BOOST_TEST(says(wrong, "FAILED credit_lots_equal_replay"), wrong.output);

    auto const ann = worked.command("repair", {"--ledger", worked.name, "--address", "ann"});
    BOOST_TEST(ann.code == 0, ann.output);
    BOOST_TEST(says(ann, "2 differing"), ann.output);
    BOOST_TEST(worked.command("verify").code == 0);
    worked.sql("DELETE FROM credit_lots");
    auto const all = worked.command("repair", {"--ledger", worked.name});
    BOOST_TEST(all.code == 0, all.output);
    BOOST_TEST(says(all, "mended 5 missing"), all.output);
    BOOST_TEST(says(all, "rows/s"), all.output);
    BOOST_TEST(worked.command("verify", {"--ledger", worked.name}).code == 0);
}

BOOST_AUTO_TEST_CASE(the_command_says_what_there_is_not) {
    Worked worked;
    BOOST_TEST(worked.command("repair", {"--ledger", "none"}).code == 1);
    BOOST_TEST(worked.command("repair", {"--ledger", worked.name, "--address", "zoe"}).code == 1);
    BOOST_TEST(worked.command("repair", {"--address", "ann"}).code == 2);
    auto const other =
        worked.command("repair", {"--organization", "00000000-0000-7000-8000-00000000ffff"});
    BOOST_TEST(other.code == 0, other.output);
    BOOST_TEST(says(other, "0 ledgers of credits"), other.output);
    BOOST_TEST(ServerProcess::run({"repair"}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
