// Is what was queued done: through HTTP, over restarts and kills, by one server or by several?
#include <set>

#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

/// Asks until `path` answers a document that `holds`; fails the test after a while.
template <class Holds>
json::object await(Api& api, std::string const& path, Holds holds) {
    std::string last;
    auto const deadline = std::chrono::steady_clock::now() + 25s;
    while (std::chrono::steady_clock::now() < deadline) {
        auto const answer = api.get(path);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        auto document = answer.document().as_object();
        if (holds(document)) return document;
        last = answer.body;
    }
    BOOST_FAIL(path << " never came to what it should: " << last);
    return {};
}

json::object await_status(Api& api, std::string const& path, std::string const& status) {
    return await(api, path,
                 [&](auto const& one) { return one.at("status").as_string() == status; });
}

std::string new_report(Api& api, std::string const& ledger, std::string const& key = fresh("key")) {
    auto const asked = api.post(ledger + "/reports", R"({"type":"financial"})", key);
    BOOST_REQUIRE_MESSAGE(asked.status == 202, asked.body);
    return ledger + "/reports/" + std::string(asked.document().at("id").as_string());
}

std::string id_in(std::string const& path) { return path.substr(path.rfind('/') + 1); }

std::set<std::string> ids(std::vector<json::object> const& items) {
    std::set<std::string> all;
    for (auto const& item : items) all.emplace(item.at("id").as_string());
    return all;
}

/// What stands between a job that has begun and its end, from raise() to remove().
class Obstacle {
public:
    explicit Obstacle(Database const& database) : sql_(database.connect()) {}
    void raise() {
        sql_("BEGIN");
        sql_("LOCK TABLE ledger_totals IN ACCESS EXCLUSIVE MODE");
    }
    void remove() { sql_("ROLLBACK"); }

private:
    Operator sql_;
};

BOOST_AUTO_TEST_SUITE(jobs, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_report_is_queued_and_then_says_what_was_booked, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    api.new_account(ledger, "ann");
    api.deposit(ledger, "ann", 700);
    api.deposit(ledger, "ann", 35);
    auto const key = fresh("key");
    auto const asked = api.post(ledger + "/reports", R"({"type":"financial"})", key);
    BOOST_TEST_REQUIRE(asked.status == 202U);
    auto const answer = asked.document().as_object();
    BOOST_TEST(answer.size() == 2U);
    BOOST_TEST(answer.at("status").as_string() == "queued");
    auto const path = ledger + "/reports/" + std::string(answer.at("id").as_string());
    auto const report = await_status(api, path, "completed");
    BOOST_TEST(report.at("id") == answer.at("id"));
    auto const& result = report.at("result").as_object();
    BOOST_TEST(result.size() == 5U);
    BOOST_TEST(result.at("total_deposited").as_int64() == 735);
    BOOST_TEST(result.at("total_purchase_volume").as_int64() == 0);
    BOOST_TEST(result.at("total_royalties_paid").as_int64() == 0);
    BOOST_TEST(result.at("platform_revenue").as_int64() == 0);
    BOOST_TEST(result.at("generated_at").as_string().ends_with("Z"));
    // The same key asks for the same report, in the words of the first answer.
    auto const again = api.post(ledger + "/reports", R"({"type":"financial"})", key);
    BOOST_TEST(again.status == 202U);
    BOOST_TEST(again.body == asked.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    BOOST_TEST(walk(api, ledger + "/reports", 10).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_report_is_gross_a_refund_takes_nothing_away, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    api.deposit(ledger, "ann", 1'000);
    std::string last;
    for (int i = 0; i < 3; ++i) {
        auto const made =
            api.post(ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":100})");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
        last = made.document().at("id").as_string();
    }
    auto const refunded = api.post(ledger + "/purchases/" + last + "/refund", "{}");
    BOOST_REQUIRE_MESSAGE(refunded.status == 200, refunded.body);
    auto const report = await_status(api, new_report(api, ledger), "completed");
    auto const& result = report.at("result").as_object();
    BOOST_TEST(result.at("total_deposited").as_int64() == 1'000);
    BOOST_TEST(result.at("total_purchase_volume").as_int64() == 300);
    BOOST_TEST(result.at("total_royalties_paid").as_int64() == 210);
    BOOST_TEST(result.at("platform_revenue").as_int64() == 90);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(reports_are_listed_by_their_ledger_newest_first, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const other = api.new_ledger();
    std::set<std::string> made;
    for (int i = 0; i < 7; ++i) made.insert(id_in(new_report(api, ledger)));
    auto const foreign = id_in(new_report(api, other));
    auto const listed = walk(api, ledger + "/reports", 3);
    BOOST_TEST((ids(listed) == made));
    BOOST_TEST(std::is_sorted(listed.begin(), listed.end(), [](auto const& a, auto const& b) {
        return a.at("id").as_string() > b.at("id").as_string();
    }));
    for (auto const& id :
         {foreign, std::string("01890a5d-ac96-774b-bcce-b302099a8057"), std::string("no-id")}) {
        auto const missing = api.get(ledger + "/reports/" + id);
        BOOST_TEST(missing.status == 404U);
        BOOST_TEST(missing.code() == "report_not_found");
    }
    auto const nowhere = api.post("/v1/ledgers/nowhere/reports", R"({"type":"financial"})");
    BOOST_TEST(nowhere.code() == "ledger_not_found");
    auto const credits = api.new_ledger(R"(,"kind":"credits")");
    auto const refused = api.post(credits + "/reports", R"({"type":"financial"})");
    BOOST_TEST(refused.status == 409U);
    BOOST_TEST(refused.code() == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_queue_is_listed_by_status_and_kind, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const report = new_report(api, ledger);
    await_status(api, report, "completed");
    auto const find = [&](std::string const& query) {
        for (auto const& job : walk(api, "/v1/admin/jobs" + query, 200))
            if (job.at("id").as_string() == id_in(report)) return job;
        return json::object{};
    };
    auto const job = find("");
    BOOST_TEST_REQUIRE(!job.empty());
    BOOST_TEST(job.at("kind").as_string() == "report");
    BOOST_TEST(job.at("status").as_string() == "completed");
    BOOST_TEST(job.at("payload").at("type").as_string() == "financial");
    BOOST_TEST(job.at("payload").at("ledger").as_string() == id_in(ledger));
    BOOST_TEST(job.at("attempts").as_int64() == 1);
    BOOST_TEST(job.at("run_at").is_null());
    BOOST_TEST(job.at("lease_until").is_null());
    BOOST_TEST(job.at("last_error").is_null());
    BOOST_TEST(job.at("finished_at").is_string());
    BOOST_TEST(job.at("result").as_object().size() == 5U);
    BOOST_TEST(!find("?status=completed&kind=report").empty());
    BOOST_TEST(find("?status=queued").empty());
    BOOST_TEST(find("?kind=other").empty());
    BOOST_TEST(walk(api, "/v1/admin/dead-letters", 10).empty());
    for (auto const* bad : {"?status=dead", "?kind=A", "?kind=", "?limit=0"})
        BOOST_TEST(api.get(std::string("/v1/admin/jobs") + bad).code() == "invalid_request", bad);
    BOOST_TEST(api.get("/v1/admin/jobs?cursor=x").code() == "invalid_cursor");
    BOOST_TEST(api.get(ledger + "/reports?cursor=x").code() == "invalid_cursor");

    auto const retry = "/v1/admin/dead-letters/" + id_in(report) + "/retry";
    auto const refused = api.post(retry, "{}");
    BOOST_TEST(refused.status == 409U);
    BOOST_TEST(refused.code() == "illegal_transition");
    for (auto const* id : {"01890a5d-ac96-774b-bcce-b302099a8057", "no-id"}) {
        auto const missing = api.post(std::string("/v1/admin/dead-letters/") + id + "/retry", "{}");
        BOOST_TEST(missing.status == 404U);
        BOOST_TEST(missing.code() == "job_not_found");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_metrics_tell_of_the_queue, Store, Stores) {
    Api api(Store::server());
    await_status(api, new_report(api, api.new_ledger()), "completed");
    auto const text = api.get("/metrics").body;
    for (auto const* sample : {"penstock_jobs{kind=\"report\",status=\"queued\"}",
                               "penstock_jobs{kind=\"report\",status=\"failed\"}",
                               "penstock_jobs_oldest_seconds{kind=\"report\"}",
                               "penstock_job_attempts_total{kind=\"report\",end=\"completed\"}"})
        BOOST_TEST(text.find(sample) != std::string::npos, sample);
}

BOOST_AUTO_TEST_CASE(what_fails_every_time_is_a_dead_letter_until_it_is_retried) {
    Database database;
    ServerProcess server({"--database-url", url_of(database), "--job-retry-ms", "1"});
    Api api(server);
    auto const ledger = api.new_ledger();
    // A report that is damaged while its first attempt waits.
    Obstacle obstacle(database);
    obstacle.raise();
    auto const report = new_report(api, ledger);
    await_status(api, report, "processing");
    auto sql = database.connect();
    sql("UPDATE jobs SET payload = '{\"type\":\"unheard-of\"}', attempts_max = 3, status = 0,"
        " lease = NULL, attempts = 0, due_at = now()");
    obstacle.remove();
    sql("SELECT pg_notify('penstock_jobs', '')");
    await_status(api, report, "failed");
    auto const dead = walk(api, "/v1/admin/dead-letters", 10);
    BOOST_TEST_REQUIRE(dead.size() == 1U);
    BOOST_TEST(dead[0].at("id").as_string() == id_in(report));
    BOOST_TEST(dead[0].at("attempts").as_int64() == 3);
    BOOST_TEST(dead[0].at("last_error").as_string() == "Invalid argument");
    BOOST_TEST(dead[0].at("result").is_null());

    sql("UPDATE jobs SET payload = '{\"ledger\":\"x\",\"type\":\"financial\"}'");
    auto const key = fresh("key");
    auto const path = "/v1/admin/dead-letters/" + id_in(report) + "/retry";
    auto const retried = api.post(path, "{}", key);
    BOOST_TEST_REQUIRE(retried.status == 200U);
    BOOST_TEST(retried.document().at("status").as_string() == "queued");
    BOOST_TEST(retried.document().at("attempts").as_int64() == 0);
    await_status(api, report, "completed");
    BOOST_TEST(walk(api, "/v1/admin/dead-letters", 10).empty());
    // A late repetition never acts on what the job has become.
    auto const again = api.post(path, "{}", key);
    BOOST_TEST(again.status == 200U);
    BOOST_TEST(again.body == retried.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
    BOOST_TEST(api.post(path, "{}").code() == "illegal_transition");
    await_status(api, report, "completed");
}

BOOST_AUTO_TEST_CASE(a_restart_keeps_what_is_queued) {
    Database database;
    std::string ledger;
    std::string report;
    {
        ServerProcess server({"--database-url", url_of(database), "--job-workers", "0"});
        Api api(server);
        ledger = api.new_ledger();
        report = new_report(api, ledger);
        server.terminate();
        BOOST_TEST((server.exit_code() == 0));
    }
    ServerProcess server({"--database-url", url_of(database)});
    Api api(server);
    await_status(api, report, "completed");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_stopped_gives_its_job_back) {
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Api api(server);
    auto const report = new_report(api, api.new_ledger());
    await_status(api, report, "completed");
    Obstacle obstacle(database);
    obstacle.raise();
    auto const stuck = new_report(api, report.substr(0, report.find("/reports")));
    await_status(api, stuck, "processing");
    server.terminate();
    BOOST_TEST((server.exit_code() == 0));
    BOOST_TEST(database.connect()("SELECT attempts FROM jobs WHERE status = 0") == "0");
    obstacle.remove();
    ServerProcess next({"--database-url", url_of(database)});
    Api other(next);
    await_status(other, stuck, "completed");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_killed_in_the_middle_of_a_job_costs_one_attempt) {
    Database database;
    std::vector<std::string> const options{"--database-url", url_of(database), "--job-lease-ms",
                                           "1000",           "--job-poll-ms",  "3600000"};
    std::string report;
    std::optional<Obstacle> obstacle;
    {
        ServerProcess server(options);
        Api api(server);
        auto const ledger = api.new_ledger();
        obstacle.emplace(database);
        obstacle->raise();
        report = new_report(api, ledger);
        await_status(api, report, "processing");
        server.kill();
    }
    ServerProcess server(options);
    Api api(server);
    obstacle->remove();
    await_status(api, report, "completed");
    auto const jobs = walk(api, "/v1/admin/jobs", 10);
    BOOST_TEST_REQUIRE(jobs.size() == 1U);
    BOOST_TEST(jobs[0].at("attempts").as_int64() >= 2);
}

BOOST_AUTO_TEST_CASE(several_servers_share_the_jobs_and_each_is_done_once) {
    Database database;
    std::vector<std::string> const options{"--database-url", url_of(database), "--job-poll-ms",
                                           "3600000"};
    ServerProcess one(options);
    ServerProcess two(options);
    Api api(one);
    Api other(two);
    auto const ledger = api.new_ledger();
    std::vector<std::string> reports;
    for (int i = 0; i < 40; ++i) reports.push_back(new_report(i % 2 == 0 ? api : other, ledger));
    for (auto const& report : reports) await_status(api, report, "completed");
    for (auto const& job : walk(api, "/v1/admin/jobs", 200))
        BOOST_TEST(job.at("attempts").as_int64() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
