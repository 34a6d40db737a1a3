// Does the widest bulk that there is work, is it repeated byte by byte, and what does keeping it
// cost?
#include <type_traits>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

constexpr std::size_t items_max = 10'000;
/// This item wants more than there is.
constexpr std::size_t too_dear = 4'321;

/// From ann to bob and to carl in turn, 1 each; one of them `dear`.
std::string bulk_of(std::string const& more, long dear) {
    std::string text = "{";
    if (!more.empty()) text += more + ',';
    text += R"("transfers":[)";
    for (std::size_t i = 0; i < items_max; ++i)
        text +=
            (i ? "," : "") + Api::movement("ann", i % 2 ? "carl" : "bob", i == too_dear ? dear : 1);
    return text + "]}";
}

struct Bulk {
    explicit Bulk(ServerProcess const& server) : api(server) {
        api.with("Request-Timeout-Ms", "60000");
        ledger = api.new_ledger();
        for (auto const* address : {"ann", "bob", "carl"}) api.new_account(ledger, address);
        BOOST_TEST(api.deposit(ledger, "ann", 20'000).status == 201U);
    }

    HttpAnswer send(std::string const& body) {
        return api.post(ledger + "/transfers/bulk", body, key);
    }

    void check_repeated(std::string const& body, HttpAnswer const& first) {
        auto const again = send(body);
        BOOST_TEST(again.status == 200U, again.body.substr(0, 500));
        BOOST_TEST(again.header("idempotent-replayed") == "true");
        BOOST_TEST((again.body == first.body));
        BOOST_TEST(send(bulk_of("", 2)).code() == "idempotency_key_reused");
    }

    /// Ids and codes are kept: what the answer says is in the transfers already.
    void check_kept_compactly(HttpAnswer const& first) {
        auto sql = Servers::current->database.connect();
        auto const of_it = " FROM answers WHERE cardinality(items) = " + std::to_string(items_max) +
                           " AND ledger_id = (SELECT id FROM ledgers WHERE '/v1/ledgers/' || name"
                           " = '" +
                           ledger + "')";
        BOOST_TEST(sql("SELECT max(octet_length(body))" + of_it) == "0");
        auto const bytes = std::stoul(
            sql("SELECT max(pg_column_size(items) + pg_column_size(transfers))" + of_it));
        BOOST_TEST(bytes > 0U);
        BOOST_TEST(bytes < items_max * 20);
        BOOST_TEST(first.body.size() > bytes * 10);
    }

    Api api;
    std::string ledger;
    std::string key = fresh("key");
};

BOOST_AUTO_TEST_SUITE(bulk, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_thousand_transfers_at_once_are_booked_and_repeated, Store,
                              Stores) {
    Bulk bulk(Store::server());
    auto const body = bulk_of("", 1'000'000);
    auto const first = bulk.send(body);
    BOOST_TEST_REQUIRE(first.status == 200U, first.body.substr(0, 500));
    auto const document = first.document();
    auto const& results = document.at("results").as_array();
    BOOST_TEST_REQUIRE(results.size() == items_max);
    std::size_t created = 0;
    for (auto const& result : results)
        if (result.at("status").as_int64() == 201) ++created;
    BOOST_TEST(created == items_max - 1);
    BOOST_TEST(results[too_dear].at("status").as_int64() == 402);
    bulk.check_repeated(body, first);
    if constexpr (std::is_same_v<Store, OnPostgres>) bulk.check_kept_compactly(first);
    BOOST_TEST(bulk.api.balance(bulk.ledger, "ann") == 20'000 - static_cast<long>(created));
    BOOST_TEST(bulk.api.balance(bulk.ledger, "bob") == 5'000);
    BOOST_TEST(bulk.api.balance(bulk.ledger, "carl") == 4'999);
    check_verified(bulk.api, bulk.ledger);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_thousand_transfers_that_are_one_are_all_booked_or_none, Store,
                              Stores) {
    Bulk bulk(Store::server());
    std::string const atomic = R"("atomic":true)";
    auto const refused = bulk.send(bulk_of(atomic, 1'000'000));
    BOOST_TEST(refused.code() == "bulk_rejected", refused.body.substr(0, 500));
    BOOST_TEST(refused.body.find("/transfers/" + std::to_string(too_dear)) != std::string::npos,
               refused.body.substr(0, 500));
    BOOST_TEST(bulk.api.balance(bulk.ledger, "ann") == 20'000);
    auto const body = bulk_of(atomic, 1);
    auto const first = bulk.send(body);
    BOOST_TEST_REQUIRE(first.status == 200U, first.body.substr(0, 500));
    BOOST_TEST(first.document().at("results").as_array().size() == items_max);
    bulk.check_repeated(body, first);
    if constexpr (std::is_same_v<Store, OnPostgres>) bulk.check_kept_compactly(first);
    BOOST_TEST(bulk.api.balance(bulk.ledger, "ann") == 10'000);
    BOOST_TEST(bulk.api.account(bulk.ledger, "ann").at("version").as_int64() == 10'001);
    check_verified(bulk.api, bulk.ledger);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
