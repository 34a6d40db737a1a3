// What does whoever watches a server see: its log, and its metrics?
#include <set>

#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

constexpr char const* admin_key = "an-admin-key-that-nobody-guesses";

/// The first line of the log with that event and, where one is wanted, that request id.
json::object line_of(std::string const& log, std::string const& event,
                     std::string const& request_id = "") {
    for (std::size_t start = 0; start < log.size();) {
        auto const end = std::min(log.find('\n', start), log.size());
        auto const line = log.substr(start, end - start);
        start = end + 1;
        json::error_code error;
        auto const value = json::parse(line, error);
        if (error || !value.is_object()) continue;
        auto const& members = value.as_object();
        auto const* id = members.if_contains("request_id");
        bool const wanted = request_id.empty() || (id && id->as_string() == request_id);
        if (members.at("event").as_string() == event && wanted) return members;
    }
    BOOST_FAIL("no " << event << " in " << log);
    return {};
}

std::string text(json::object const& line, char const* member) {
    return std::string(line.at(member).as_string());
}

BOOST_AUTO_TEST_SUITE(watched)

BOOST_AUTO_TEST_CASE(an_answer_and_its_line_have_one_request_id_and_the_clients_trace) {
    ServerProcess server(ServerProcess::Logging{"debug"}, {});
    std::string const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    HttpHeaders const named{{"X-Request-Id", "mine-7"},
                            {"traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}};
    HttpClient client(server.port());
    auto const answer = client.request("GET", "/v1/ledgers/none", std::nullopt, named);
    BOOST_TEST(answer.status == 404U);
    BOOST_TEST(answer.header("x-request-id") == "mine-7");
    auto const line =
        line_of(server.said_until(R"("request_id":"mine-7")"), "request_answered", "mine-7");
    BOOST_TEST(text(line, "level") == "debug");
    BOOST_TEST(text(line, "method") == "GET");
    BOOST_TEST(text(line, "path") == "/v1/ledgers/none");
    BOOST_TEST(text(line, "route") == "get_ledger");
    BOOST_TEST(line.at("status").as_int64() == 404);
    BOOST_TEST(text(line, "trace_id") == trace);
    BOOST_TEST(line.at("duration_us").as_int64() >= 0);

    // Without one of its own a request is given an id, and a trace that is none is left out.
    HttpHeaders const odd{{"traceparent", "00-nonsense-01"}};
    auto const other = client.request("GET", "/v1/ledgers/other", std::nullopt, odd);
    auto const given = other.header("x-request-id");
    BOOST_TEST(!given.empty());
    BOOST_TEST(given != "mine-7");
    auto const second = line_of(server.said_until(given), "request_answered", given);
    BOOST_TEST(text(second, "trace_id") == "");
}

BOOST_AUTO_TEST_CASE(what_was_set_is_logged_at_the_start_and_no_secret_is_in_the_log) {
    Database database;
    RedisServer redis({"--requirepass", "a-redis-password"});
    auto const redis_url = "redis://:a-redis-password@127.0.0.1:" + std::to_string(redis.port());
    ServerProcess server(
        ServerProcess::Logging{"debug"},
        {"--database-url", url_of(database), "--redis-url", redis_url, "--admin-key", admin_key,
         "--export-signing-key", "a-signing-key-of-ours", "--batch-items", "77"});
    await_that([&] { return Api(server).get("/readyz").status == 200; }, "readiness");
    Api api(server, admin_key);
    auto const made = api.post("/v1/ledgers", R"({"name":"a","asset":{"code":"EUR","scale":2}})");
    BOOST_TEST(made.status == 201U, made.body);
    auto const organization =
        std::string(walk(api, "/v1/organizations", 200).front().at("id").as_string());
    auto const key = api.post("/v1/organizations/" + organization + "/keys",
                              R"({"name":"till","scopes":["read"]})");
    auto const secret = text_of(key.document(), "secret");
    BOOST_TEST(Api(server, secret).get("/v1/ledgers").status == 200U);
    auto const last = Api(server, "nobodys-secret").get("/v1/ledgers");
    BOOST_TEST(last.status == 401U);

    auto const log = server.said_until(last.header("x-request-id"));
    BOOST_TEST(
        log.find(R"("event":"option","name":"batch-items","value":"77","from":"argument")") !=
        std::string::npos);
    for (auto const* name : {"database-url", "redis-url", "admin-key", "export-signing-key"})
        BOOST_TEST(log.find(R"("name":")" + std::string(name) + '"') != std::string::npos, name);
    for (auto const& hidden :
         {std::string("a-redis-password"), std::string(admin_key),
          std::string("a-signing-key-of-ours"), secret, std::string("nobodys-secret")})
        BOOST_TEST(log.find(hidden) == std::string::npos, hidden);
    line_of(log, "schema_ready");
    line_of(log, "ready");
}

/// Families by name, with their type; and the samples, each as `name{labels}`.
struct Exposition {
    explicit Exposition(std::string const& body) {
        for (std::size_t start = 0; start < body.size();) {
            auto const end = std::min(body.find('\n', start), body.size());
            auto const line = body.substr(start, end - start);
            start = end + 1;
            if (line.starts_with("# TYPE "))
                families.insert(line.substr(7));
            else if (!line.starts_with('#') && !line.empty())
                samples.push_back(line);
        }
    }
    /// The sum of the samples of that name whose labels hold each of `labels`.
    double sum(std::string const& name, std::vector<std::string> const& labels = {}) const {
        double all = 0;
        for (auto const& sample : samples) {
            if (!sample.starts_with(name)) continue;
            bool const exact = sample[name.size()] == '{' || sample[name.size()] == ' ';
            auto const has = [&](auto const& label) { return sample.find(label) != sample.npos; };
            if (exact && std::all_of(labels.begin(), labels.end(), has))
                all += std::strtod(sample.c_str() + sample.rfind(' '), nullptr);
        }
        return all;
    }

    std::set<std::string> families;
    std::vector<std::string> samples;
};

/// What the write path is watched by, and of which type it is.
constexpr char const* write_path[] = {"penstock_lane_seconds histogram",
                                      "penstock_lane_commits_total counter",
                                      "penstock_lane_commands_total counter",
                                      "penstock_lane_retries_total counter",
                                      "penstock_lane_splits_total counter",
                                      "penstock_lane_unknown_commits_total counter",
                                      "penstock_lane_lock_wait_seconds histogram",
                                      "penstock_collector_queue gauge",
                                      "penstock_collector_items_total counter",
                                      "penstock_collector_refused_total counter",
                                      "penstock_collector_batches_total counter",
                                      "penstock_collector_batch_items histogram",
                                      "penstock_collector_age_seconds histogram",
                                      "penstock_pg_depth gauge",
                                      "penstock_pg_up gauge",
                                      "penstock_pg_segments_total counter",
                                      "penstock_pg_statements_total counter",
                                      "penstock_pg_failed_total counter",
                                      "penstock_pg_lost_total counter",
                                      "penstock_pg_refused_total counter",
                                      "penstock_pg_reads_waiting gauge",
                                      "penstock_pg_connects_total counter",
                                      "penstock_pg_connect_failures_total counter",
                                      "penstock_pg_round_trip_seconds histogram",
                                      "penstock_redis_commands_total counter",
                                      "penstock_redis_failures_total counter",
                                      "penstock_redis_in_flight gauge",
                                      "penstock_redis_up gauge",
                                      "penstock_redis_breaker_state gauge",
                                      "penstock_redis_breaker_openings_total counter",
                                      "penstock_redis_round_trip_seconds histogram",
                                      "penstock_edge_keys_total counter",
                                      "penstock_edge_bypasses_total counter",
                                      "penstock_edge_breaker_state gauge",
                                      "penstock_edge_wait_seconds histogram",
                                      "penstock_http_request_seconds histogram",
                                      "penstock_http_answers_total counter",
                                      "penstock_http_connections gauge",
                                      "penstock_build_info gauge"};

BOOST_AUTO_TEST_CASE(the_metrics_tell_of_every_part_of_the_write_path) {
    Database database;
    RedisServer redis;
    ServerProcess server({"--database-url", url_of(database), "--redis-url",
                          "unix://" + redis.socket_path(), "--batch-delay-ms", "5"});
    await_redis(server);
    auto const ledger = ledger_with_ann(server);
    Api api(server);
    auto const key = fresh("key");
    BOOST_TEST(api.deposit(ledger, "ann", 5, key).status == 201U);
    BOOST_TEST(api.deposit(ledger, "ann", 5, key).status == 201U);
    BOOST_TEST(api.account(ledger, "ann").at("balance").as_int64() == 5);
    // The pools: each event loop has sessions that write and sessions that read.
    auto const all_connected = [&] {
        Exposition const now(api.get("/metrics").body);
        for (auto const* shard : {R"(shard="0")", R"(shard="1")"})
            for (auto const* role : {R"(role="read")", R"(role="write")"})
                if (now.sum("penstock_pg_up", {shard, role}) < 1) return false;
        return true;
    };
    await_that(all_connected, "a session for each role");
    Exposition const seen(api.get("/metrics").body);

    for (auto const* family : write_path) BOOST_TEST(seen.families.contains(family), family);

    // Three commands went through lanes: the repetition was answered from Redis.
    for (auto const* phase : {"load", "decide", "commit"})
        BOOST_TEST(
            seen.sum("penstock_lane_seconds_count", {R"(phase=")" + std::string(phase) + '"'}) >= 3,
            phase);
    BOOST_TEST(seen.sum("penstock_lane_commands_total") >= 3);
    BOOST_TEST(seen.sum("penstock_collector_items_total") >= 3);
    BOOST_TEST(seen.sum("penstock_collector_batch_items_count") >= 3);
    BOOST_TEST(seen.sum("penstock_collector_batches_total", {R"(trigger="age")"}) >= 3);
    BOOST_TEST(seen.sum("penstock_collector_batches_total", {R"(trigger="idle")"}) == 0);
    BOOST_TEST(seen.sum("penstock_collector_age_seconds_sum") >= 3 * 0.004);
    BOOST_TEST(seen.sum("penstock_pg_round_trip_seconds_count", {R"(role="write")"}) >= 6);
    BOOST_TEST(seen.sum("penstock_pg_connects_total") >= 4);
    for (auto const* use : {R"(use="shared")", R"(use="hot")"})
        BOOST_TEST(seen.sum("penstock_redis_up", {use}) == 2, use);
    BOOST_TEST(seen.sum("penstock_redis_round_trip_seconds_count") >= 4);
    BOOST_TEST(seen.sum("penstock_edge_keys_total", {R"(found="answer)"}) >= 1);
    BOOST_TEST(seen.sum("penstock_redis_breaker_state") == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
