// Who may do what: organizations, their keys, scopes, and the walls between organizations.
#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

constexpr char const* admin_key = "operator-key-0123456789";

/// Servers that ask for keys, one per store.
struct GuardedServers {
    GuardedServers() { current = this; }
    GuardedServers(GuardedServers&&) = delete;
    ~GuardedServers() { current = nullptr; }

    Database database;
    ServerProcess on_postgres{{"--admin-key", admin_key, "--database-url", url_of(database)}};
    ServerProcess in_memory{{"--admin-key", admin_key}};

    static inline GuardedServers* current = nullptr;
};

struct GuardedInMemory {
    static ServerProcess& server() { return GuardedServers::current->in_memory; }
};
struct GuardedOnPostgres {
    static ServerProcess& server() { return GuardedServers::current->on_postgres; }
};
using GuardedStores = std::tuple<GuardedInMemory, GuardedOnPostgres>;

struct Key {
    std::string id;
    std::string secret;
};

std::string new_organization(Api& admin) {
    auto const made =
        admin.post("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    return std::string(made.document().at("id").as_string());
}

Key new_key(Api& admin, std::string const& organization, std::string const& scopes,
            std::string const& idempotency_key = fresh("key")) {
    auto const made = admin.post("/v1/organizations/" + organization + "/keys",
                                 R"({"name":"test","scopes":[)" + scopes + "]}", idempotency_key);
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    auto const document = made.document();
    auto const& secret = document.at("secret");
    return {std::string(document.at("id").as_string()),
            secret.is_null() ? "" : std::string(secret.as_string())};
}

BOOST_AUTO_TEST_SUITE(access, *boost::unit_test::fixture<GuardedServers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_valid_key_there_is_only_401, Store, GuardedStores) {
    for (auto const* secret : {"", "wrong", "operator-key-012345678"}) {
        Api api(Store::server(), secret);
        auto const refused = api.get("/v1/ledgers");
        BOOST_TEST(refused.status == 401U);
        BOOST_TEST(refused.code() == "unauthenticated");
        BOOST_TEST(refused.header("www-authenticate") == "Bearer");
        BOOST_TEST(api.post("/v1/organizations", R"({"name":"x"})").status == 401U);
        BOOST_TEST(api.get("/healthz").status == 200U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_scope_that_is_missing_is_403, Store, GuardedStores) {
    Api admin(Store::server(), admin_key);
    auto const organization = new_organization(admin);
    Api reader(Store::server(), new_key(admin, organization, R"("read")").secret);
    Api writer(Store::server(), new_key(admin, organization, R"("write")").secret);
    Api owner(Store::server(), new_key(admin, organization, R"("admin")").secret);
    auto const ledger = writer.new_ledger();
    writer.new_account(ledger, "ann");
    BOOST_TEST(reader.get(ledger).status == 200U);
    auto const refused = reader.deposit(ledger, "ann", 5);
    BOOST_TEST(refused.status == 403U);
    BOOST_TEST(refused.code() == "forbidden");
    BOOST_TEST(writer.deposit(ledger, "ann", 5).status == 201U);
    BOOST_TEST(writer.get(ledger + "/verify").status == 403U);
    BOOST_TEST(writer.get("/v1/admin/jobs").status == 403U);
    BOOST_TEST(writer.get("/v1/admin/dead-letters").status == 403U);
    BOOST_TEST(writer.remove(ledger).status == 403U);
    check_verified(owner, ledger);
    // An organization's admin rules its own house and makes no other.
    BOOST_TEST(owner.post("/v1/organizations", R"({"name":"x"})").status == 403U);
    BOOST_TEST(!new_key(owner, organization, R"("read")").secret.empty());
    BOOST_TEST(reader.balance(ledger, "ann") == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_belongs_to_another_organization_is_not_found, Store,
                              GuardedStores) {
    Api admin(Store::server(), admin_key);
    auto const first = new_organization(admin);
    auto const second = new_organization(admin);
    Api ours(Store::server(), new_key(admin, first, R"("admin")").secret);
    Api theirs(Store::server(), new_key(admin, second, R"("admin")").secret);
    auto const ledger = ours.new_ledger();
    ours.new_account(ledger, "ann");
    auto const key = fresh("key");
    auto const made = ours.deposit(ledger, "ann", 5, key);
    BOOST_TEST_REQUIRE(made.status == 201);
    auto const transfer =
        ledger + "/transfers/" + std::string(made.document().at("id").as_string());
    for (auto const& path : {ledger, ledger + "/totals", ledger + "/verify", ledger + "/accounts",
                             ledger + "/accounts/ann", ledger + "/accounts/ann/entries",
                             ledger + "/transfers", transfer})
        BOOST_TEST(theirs.get(path).status == 404U, path);
    BOOST_TEST(theirs.deposit(ledger, "ann", 5, key).status == 404U);
    BOOST_TEST(theirs.post(transfer + "/revert", "{}").status == 404U);
    BOOST_TEST(theirs.patch(ledger, "{}").status == 404U);
    BOOST_TEST(theirs.remove(ledger).status == 404U);
    BOOST_TEST(theirs.get("/v1/organizations/" + first + "/keys").status == 404U);
    BOOST_TEST(
        theirs.post("/v1/organizations/" + first + "/keys", R"({"name":"x","scopes":["read"]})")
            .status == 404U);
    BOOST_TEST(walk(theirs, "/v1/ledgers", 200).empty());
    BOOST_TEST(walk(theirs, "/v1/organizations", 200).size() == 1U);

    // The queue of jobs is each organization's own as well.
    auto const report = ours.post(ledger + "/reports", R"({"type":"financial"})");
    BOOST_TEST_REQUIRE(report.status == 202U);
    auto const job = std::string(report.document().at("id").as_string());
    BOOST_TEST(walk(ours, "/v1/admin/jobs", 200).size() == 1U);
    BOOST_TEST(walk(theirs, "/v1/admin/jobs", 200).empty());
    BOOST_TEST(theirs.get(ledger + "/reports/" + job).status == 404U);
    BOOST_TEST(theirs.post("/v1/admin/dead-letters/" + job + "/retry", "{}").status == 404U);
    BOOST_TEST(ours.post("/v1/admin/dead-letters/" + job + "/retry", "{}").status == 409U);

    // The names of ledgers and the keys of requests are each organization's own.
    auto const name = ledger.substr(ledger.rfind('/') + 1);
    auto const same = R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2}})";
    BOOST_TEST(theirs.post("/v1/ledgers", same).status == 201U);
    theirs.new_account(ledger, "ann");
    auto const own = theirs.deposit(ledger, "ann", 5, key);
    BOOST_TEST(own.status == 201U);
    BOOST_TEST(own.header("idempotent-replayed").empty());
    BOOST_TEST(ours.balance(ledger, "ann") == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_secret_is_shown_once_and_a_revoked_key_is_401, Store,
                              GuardedStores) {
    Api admin(Store::server(), admin_key);
    auto const organization = new_organization(admin);
    auto const idempotency_key = fresh("key");
    auto const key = new_key(admin, organization, R"("read")", idempotency_key);
    auto const replay = new_key(admin, organization, R"("read")", idempotency_key);
    BOOST_TEST(replay.id == key.id);
    BOOST_TEST(replay.secret.empty());
    auto const keys = "/v1/organizations/" + organization + "/keys";
    auto const listed = admin.get(keys);
    BOOST_TEST(listed.body.find(key.id) != std::string::npos);
    BOOST_TEST(listed.body.find(key.secret) == std::string::npos);
    BOOST_TEST(admin.remove(keys + "/" + key.id).status == 204U);
    BOOST_TEST(admin.remove(keys + "/01890a5d-ac96-774b-bcce-b302099a8057").status == 404U);
    BOOST_TEST(Api(Store::server(), key.secret).get("/v1/ledgers").status == 401U);
    BOOST_TEST(walk(admin, keys, 1).size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
