// What a client hears of its quota: on one server, on two that share a Redis, and when Redis dies.
#include "tests/e2e/api.hpp"
#include "tests/support/redis_server.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

constexpr char const* admin_key = "operator-key-0123456789";
/// Long enough that a busy machine never counts alone by accident.
constexpr char const* patient_wait = "5000";

std::string url_of(RedisServer const& redis) { return "unix://" + redis.socket_path(); }

/// A body that is refused only after its request was counted: it changes nothing.
HttpAnswer attempt(Api& api) { return api.post("/v1/ledgers", "{}"); }

/// How many of so many attempts were let through.
int let_through(Api& api, int attempts) {
    int through = 0;
    for (int i = 0; i < attempts; ++i) {
        auto const answer = attempt(api);
        if (answer.status == 429) continue;
        BOOST_TEST(answer.status == 400U, answer.body);
        ++through;
    }
    return through;
}

std::int64_t metric_labelled(Api& api, std::string const& name_and_labels) {
    auto const text = api.get("/metrics").body;
    std::int64_t sum = 0;
    for (auto at = text.find(name_and_labels); at != std::string::npos;
         at = text.find(name_and_labels, at + 1))
        sum += std::stoll(text.substr(text.find("} ", at) + 2));
    return sum;
}

struct Key {
    std::string organization;
    std::string secret;
};

Key new_key(Api& admin, std::string const& scope) {
    auto const organization =
        admin.post("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
    BOOST_REQUIRE_MESSAGE(organization.status == 201, organization.body);
    std::string const id(organization.document().at("id").as_string());
    auto const key = admin.post("/v1/organizations/" + id + "/keys",
                                R"({"name":"test","scopes":[")" + scope + R"("]})");
    BOOST_REQUIRE_MESSAGE(key.status == 201, key.body);
    return {id, std::string(key.document().at("secret").as_string())};
}

BOOST_AUTO_TEST_SUITE(rate_limits)

BOOST_AUTO_TEST_CASE(nothing_is_limited_unless_it_is_configured) {
    ServerProcess server({});
    Api api(server);
    for (int i = 0; i < 300; ++i) {
        auto const answer = attempt(api);
        BOOST_TEST_REQUIRE(answer.status == 400U);
        BOOST_TEST(answer.header("ratelimit").empty());
        BOOST_TEST(answer.header("ratelimit-policy").empty());
    }
    BOOST_TEST(api.get("/metrics").body.find("penstock_rate_limit") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_answer_tells_the_quota_and_one_above_it_is_429_and_does_nothing) {
    ServerProcess server({"--rate-limit-write", "1/h,burst=3"});
    Api api(server);
    auto const ledger = api.new_ledger();
    auto const malformed = api.post("/v1/ledgers", "{");
    BOOST_TEST(malformed.status == 400U);
    BOOST_TEST(malformed.header("ratelimit-policy") == R"("write";q=3;w=10800)");
    BOOST_TEST(malformed.header("ratelimit").starts_with(R"("write";r=1;t=)"));
    api.new_account(ledger, "ann");

    auto const refused = api.deposit(ledger, "ann", 5);
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refused.code() == "rate_limited");
    BOOST_TEST(refused.header("content-type") == "application/problem+json");
    BOOST_TEST(refused.header("ratelimit-policy") == R"("write";q=3;w=10800)");
    auto const retry_after = std::stoi(refused.header("retry-after"));
    BOOST_TEST(retry_after <= 3'600);
    BOOST_TEST(retry_after > 3'500);
    BOOST_TEST(refused.header("ratelimit") == R"("write";r=0;t=)" + std::to_string(retry_after));
    BOOST_TEST(!refused.header("x-request-id").empty());

    // Another connection is the same client; reads are another class and not limited here.
    Api other(server);
    BOOST_TEST(other.deposit(ledger, "ann", 5).status == 429U);
    auto const read = other.get(ledger + "/accounts/ann");
    BOOST_TEST(read.status == 200U);
    BOOST_TEST(read.header("ratelimit").empty());
    BOOST_TEST(read.document().at("balance").as_int64() == 0);
    BOOST_TEST(metric_labelled(api,
                               "penstock_rate_limit_requests_total{shard=\"0\",class=\"write\","
                               "outcome=\"refused\"") == 2);
    BOOST_TEST(metric_labelled(api,
                               "penstock_rate_limit_requests_total{shard=\"0\",class=\"write\","
                               "outcome=\"allowed\"") == 3);
}

BOOST_AUTO_TEST_CASE(classes_are_counted_apart) {
    ServerProcess server({"--rate-limit-read", "1/h", "--rate-limit-write", "1/h,burst=2",
                          "--rate-limit-bulk", "1/h"});
    Api api(server);
    auto const ledger = api.new_ledger();
    BOOST_TEST(api.get(ledger).status == 200U);
    auto const read = api.get(ledger);
    BOOST_TEST(read.status == 429U);
    BOOST_TEST(read.header("ratelimit-policy") == R"("read";q=1;w=3600)");
    auto const bulk = api.post(ledger + "/transfers/bulk", R"({"transfers":[]})");
    BOOST_TEST(bulk.status == 400U);
    BOOST_TEST(bulk.header("ratelimit").starts_with(R"("bulk";r=0;t=)"));
    BOOST_TEST(api.post(ledger + "/transfers/bulk", R"({"transfers":[]})").status == 429U);
    api.new_account(ledger, "ann");
    BOOST_TEST(api.deposit(ledger, "ann", 5).status == 429U);
    BOOST_TEST(api.get("/healthz").status == 200U);
    BOOST_TEST(api.get("/metrics").status == 200U);
}

BOOST_AUTO_TEST_CASE(after_retry_after_the_same_request_is_let_through) {
    ServerProcess server({"--rate-limit-write", "30/min,burst=1"});
    Api api(server);
    auto const key = fresh("key");
    auto const body = R"({"name":")" + fresh("ledger") + R"(","asset":{"code":"EUR","scale":2}})";
    // A busy machine may let two seconds pass between two of them.
    HttpAnswer refused;
    std::chrono::steady_clock::time_point allowed_after;
    for (int i = 0; i < 20 && refused.status != 429U; ++i) {
        auto const asked_at = std::chrono::steady_clock::now();
        refused = attempt(api);
        if (refused.status == 400U) allowed_after = asked_at;
    }
    BOOST_TEST_REQUIRE(refused.status == 429U);
    auto const wait = std::chrono::seconds(std::stoi(refused.header("retry-after")));
    auto const refused_at = std::chrono::steady_clock::now();
    BOOST_TEST((wait <= 2s));
    BOOST_TEST((refused_at + wait >= allowed_after + 2s));
    // Asking meanwhile costs nothing: it does not postpone the moment.
    auto answer = refused;
    auto asked_at = refused_at;
    while (answer.status == 429U && asked_at < refused_at + 20s) {
        asked_at = std::chrono::steady_clock::now();
        answer = api.post("/v1/ledgers", body, key);
        if (asked_at >= refused_at + wait) BOOST_TEST(answer.status == 201U);
    }
    BOOST_TEST(answer.status == 201U);
}

BOOST_AUTO_TEST_CASE(every_key_has_its_own_quota_and_keys_with_scope_admin_have_none) {
    ServerProcess server({"--admin-key", admin_key, "--rate-limit-write", "1/h,burst=2",
                          "--rate-limit-read", "1/h,burst=2"});
    Api operator_api(server, admin_key);
    auto const first = new_key(operator_api, "write");
    auto const second = new_key(operator_api, "write");
    auto const owner = new_key(operator_api, "admin");
    Api ann(server, first.secret);
    Api bob(server, second.secret);
    BOOST_TEST(let_through(ann, 5) == 2);
    BOOST_TEST(let_through(bob, 5) == 2);
    for (auto const& trusted : {std::string(admin_key), owner.secret}) {
        Api api(server, trusted);
        BOOST_TEST(let_through(api, 10) == 10);
        BOOST_TEST(attempt(api).header("ratelimit").empty());
    }
    // Who has no valid key is told that, not a quota.
    Api stranger(server, "some-wrong-key-012345");
    for (int i = 0; i < 5; ++i) BOOST_TEST(attempt(stranger).status == 401U);
}

BOOST_AUTO_TEST_CASE(the_class_admin_limits_trusted_keys_too) {
    ServerProcess server({"--admin-key", admin_key, "--rate-limit-admin", "1/h,burst=2"});
    Api api(server, admin_key);
    BOOST_TEST(api.get("/v1/organizations").status == 200U);
    auto const last = api.get("/v1/organizations");
    BOOST_TEST(last.status == 200U);
    BOOST_TEST(last.header("ratelimit").starts_with(R"("admin";r=0;t=)"));
    BOOST_TEST(api.get("/v1/organizations").status == 429U);
    BOOST_TEST(attempt(api).status == 400U);
}

BOOST_AUTO_TEST_CASE(one_quota_however_many_connections_and_threads) {
    Database database;
    ServerProcess server(
        {"--database-url", url_of(database), "--rate-limit-write", "1/h,burst=40"});
    std::atomic<int> through{0};
    {
        std::vector<std::jthread> clients;
        for (int client = 0; client < 8; ++client)
            clients.emplace_back([&] {
                Api own(server);
                for (int i = 0; i < 10; ++i) through += attempt(own).status != 429U;
            });
    }
    BOOST_TEST(through == 40);
}

BOOST_AUTO_TEST_CASE(two_servers_with_one_redis_share_one_quota) {
    RedisServer redis;
    std::vector<std::string> const options{"--redis-url",          url_of(redis),
                                           "--rate-limit-write",   "1/h,burst=10",
                                           "--rate-limit-wait-ms", patient_wait};
    ServerProcess first(options);
    ServerProcess second(options);
    Api here(first);
    Api there(second);
    await_redis(first);
    await_redis(second);
    BOOST_TEST(let_through(here, 4) == 4);
    BOOST_TEST(let_through(there, 20) == 6);
    BOOST_TEST(let_through(here, 20) == 0);
    BOOST_TEST(
        metric_labelled(here, "penstock_rate_limit_judged_total{shard=\"0\",by=\"process\"") == 0);
    // What is refused already is not asked again.
    BOOST_TEST(
        metric_labelled(there, "penstock_rate_limit_judged_total{shard=\"0\",by=\"redis\"") == 6);
    BOOST_TEST(
        metric_labelled(there, "penstock_rate_limit_judged_total{shard=\"0\",by=\"memory\"") == 14);
}

BOOST_AUTO_TEST_CASE(a_server_whose_redis_dies_counts_alone_from_where_it_was) {
    RedisServer redis;
    ServerProcess server({"--redis-url", url_of(redis), "--rate-limit-write", "1/h,burst=5",
                          "--rate-limit-wait-ms", patient_wait});
    Api api(server);
    await_redis(server);
    BOOST_TEST(let_through(api, 3) == 3);
    redis.kill();
    auto const began = std::chrono::steady_clock::now();
    BOOST_TEST(let_through(api, 10) == 2);
    // Ten waits for it would be fifty seconds.
    BOOST_TEST((std::chrono::steady_clock::now() - began < 30s));
    BOOST_TEST(metric_labelled(api, "penstock_rate_limit_judged_total{shard=\"0\",by=\"process\"") >
               0);
    auto const refused = attempt(api);
    BOOST_TEST(refused.status == 429U);
    BOOST_TEST(refused.header("ratelimit").starts_with(R"("write";r=0;t=)"));
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_delays_nobody_for_long) {
    RedisServer redis;
    ServerProcess server({"--redis-url", url_of(redis), "--rate-limit-read", "1/s,burst=1000",
                          "--rate-limit-wait-ms", "200"});
    Api api(server);
    await_redis(server);
    BOOST_TEST(api.get("/v1/ledgers").status == 200U);
    redis.freeze();
    auto const began = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) BOOST_TEST(api.get("/v1/ledgers").status == 200U);
    // A hundred waits for Redis would be twenty seconds; three are what it takes to notice.
    auto const took = std::chrono::steady_clock::now() - began;
    BOOST_TEST((took < 15s));
    BOOST_TEST(
        metric_labelled(api, "penstock_rate_limit_judged_total{shard=\"0\",by=\"process\"") >= 100);
    BOOST_TEST(metric_labelled(api, "penstock_rate_limit_breaker_openings_total{shard=\"0\"") >= 1);
    redis.thaw();
}

BOOST_AUTO_TEST_CASE(an_unusable_rate_is_refused_at_the_start) {
    BOOST_CHECK_THROW(ServerProcess({"--rate-limit-write", "100"}), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
