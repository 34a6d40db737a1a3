// Is a key judged before what its path names? What was done is answered again, whatever went since.
#include "tests/e2e/points.hpp"
#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

constexpr char const* unknown_id = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A repetition: the same bytes, said to be one.
void check_repeats(HttpAnswer const& again, HttpAnswer const& first) {
    BOOST_TEST(again.status == first.status, again.body);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true", first.body);
}

/// A request that was done, to be sent again.
struct Asked {
    std::string path;
    std::string body;
    std::string key = fresh("key");
    HttpAnswer first = {};
};

/// A ledger in which everything of money was done that leaves a key, and that is empty again.
class Emptied {
public:
    explicit Emptied(Api& api) : api_(api), ledger(api.new_ledger()) {
        for (auto const* address : {"ann", "bob"})
            ask(ledger + "/accounts", R"({"address":")" + std::string(address) + R"("})");
        ask(ledger + "/deposits", Api::one_sided("ann", 100));
        revert(ask(ledger + "/transfers", Api::movement("ann", "bob", 7)));
        ask(ledger + "/transfers/bulk",
            R"({"transfers":[)" + Api::movement("ann", "bob", 3) + "]}");
        auto const bought =
            ask(ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":10})");
        ask(ledger + "/purchases/" + bought + "/refund", "{}");
        auto const first = hold();
        ask(ledger + "/holds/" + first + "/capture", R"({"amount":4})");
        ask(ledger + "/holds/" + hold() + "/void", "{}");
        ask(ledger + "/reports", R"({"type":"financial"})");
        ask("/v1/exports", R"({"source":"transfers","format":"csv","ledger":")" +
                               ledger.substr(ledger.rfind('/') + 1) + R"("})");
        for (auto const* address : {"ann", "bob"})
            ask(ledger + "/withdrawals", Api::one_sided(address, api.balance(ledger, address)));
    }

    void check_all_repeat() {
        for (auto const& each : asked_) {
            BOOST_TEST_CONTEXT(each.path)
            check_repeats(api_.post(each.path, each.body, each.key), each.first);
        }
    }

private:
    std::string ask(std::string const& path, std::string const& body) {
        Asked asked{path, body};
        asked.first = api_.post(path, body, asked.key);
        BOOST_REQUIRE_MESSAGE(asked.first.status < 300, path << ' ' << asked.first.body);
        asked_.push_back(asked);
        auto const document = asked.first.document().as_object();
        auto const* id = document.if_contains("id");
        return id ? std::string(id->as_string()) : "";
    }
    void revert(std::string const& transfer) {
        ask(ledger + "/transfers/" + transfer + "/revert", "{}");
    }
    std::string hold() { return ask(ledger + "/holds", R"({"from":"ann","to":"bob","amount":5})"); }

    Api& api_;
    std::vector<Asked> asked_;

public:
    std::string ledger;
};

BOOST_AUTO_TEST_SUITE(late_keys, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_deletion_is_repeated_for_its_key_and_for_no_other, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const key = fresh("key");
    auto const gone = api.remove(ledger, key);
    BOOST_TEST(gone.status == 204U);
    BOOST_TEST(gone.header("idempotent-replayed") == "");
    check_repeats(api.remove(ledger, key), gone);
    BOOST_TEST(api.remove(ledger).code() == "ledger_not_found");
    BOOST_TEST(api.remove(ledger, fresh("key")).code() == "ledger_not_found");
    BOOST_TEST(api.patch(ledger, R"({"royalty_percent":1})", key).code() ==
               "idempotency_key_reused");
    // Who is late does not delete what has the name now.
    auto const name = ledger.substr(ledger.rfind('/') + 1);
    auto const again =
        api.post("/v1/ledgers", R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2}})");
    BOOST_TEST(again.status == 201U, again.body);
    check_repeats(api.remove(ledger, key), gone);
    BOOST_TEST(api.get(ledger).status == 200U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_is_repeated_for_its_key_and_changes_nothing_then, Store,
                              StoresAndModes) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const key = fresh("key");
    auto const ten = R"({"royalty_percent":10})";
    auto const first = api.patch(ledger, ten, key);
    BOOST_TEST(first.status == 200U, first.body);
    BOOST_TEST(api.patch(ledger, R"({"royalty_percent":20})").status == 200U);
    check_repeats(api.patch(ledger, ten, key), first);
    BOOST_TEST(api.get(ledger).document().at("royalty_percent").as_int64() == 20);
    BOOST_TEST(api.patch(ledger, R"({"royalty_percent":30})", key).code() ==
               "idempotency_key_reused");
    BOOST_TEST(api.remove(ledger, key).code() == "idempotency_key_reused");
    BOOST_TEST(api.remove(ledger).status == 204U);
    check_repeats(api.patch(ledger, ten, key), first);
    BOOST_TEST(api.patch(ledger, ten).code() == "ledger_not_found");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_revocation_of_a_key_is_repeated, Store, Stores) {
    Api api(Store::server());
    auto const all = walk(api, "/v1/organizations", 200);
    auto const keys =
        "/v1/organizations/" + std::string(all.front().at("id").as_string()) + "/keys";
    auto const made = api.post(keys, R"({"name":"till","scopes":["read"]})");
    BOOST_TEST_REQUIRE(made.status == 201U, made.body);
    auto const path = keys + '/' + text_of(made.document(), "id");
    auto const key = fresh("key");
    auto const revoked = api.remove(path, key);
    BOOST_TEST(revoked.status == 204U, revoked.body);
    check_repeats(api.remove(path, key), revoked);
    BOOST_TEST(api.remove(keys + '/' + unknown_id, key).code() == "idempotency_key_reused");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_done_on_a_ledger_that_is_gone_is_answered_again, Store,
                              StoresAndModes) {
    Api api(Store::server());
    Emptied emptied(api);
    emptied.check_all_repeat();
    auto const gone = api.remove(emptied.ledger);
    BOOST_TEST_REQUIRE(gone.status == 204U, gone.body);
    emptied.check_all_repeat();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_of_something_else_is_said_to_be_one_where_nothing_is, Store,
                              Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    auto const used = fresh("key");
    BOOST_TEST(api.deposit(ledger, "ann", 5, used).status == 201U);
    auto const points = new_points(api);
    std::string const nowhere = "/v1/ledgers/" + fresh("nowhere");
    auto const sale = "/v1/sales/" + std::string(unknown_id);
    struct Place {
        std::string path;
        std::string body;
        std::string code;  ///< of a new key
    };
    std::vector<Place> const places{
        {nowhere + "/deposits", Api::one_sided("ann", 5), "ledger_not_found"},
        {nowhere + "/holds/" + unknown_id + "/void", "{}", "ledger_not_found"},
        {points + "/deposits", Api::one_sided("ann", 5), "unsupported_on_ledger"},
        {points + "/holds/" + unknown_id + "/void", "{}", "unsupported_on_ledger"},
        {points + "/purchases/" + unknown_id + "/refund", "{}", "unsupported_on_ledger"},
        {"/v1/products/" + std::string(unknown_id) + "/restock", R"({"quantity":1})",
         "product_not_found"},
        {sale + "/orders", R"({"user":"ann"})", "product_not_found"},
        {sale + "/orders/" + unknown_id + "/cancel", "{}", "product_not_found"},
        {"/v1/exports", R"({"source":"transfers","format":"csv","ledger":"no-such-ledger"})",
         "ledger_not_found"}};
    for (auto const& [path, body, code] : places) {
        BOOST_TEST(api.post(path, body, used).code() == "idempotency_key_reused", path);
        // A refusal uses no key up.
        auto const key = fresh("key");
        for (int i = 0; i < 2; ++i) BOOST_TEST(api.post(path, body, key).code() == code, path);
    }
    BOOST_TEST(api.remove(nowhere, used).code() == "idempotency_key_reused");
    BOOST_TEST(api.patch(nowhere, R"({"royalty_percent":1})", used).code() ==
               "idempotency_key_reused");
    BOOST_TEST(api.balance(ledger, "ann") == 5);
}

BOOST_AUTO_TEST_CASE(with_redis_as_well_a_deletion_is_repeated_by_every_server) {
    Database database;
    RedisServer redis;
    std::vector<std::string> const options{"--database-url", url_of(database), "--redis-url",
                                           "unix://" + redis.socket_path()};
    ServerProcess here(options);
    ServerProcess there(options);
    await_redis(here);
    await_redis(there);
    Api api(here);
    auto const ledger = api.new_ledger();
    auto const key = fresh("key");
    auto const gone = api.remove(ledger, key);
    BOOST_TEST(gone.status == 204U);
    check_repeats(api.remove(ledger, key), gone);
    check_repeats(Api(there).remove(ledger, key), gone);
    redis.kill();
    check_repeats(Api(there).remove(ledger, key), gone);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
