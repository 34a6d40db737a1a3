// Does each hold end once when it is due, whoever looks, dies or is stuck meanwhile?
#include <algorithm>
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

constexpr std::size_t ledgers_many = 20;
constexpr int holds_each = 20;

std::vector<std::string> server_options(Database const& database, std::string const& items) {
    return {
        "--database-url", url_of(database), "--hold-expiry-ms", "20", "--hold-expiry-items", items};
}

/// Ledgers in which ann has money; where the payees appear by themselves.
std::vector<std::string> open_ledgers(Api& api, std::size_t count) {
    std::vector<std::string> ledgers;
    for (std::size_t i = 0; i < count; ++i) {
        ledgers.push_back(api.new_ledger(R"(,"accounts":"implicit")"));
        BOOST_TEST_REQUIRE(api.deposit(ledgers.back(), "ann", 1'000).status == 201U);
    }
    return ledgers;
}

HttpAnswer place(Api& api, std::string const& ledger) {
    return api.post(ledger + "/holds",
                    R"({"from":"ann","to":"bob","amount":1,"expires_in_s":86400})");
}

/// `holds_each` in each ledger; returns their ids.
std::set<std::string> place_many(ServerProcess const& server,
                                 std::vector<std::string> const& ledgers) {
    std::vector<std::vector<std::string>> placed(ledgers.size());
    at_once(server, ledgers.size(), [&](Api& api, std::size_t at) {
        HttpAnswer answer;
        for (int i = 0; i < holds_each; ++i) {
            answer = place(api, ledgers[at]);
            if (answer.status != 201) break;
            placed[at].emplace_back(answer.document().as_object().at("id").as_string());
        }
        return answer;
    });
    std::set<std::string> ids;
    for (auto const& some : placed) ids.insert(some.begin(), some.end());
    BOOST_TEST_REQUIRE(ids.size() == ledgers.size() * holds_each);
    return ids;
}

/// For longer than a ledger that has failed is left alone.
void await_ended(Operator& sql, std::size_t at_least) {
    auto const wanted = static_cast<int>(at_least);
    for (int i = 0; i < 6'000; ++i) {
        if (std::stoi(sql("SELECT count(*) FROM holds WHERE status = 3")) >= wanted) return;
        sql("SELECT pg_sleep(0.01)");
    }
    BOOST_FAIL(wanted << " holds have not ended");
}

std::string of_ledger(std::string const& path) {
    return "ledger_id = (SELECT id FROM ledgers WHERE name = '" + path.substr(path.rfind('/') + 1) +
           "')";
}

BOOST_AUTO_TEST_SUITE(hold_expiry)

BOOST_AUTO_TEST_CASE(of_many_holds_each_ends_once_while_servers_die_and_come_back) {
    Database database;
    auto sql = database.connect();
    auto const options = server_options(database, "16");
    ServerProcess first(options);
    Api api(first);
    auto const ledgers = open_ledgers(api, ledgers_many);
    auto const ids = place_many(first, ledgers);
    {
        ServerProcess second(options);
        // Due within two seconds, everywhere at the same time.
        sql("UPDATE holds SET expires_at = clock_timestamp() + random() * interval '2 s'");
        await_ended(sql, ids.size() / 4);
        second.kill();
    }
    ServerProcess third(options);
    await_ended(sql, ids.size());
    std::set<std::string> told;
    auto const feed = walk(api, "/v1/activity?type=hold.expired", 100);
    for (auto const& event : feed) told.emplace(event.at("subject").as_string());
    BOOST_TEST(feed.size() == ids.size());
    BOOST_TEST((told == ids));
    for (auto const& ledger : ledgers) {
        BOOST_TEST(api.account(ledger, "ann").at("held").as_int64() == 0);
        check_verified(api, ledger);
    }
}

BOOST_AUTO_TEST_CASE(a_ledger_whose_holds_cannot_end_hides_no_other_ones) {
    Database database;
    auto sql = database.connect();
    std::vector<std::string> ledgers;
    {
        ServerProcess server(server_options(database, "5"));
        Api api(server);
        // More than the server has lanes, so that some share none with the first.
        ledgers = open_ledgers(api, 16);
        for (int i = 0; i < 5; ++i) BOOST_TEST(place(api, ledgers.front()).status == 201U);
        for (auto const& ledger : ledgers) BOOST_TEST(place(api, ledger).status == 201U);
    }
    auto const stuck = of_ledger(ledgers.front());
    RowLock lock(database, ledgers.front());
    sql("UPDATE holds SET expires_at = now() - interval '1 minute'");
    sql("UPDATE holds SET expires_at = now() - interval '1 hour' WHERE " + stuck);
    ServerProcess server(server_options(database, "5"));
    await_ended(sql, 1);
    BOOST_TEST(sql("SELECT count(*) FROM holds WHERE status = 3 AND " + stuck) == "0");
    Api api(server);
    BOOST_TEST(metric(api, "penstock_expiry_failures_total") > 0);
    lock.release();
    await_ended(sql, 5 + ledgers.size());
    BOOST_TEST(sql("SELECT count(*) FROM holds WHERE status = 0") == "0");
    for (auto const& ledger : ledgers) check_verified(api, ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
