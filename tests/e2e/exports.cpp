// Exports through HTTP: what is in the file, who gets it, and what they survive.
#include <map>
#include <set>

#include "server/digest.hpp"
#include "tests/e2e/api.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;

constexpr char const* admin_key = "operator-key-0123456789";

std::string path_of(HttpAnswer const& asked) {
    BOOST_REQUIRE_MESSAGE(asked.status == 202, asked.body);
    return "/v1/exports/" + std::string(asked.document().at("id").as_string());
}

std::string new_export(Api& api, std::string const& source, std::string const& more = "",
                       std::string const& format = "ndjson") {
    return path_of(api.post(
        "/v1/exports", R"({"source":")" + source + R"(","format":")" + format + '"' + more + "}"));
}

json::object await_status(Api& api, std::string const& path, std::string const& status) {
    json::object last;
    auto const is_there = [&] {
        auto const answer = api.get(path);
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body);
        last = answer.document().as_object();
        return last.at("status").as_string() == status;
    };
    await_that(is_there, status.c_str());
    return last;
}

std::string url_in(json::object const& item) {
    BOOST_REQUIRE(item.at("download_url").is_string());
    return std::string(item.at("download_url").as_string());
}

/// The whole file, checked against what the export says about it. Without a key: the link is one.
std::string file_of(ServerProcess const& server, Api& api, std::string const& path) {
    auto const item = await_status(api, path, "ready");
    Api stranger(server);
    auto const got = stranger.get(url_in(item));
    BOOST_REQUIRE_MESSAGE(got.status == 200, got.body);
    BOOST_TEST(item.at("bytes").as_int64() == static_cast<long>(got.body.size()));
    server::Sha256 digest;
    digest.update(got.body);
    BOOST_TEST(item.at("sha256").as_string() == digest.hex());
    return got.body;
}

std::vector<std::string> lines_of(std::string const& text, std::string const& end) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    for (auto found = text.find(end); found != text.npos; found = text.find(end, at)) {
        lines.push_back(text.substr(at, found - at));
        at = found + end.size();
    }
    BOOST_TEST(at == text.size());
    return lines;
}

/// Each line is the same bytes as the item of the API's list.
void check_same_as_list(Api& api, std::string const& file, std::string const& list) {
    auto const lines = lines_of(file, "\n");
    auto path = list + (list.find('?') == list.npos ? "?" : "&") + "limit=200";
    auto const first = path;
    std::size_t at = 0;
    for (;;) {
        auto const page = api.get(path);
        BOOST_REQUIRE_MESSAGE(page.status == 200, page.body);
        auto const document = page.document();
        auto const count = document.at("data").as_array().size();
        BOOST_TEST_REQUIRE(at + count <= lines.size());
        std::string items;
        for (std::size_t i = 0; i < count; ++i) items += (i == 0 ? "" : ",") + lines[at + i];
        BOOST_TEST(page.body.starts_with(R"({"data":[)" + items + "]"));
        at += count;
        auto const& next = document.at("next_cursor");
        if (next.is_null()) break;
        path = first + "&cursor=" + std::string(next.as_string());
    }
    BOOST_TEST(at == lines.size());
}

std::string name_in(std::string const& ledger) { return ledger.substr(ledger.rfind('/') + 1); }

std::string of_ledger(std::string const& ledger, std::string const& filter = "") {
    auto text = R"(,"ledger":")" + name_in(ledger) + '"';
    return filter.empty() ? text : text + R"(,"filter":{)" + filter + "}";
}

/// Ann pays bob so many times, a thousand in a request.
void fill(Api& api, std::string const& ledger, int transfers) {
    for (auto const* address : {"ann", "bob"}) api.new_account(ledger, address);
    api.deposit(ledger, "ann", 1'000'000);
    for (int made = 0; made < transfers;) {
        std::string items;
        for (int i = 0; i < 1'000 && made < transfers; ++i, ++made)
            items += (i == 0 ? "" : ",") + Api::movement("ann", "bob", 1 + made % 9);
        auto const answer =
            api.post(ledger + "/transfers/bulk", R"({"transfers":[)" + items + "]}");
        BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.body.substr(0, 500));
    }
}

BOOST_AUTO_TEST_SUITE(exports, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE_TEMPLATE(a_file_has_what_the_list_has_in_the_same_bytes, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    fill(api, ledger, 700);
    api.post(ledger + "/purchases",
             R"({"buyer":"ann","author":"bob","price":10,"metadata":{"a":[1,"x"]}})");
    auto const transfers = new_export(api, "transfers", of_ledger(ledger));
    auto const entries = new_export(api, "entries", of_ledger(ledger, R"("account":"bob")"));
    auto const of_ann = new_export(api, "transfers", of_ledger(ledger, R"("account":"ann")"));
    auto const activity = new_export(api, "activity", of_ledger(ledger));
    check_same_as_list(api, file_of(Store::server(), api, transfers), ledger + "/transfers");
    check_same_as_list(api, file_of(Store::server(), api, entries),
                       ledger + "/accounts/bob/entries");
    check_same_as_list(api, file_of(Store::server(), api, of_ann),
                       ledger + "/transfers?account=ann");
    check_same_as_list(api, file_of(Store::server(), api, activity),
                       "/v1/activity?ledger=" + name_in(ledger));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_period_is_a_part_of_the_list, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    fill(api, ledger, 3);
    auto const middle = std::string(api.get(ledger + "/transfers?limit=1")
                                        .document()
                                        .at("data")
                                        .at(0)
                                        .at("created_at")
                                        .as_string());
    auto const later = [&] {
        api.transfer(ledger, "ann", "bob", 5);
        auto const newest = api.get(ledger + "/transfers?limit=1").document();
        return std::string(newest.at("data").at(0).at("created_at").as_string()) > middle;
    };
    await_that(later, "a later instant");
    auto const from = R"("from":")" + middle + '"';
    auto const to = R"("to":")" + middle + '"';
    for (auto const& [filter, query] : {std::pair{from, "?from="}, std::pair{to, "?to="}}) {
        auto const path = new_export(api, "transfers", of_ledger(ledger, filter));
        check_same_as_list(api, file_of(Store::server(), api, path),
                           ledger + "/transfers" + query + middle);
        auto const activity = new_export(api, "activity", of_ledger(ledger, filter));
        auto const rows = lines_of(file_of(Store::server(), api, activity), "\n");
        BOOST_TEST(!rows.empty());
        for (auto const& row : rows) {
            auto const at = std::string(json::parse(row).at("at").as_string());
            BOOST_TEST((std::string(query) == "?from=" ? at >= middle : at < middle));
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(csv_has_the_members_as_columns_and_no_formulas, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    for (auto const* address : {"ann", "-bob"}) api.new_account(ledger, address);
    api.deposit(ledger, "ann", 500);
    auto const made = api.post(
        ledger + "/transfers",
        R"({"from":"ann","to":"-bob","amount":7,"reference":"=1+\"2\",x","metadata":{"a":1}})");
    BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    auto const transfer = made.document();
    auto const text = [&](char const* name) { return std::string(transfer.at(name).as_string()); };
    auto const file =
        file_of(Store::server(), api, new_export(api, "transfers", of_ledger(ledger), "csv"));
    auto const lines = lines_of(file, "\r\n");
    BOOST_TEST_REQUIRE(lines.size() == 3U);
    BOOST_TEST(lines[0] == "id,ledger,kind,from,to,amount,reference,metadata,created_at");
    BOOST_TEST(lines[1] == text("id") + ',' + text("ledger") + ",transfer,ann,'-bob,7," +
                               R"("'=1+""2"",x","{""a"":1}",)" + text("created_at"));
    BOOST_TEST(lines[2].find(",deposit,'@world,ann,500,,{},") != std::string::npos);
    auto const entries = lines_of(
        file_of(Store::server(), api,
                new_export(api, "entries", of_ledger(ledger, R"("account":"-bob")"), "csv")),
        "\r\n");
    BOOST_TEST_REQUIRE(entries.size() == 2U);
    BOOST_TEST(entries[0] ==
               "transfer_id,kind,direction,amount,balance_after,version,counterparty,reference,"
               "created_at");
    auto const world = lines_of(
        file_of(Store::server(), api,
                new_export(api, "entries", of_ledger(ledger, R"("account":"@world")"), "csv")),
        "\r\n");
    // A negative balance is a number, not a text.
    BOOST_TEST_REQUIRE(world.size() == 2U);
    BOOST_TEST(world[1].find(",deposit,debit,500,-500,1,ann,,") != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(orders_and_credits_are_exported_as_they_are_listed, Store, Stores) {
    Api api(Store::server());
    std::vector<std::string> products;
    for (int i = 0; i < 3; ++i) {
        auto const made =
            api.post("/v1/products", R"({"name":"p","price":3,"stock":9,"per_user_limit":9,)"
                                     R"("starts_at":"2026-01-01T00:00:00Z"})");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
        products.push_back("/v1/sales/" + std::string(made.document().at("id").as_string()));
        for (int n = 0; n < i + 1; ++n)
            BOOST_TEST(api.post(products.back() + "/orders", R"({"user":"u"})").status == 201U);
    }
    auto const file = file_of(Store::server(), api, new_export(api, "orders"));
    std::string wanted;
    for (auto at = products.rbegin(); at != products.rend(); ++at)
        for (auto const& order : walk(api, *at + "/orders", 2))
            wanted += json::serialize(order) + '\n';
    // Others may have sold something on this server before.
    BOOST_TEST(json::parse(lines_of(file, "\n").front()) ==
               json::parse(lines_of(wanted, "\n").front()));
    auto const shown = lines_of(file, "\n");
    auto const listed = lines_of(wanted, "\n");
    BOOST_TEST_REQUIRE(shown.size() >= listed.size());
    for (std::size_t i = 0; i < listed.size(); ++i)
        BOOST_TEST(json::parse(shown[i]) == json::parse(listed[i]));

    auto const points = api.new_ledger(R"(,"kind":"credits")");
    for (int i = 0; i < 5; ++i)
        api.post(points + "/credits/grants",
                 R"({"reference":"g)" + std::to_string(i) +
                     R"(","entries":[{"address":"ann","amount":5},{"address":"bob","amount":7}]})");
    api.post(points + "/credits/expenses",
             R"({"reference":"e","entries":[{"address":"ann","amount":6}]})");
    auto const history = points + "/credits/history";
    check_same_as_list(
        api, file_of(Store::server(), api, new_export(api, "credit_history", of_ledger(points))),
        history);
    check_same_as_list(
        api,
        file_of(Store::server(), api,
                new_export(api, "credit_history", of_ledger(points, R"("account":"ann")"))),
        history + "?address=ann");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streams_are_exported_as_they_are_listed, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    fill(api, ledger, 1);
    auto const list = ledger + "/streams";
    for (int i = 0; i < 5; ++i) {
        auto const made =
            api.post(list, std::string(i % 2 == 0 ? R"({"sender":"ann","recipient":"bob")"
                                                  : R"({"sender":"bob","recipient":"ann")") +
                               R"(,"total":)" + std::to_string(i + 1) + R"(,"duration_s":1000})");
        BOOST_REQUIRE_MESSAGE(made.status == 201, made.body);
    }
    // Drafts only: what vests would differ from one moment to the next.
    check_same_as_list(
        api, file_of(Store::server(), api, new_export(api, "streams", of_ledger(ledger))), list);
    auto const of_ann = new_export(api, "streams", of_ledger(ledger, R"("account":"ann")"));
    BOOST_TEST(lines_of(file_of(Store::server(), api, of_ann), "\n").size() == 5U);
    auto const of_nobody = new_export(api, "streams", of_ledger(ledger, R"("account":"no")"));
    BOOST_TEST(file_of(Store::server(), api, of_nobody).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_a_ledger_there_are_the_transfers_of_all, Store, Stores) {
    Api api(Store::server());
    std::map<std::string, int> wanted;
    for (int i = 1; i < 4; ++i) {
        auto const ledger = api.new_ledger();
        fill(api, ledger, i);
        wanted[name_in(ledger)] = i + 1;
    }
    std::map<std::string, int> shown;
    std::set<std::string> ids;
    auto const file = file_of(Store::server(), api, new_export(api, "transfers"));
    for (auto const& line : lines_of(file, "\n")) {
        auto const row = json::parse(line);
        ++shown[std::string(row.at("ledger").as_string())];
        BOOST_TEST(ids.emplace(row.at("id").as_string()).second);
    }
    for (auto const& [ledger, count] : wanted) BOOST_TEST(shown[ledger] == count);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_makes_no_sense_is_refused, Store, Stores) {
    Api api(Store::server());
    auto const money = api.new_ledger();
    auto const points = api.new_ledger(R"(,"kind":"credits")");
    auto const ask = [&](std::string const& source, std::string const& more) {
        return api.post("/v1/exports", R"({"format":"csv","source":")" + source + '"' + more + "}");
    };
    auto const account = R"("account":"ann")";
    for (auto const& [source, more] : {
             std::pair{"nothing", of_ledger(money)},
             std::pair{"entries", of_ledger(money)},
             std::pair{"entries", std::string(R"(,"filter":{"account":"ann"})")},
             std::pair{"credit_history", std::string()},
             std::pair{"streams", std::string()},
             std::pair{"orders", of_ledger(money)},
             std::pair{"orders", std::string(R"(,"filter":{"account":"ann"})")},
             std::pair{"transfers", std::string(R"(,"filter":{"account":"ann"})")},
             std::pair{"transfers", of_ledger(money, R"("account":"a b")")},
             std::pair{"transfers", of_ledger(money, R"("from":"yesterday")")},
             std::pair{"transfers", of_ledger(money, R"("kind":"deposit")")},
             std::pair{"transfers", std::string(R"(,"ledger":"NO")")},
             std::pair{"transfers", std::string(R"(,"format":"csv")")},
         }) {
        auto const refused = ask(source, more);
        BOOST_TEST(refused.status == 400U, source << more << ": " << refused.body);
        BOOST_TEST(refused.code() == "invalid_request");
    }
    BOOST_TEST(ask("transfers", R"(,"ledger":"unknown")").code() == "ledger_not_found");
    BOOST_TEST(ask("transfers", of_ledger(money, account)).code() == "account_not_found");
    BOOST_TEST(ask("transfers", of_ledger(points)).code() == "unsupported_on_ledger");
    BOOST_TEST(ask("credit_history", of_ledger(money)).code() == "unsupported_on_ledger");
    for (auto const* path : {"/v1/exports/x", "/v1/exports/019a0000-0000-7000-8000-000000000000"})
        for (auto const* behind : {"", "/audit"})
            BOOST_TEST(api.get(std::string(path) + behind).code() == "export_not_found");
    BOOST_TEST(api.get("/v1/exports?cursor=x").code() == "invalid_cursor");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_repeated_request_is_one_export, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    auto const body = R"({"source":"transfers","format":"csv")" + of_ledger(ledger) + "}";
    auto const key = fresh("key");
    auto const first = api.post("/v1/exports", body, key);
    auto const path = path_of(first);
    auto const asked = first.document().as_object();
    BOOST_TEST(asked.at("status").as_string() == "pending");
    BOOST_TEST(asked.at("download_url").is_null());
    BOOST_TEST(asked.size() == 11U);
    await_status(api, path, "ready");
    auto const again = api.post("/v1/exports", body, key);
    BOOST_TEST(again.status == 202U);
    BOOST_TEST(again.body == first.body);
    auto const other = new_export(api, "transfers", of_ledger(ledger), "csv");
    std::vector<std::string> ids;
    for (auto const& item : walk(api, "/v1/exports", 1))
        ids.emplace_back(item.at("id").as_string());
    BOOST_TEST_REQUIRE(ids.size() >= 2U);
    BOOST_TEST(other == "/v1/exports/" + ids[0]);
    BOOST_TEST(path == "/v1/exports/" + ids[1]);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_download_is_a_file_with_ranges_and_a_tag, Store, Stores) {
    Api api(Store::server());
    auto const ledger = api.new_ledger();
    fill(api, ledger, 50);
    auto const path = new_export(api, "transfers", of_ledger(ledger), "csv");
    auto const whole = file_of(Store::server(), api, path);
    auto const item = await_status(api, path, "ready");
    auto const url = url_in(item);
    HttpClient http(Store::server().port());
    auto const get = [&](HttpHeaders const& headers) {
        return http.request("GET", url, std::nullopt, headers);
    };
    auto const plain = get({});
    auto const tag = plain.header("etag");
    BOOST_TEST(tag == '"' + std::string(item.at("sha256").as_string()) + '"');
    BOOST_TEST(plain.header("content-type") == "text/csv; charset=utf-8");
    BOOST_TEST(plain.header("accept-ranges") == "bytes");
    BOOST_TEST(plain.header("content-disposition") == "attachment; filename=\"transfers-" +
                                                          std::string(item.at("id").as_string()) +
                                                          ".csv\"");
    auto const head = http.request("HEAD", url);
    BOOST_TEST(head.status == 200U);
    BOOST_TEST(head.header("content-length") == std::to_string(whole.size()));
    BOOST_TEST(head.header("etag") == tag);
    auto const part = get({{"Range", "bytes=10-29"}});
    BOOST_TEST(part.status == 206U);
    BOOST_TEST(part.body == whole.substr(10, 20));
    BOOST_TEST(part.header("content-range") == "bytes 10-29/" + std::to_string(whole.size()));
    BOOST_TEST(get({{"Range", "bytes=-5"}}).body == whole.substr(whole.size() - 5));
    BOOST_TEST(get({{"Range", "bytes=5-6"}, {"If-Range", tag}}).status == 206U);
    BOOST_TEST(get({{"Range", "bytes=5-6"}, {"If-Range", "\"x\""}}).body == whole);
    BOOST_TEST(get({{"Range", "bytes=1-2,5-6"}}).body == whole);
    auto const behind = get({{"Range", "bytes=" + std::to_string(whole.size()) + "-"}});
    BOOST_TEST(behind.status == 416U);
    BOOST_TEST(behind.code() == "range_not_satisfiable");
    BOOST_TEST(behind.header("content-range") == "bytes */" + std::to_string(whole.size()));
    auto const known = get({{"If-None-Match", tag}});
    BOOST_TEST(known.status == 304U);
    BOOST_TEST(known.body.empty());
    // On record: what was fetched, and nothing else.
    std::size_t downloads = 0;
    auto const audit = walk(api, path + "/audit", 2);
    for (auto const& record : audit)
        downloads += record.at("type").as_string() == "export.downloaded";
    BOOST_TEST(downloads == 7U);
    BOOST_TEST(audit.back().at("type").as_string() == "export.requested");
    BOOST_TEST(audit[audit.size() - 2].at("type").as_string() == "export.ready");
    BOOST_TEST(audit[audit.size() - 2].at("request_id").is_null());
    BOOST_TEST(audit.front().at("request_id").is_string());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_link_that_is_not_ours_opens_nothing, Store, Stores) {
    Api api(Store::server());
    auto const path = new_export(api, "transfers", of_ledger(api.new_ledger()));
    auto const url = url_in(await_status(api, path, "ready"));
    auto tampered = url;
    tampered.back() = tampered.back() == '0' ? '1' : '0';
    auto later = url;
    later.replace(later.find("expires=") + 8, 1, "9");
    auto const other = new_export(api, "transfers", of_ledger(api.new_ledger()));
    await_status(api, other, "ready");
    for (auto const& bad :
         {tampered, later, other + url.substr(url.find("/download")), path + "/download",
          path + "/download?expires=1", url.substr(0, url.find("&signature"))}) {
        auto const refused = api.get(bad);
        BOOST_TEST(refused.status == 403U, bad);
        BOOST_TEST(refused.code() == "signature_invalid");
    }
    BOOST_TEST(api.get("/v1/exports/x/download").code() == "export_not_found");
    BOOST_TEST(api.get(url + "&x=1").status == 400U);
    BOOST_TEST(api.get(url).status == 200U);
}

BOOST_AUTO_TEST_CASE(any_ranges_put_together_are_the_file) {
    Database database;
    ServerProcess server{{"--database-url", url_of(database), "--export-chunk-bytes", "4096"}};
    Api api(server);
    auto const ledger = api.new_ledger();
    fill(api, ledger, 1'500);
    auto const path = new_export(api, "transfers", of_ledger(ledger));
    auto const whole = file_of(server, api, path);
    auto const url = url_in(await_status(api, path, "ready"));
    auto sql = database.connect();
    BOOST_TEST(sql("SELECT count(*) > 10 FROM export_chunks") == "t");
    HttpClient http(server.port());
    std::string together;
    for (std::size_t size = 1; together.size() < whole.size(); size = size * 5 % 9'973 + 1) {
        auto const first = std::to_string(together.size());
        auto const last = std::to_string(together.size() + size - 1);
        auto const part =
            http.request("GET", url, std::nullopt, {{"Range", "bytes=" + first + '-' + last}});
        BOOST_REQUIRE(part.status == 206U);
        together += part.body;
    }
    BOOST_TEST((together == whole));
}

BOOST_AUTO_TEST_CASE(what_is_over_is_gone_and_what_failed_can_be_retried) {
    Database database;
    ServerProcess server{
        {"--database-url", url_of(database), "--job-retry-ms", "1", "--export-care-ms", "20"}};
    Api api(server);
    auto const ledger = api.new_ledger();
    fill(api, ledger, 20);
    auto sql = database.connect();
    auto const path = new_export(api, "transfers", of_ledger(ledger));
    auto const url = url_in(await_status(api, path, "ready"));
    sql("UPDATE exports SET expires_at = now() - interval '1 s', due_at = now() - interval '1 s'");
    BOOST_TEST(api.get(url).code() == "export_expired");
    BOOST_TEST(api.get(url).status == 410U);
    auto const expired = await_status(api, path, "expired");
    BOOST_TEST(expired.at("download_url").is_null());
    BOOST_TEST(api.get(path + "/audit?limit=1").document().at("data").at(0).at("type") ==
               "export.expired");
    await_that([&] { return sql("SELECT count(*) FROM export_chunks") == "0"; }, "no chunks");
    BOOST_TEST(api.get(url).status == 410U);

    sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'no'; END$$");
    sql("CREATE TRIGGER refuse BEFORE INSERT ON export_chunks EXECUTE FUNCTION refuse()");
    auto const failing = new_export(api, "transfers", of_ledger(ledger));
    auto const failed = await_status(api, failing, "failed");
    BOOST_TEST(failed.at("download_url").is_null());
    BOOST_TEST(failed.at("expires_at").is_string());
    BOOST_TEST(api.get(failing + "/audit?limit=1").document().at("data").at(0).at("type") ==
               "export.failed");
    sql("DROP TRIGGER refuse ON export_chunks");
    auto const dead = api.get("/v1/admin/dead-letters").document().at("data").at(0);
    auto const retry =
        "/v1/admin/dead-letters/" + std::string(dead.at("id").as_string()) + "/retry";
    BOOST_TEST(api.post(retry, "{}").status == 200U);
    check_same_as_list(api, file_of(server, api, failing), ledger + "/transfers");
}

/// Lets writers of chunks through up to a byte of the file, and holds them there.
class Barrier {
public:
    Barrier(Database const& database, std::string const& byte) : sql_(database.connect()) {
        sql_(
            "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
            " IF NEW.start > " +
            byte +
            " THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;"
            " RETURN NEW; END$$");
        sql_(
            "CREATE TRIGGER halt BEFORE INSERT ON export_chunks FOR EACH ROW"
            " EXECUTE FUNCTION halt()");
        sql_("SELECT pg_advisory_lock(42)");
    }
    void open() { sql_("SELECT pg_advisory_unlock(42)"); }

private:
    Operator sql_;
};

BOOST_AUTO_TEST_CASE(a_killed_servers_export_goes_on_elsewhere_and_is_the_same_file) {
    Database database;
    std::vector<std::string> const options{"--database-url",       url_of(database),
                                           "--export-chunk-bytes", "4096",
                                           "--job-lease-ms",       "1000"};
    ServerProcess first{options};
    Api api(first);
    auto const ledger = api.new_ledger();
    fill(api, ledger, 2'000);
    Barrier barrier(database, "100000");
    auto const path = new_export(api, "transfers", of_ledger(ledger));
    json::object half;
    auto const is_halted = [&] {
        half = api.get(path).document().as_object();
        return half.at("bytes").as_int64() > 100'000;
    };
    await_that(is_halted, "the file up to the barrier");
    BOOST_TEST(half.at("status").as_string() == "processing");
    BOOST_TEST(half.at("rows").as_int64() > 0);
    BOOST_TEST(half.at("rows").as_int64() < 2'001);
    BOOST_TEST(half.at("sha256").is_null());
    first.kill();
    ServerProcess second{options};
    Api there(second);
    barrier.open();
    auto const file = file_of(second, there, path);
    BOOST_TEST(lines_of(file, "\n").size() == 2'001U);
    BOOST_TEST(metric(there, "penstock_exports_resumed_total") >= 1);
    check_same_as_list(there, file, ledger + "/transfers");
    auto const again = new_export(there, "transfers", of_ledger(ledger));
    BOOST_TEST((file_of(second, there, again) == file));
}

BOOST_AUTO_TEST_CASE(any_server_hands_out_what_another_wrote) {
    Database database;
    ServerProcess writer{{"--database-url", url_of(database)}};
    ServerProcess reader{{"--database-url", url_of(database), "--job-workers", "0"}};
    Api there(reader);
    auto const ledger = there.new_ledger();
    fill(there, ledger, 10);
    auto const path = new_export(there, "transfers", of_ledger(ledger));
    auto const file = file_of(reader, there, path);
    Api here(writer);
    auto const url = url_in(await_status(there, path, "ready"));
    BOOST_TEST(here.get(url).body == file);
}

BOOST_AUTO_TEST_CASE(organizations_do_not_see_each_others_exports) {
    Database database;
    ServerProcess server{{"--admin-key", admin_key, "--database-url", url_of(database)}};
    Api admin(server, admin_key);
    auto const member = [&](std::string const& scopes) {
        auto const made =
            admin.post("/v1/organizations", R"({"name":")" + fresh("organization") + R"("})");
        auto const id = std::string(made.document().at("id").as_string());
        auto const key = admin.post("/v1/organizations/" + id + "/keys",
                                    R"({"name":"k","scopes":[)" + scopes + "]}");
        return std::string(key.document().at("secret").as_string());
    };
    Api mine(server, member(R"("write")"));
    Api theirs(server, member(R"("admin")"));
    Api reader(server, member(R"("read")"));
    auto const ledger = mine.new_ledger();
    fill(mine, ledger, 3);
    BOOST_TEST(reader.post("/v1/exports", R"({"source":"transfers","format":"csv"})").status ==
               403U);
    auto const path = new_export(mine, "transfers");
    auto const file = file_of(server, mine, path);
    BOOST_TEST(lines_of(file, "\n").size() == 4U);
    BOOST_TEST(theirs.get(path).code() == "export_not_found");
    BOOST_TEST(theirs.get(path + "/audit").code() == "export_not_found");
    BOOST_TEST(walk(theirs, "/v1/exports", 10).empty());
    BOOST_TEST(theirs
                   .post("/v1/exports",
                         R"({"source":"transfers","format":"csv")" + of_ledger(ledger) + "}")
                   .code() == "ledger_not_found");
    auto const empty = new_export(theirs, "activity");
    BOOST_TEST(lines_of(file_of(server, theirs, empty), "\n").empty());
    Api stranger(server);
    BOOST_TEST(stranger.get(path).status == 401U);
    // Whoever has the link has the file.
    BOOST_TEST(stranger.get(url_in(await_status(mine, path, "ready"))).body == file);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
