// Does the served document say what the server does: every route, and no other?
#include <set>

#include "server/context.hpp"
#include "tests/e2e/api.hpp"
#include "tests/support/json_schema.hpp"

namespace penstock::tests {
namespace {

using Operations = std::set<std::pair<std::string, std::string>>;

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

Operations documented(json::value const& document) {
    Operations operations;
    for (auto const& path : document.at("paths").as_object())
        for (auto const& member : path.value().as_object())
            if (member.value().is_object())
                operations.emplace(upper(std::string(member.key())), std::string(path.key()));
    return operations;
}

/// With a value in the place of each parameter.
std::string filled_in(std::string path) {
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
        path.replace(open, path.find('}', open) - open + 1, "01890a5d-ac96-774b-bcce-b302099a8057");
    return path;
}

/// The document that a server gives, and what it says of its own answers.
class Described {
public:
    explicit Described(Api& api) : document_(api.get("/openapi.json").document()) {}

    /// The schema of what `method path` answers with `status`; fails when there is none.
    json::value const& answer_schema(std::string const& method, std::string const& path,
                                     unsigned status) {
        auto const& answers = document_.at("paths").at(path).at(method).at("responses").as_object();
        auto const* answer = answers.if_contains(std::to_string(status));
        bool const refused = answer == nullptr || status >= 400;
        if (refused) answer = &document_.at("components").at("responses").at("Problem");
        char const* const type = refused ? "application/problem+json" : "application/json";
        return answer->at("content").at(type).at("schema");
    }
    json::value const& body_schema(std::string const& method, std::string const& path) {
        auto const& body = document_.at("paths").at(path).at(method).at("requestBody");
        return body.at("content").at("application/json").at("schema");
    }

    void check_answer(std::string const& method, std::string const& path,
                      HttpAnswer const& answer) {
        checked_.emplace(upper(method), path);
        auto const& schema = answer_schema(method, path, answer.status);
        for (auto const& complaint : SchemaCheck(document_)(schema, answer.document()))
            BOOST_ERROR(method << ' ' << path << ": " << complaint << " in " << answer.body);
    }
    void check_body(std::string const& method, std::string const& path, std::string const& body) {
        for (auto const& complaint :
             SchemaCheck(document_)(body_schema(method, path), json::parse(body)))
            BOOST_ERROR(method << ' ' << path << ": " << complaint << " in " << body);
    }
    bool allows_body(std::string const& method, std::string const& path, std::string const& body) {
        return SchemaCheck(document_)(body_schema(method, path), json::parse(body)).empty();
    }

    Operations const& checked() const { return checked_; }
    json::value const& document() const { return document_; }

private:
    json::value document_;
    Operations checked_;
};

std::string const ledger_path = "/v1/ledgers/{ledger}";

/// Uses every route that takes or gives JSON, and holds body and answer against the document.
class Tour {
public:
    explicit Tour(ServerProcess const& server) : api_(server), described_(api_) {}

    void run() {
        for (auto const* path : {"/healthz", "/readyz", "/version", "/openapi.json"})
            get(path, path);
        organizations();
        ledgers();
        accounts();
        movements();
        purchases();
        holds();
        streams();
        sales();
        credits();
        hot_ledgers();
        jobs();
        exports();
        get("/v1/activity", "/v1/activity");
        get("/v1/activity", "/v1/activity?type=purchase.refunded");
        refusals();
        auto const& operations = documented(described_.document());
        for (auto const& [method, path] : operations) {
            bool const text = path == "/metrics" || path == "/docs" || method == "DELETE" ||
                              path == "/sale/{product}" || path.ends_with("/events") ||
                              path.ends_with("/download");
            BOOST_TEST((text || described_.checked().contains({method, path})),
                       "not toured: " << method << ' ' << path);
        }
    }

private:
    HttpAnswer get(std::string const& path, std::string const& target) {
        auto answer = api_.get(target);
        BOOST_TEST(answer.status == 200U, answer.body);
        described_.check_answer("get", path, answer);
        return answer;
    }
    json::value post(std::string const& path, std::string const& target, std::string const& body) {
        described_.check_body("post", path, body);
        auto const answer = api_.post(target, body);
        BOOST_TEST(answer.status < 300U, answer.body);
        described_.check_answer("post", path, answer);
        return answer.document();
    }

    void organizations() {
        auto const made = post("/v1/organizations", "/v1/organizations",
                               R"({"name":")" + fresh("organization") + R"("})");
        get("/v1/organizations", "/v1/organizations?limit=1");
        auto const keys = "/v1/organizations/" + std::string(made.at("id").as_string()) + "/keys";
        std::string const path = "/v1/organizations/{org}/keys";
        auto const key = post(path, keys, R"({"name":"k","scopes":["read","admin"]})");
        get(path, keys);
        api_.remove(keys + '/' + std::string(key.at("id").as_string()));
        get(path, keys);
    }

    void ledgers() {
        auto const name = fresh("ledger");
        ledger_ = "/v1/ledgers/" + name;
        post("/v1/ledgers", "/v1/ledgers",
             R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2},"issuers":["a"]})");
        get("/v1/ledgers", "/v1/ledgers");
        get(ledger_path, ledger_);
        std::string const change = R"({"drain":"expiration","royalty_percent":60})";
        described_.check_body("patch", ledger_path, change);
        described_.check_answer("patch", ledger_path, api_.patch(ledger_, change));
    }

    void accounts() {
        auto const path = ledger_path + "/accounts";
        post(path, ledger_ + "/accounts", R"({"address":"ann","overdraft_limit":5})");
        post(path, ledger_ + "/accounts", R"({"address":"bob","metadata":{"a":[1]}})");
        get(path, ledger_ + "/accounts?limit=1");
        get(path, ledger_ + "/accounts?prefix=@");
        get(path + "/{address}", ledger_ + "/accounts/ann");
        get(path + "/{address}", ledger_ + "/accounts/bob?at=2026-01-01T00:00:00.000Z");
    }

    void movements() {
        post(ledger_path + "/deposits", ledger_ + "/deposits",
             R"({"account":"ann","amount":50,"reference":"r","metadata":{"x":1}})");
        post(ledger_path + "/withdrawals", ledger_ + "/withdrawals",
             R"({"account":"ann","amount":5})");
        auto const path = ledger_path + "/transfers";
        auto const list = ledger_ + "/transfers";
        auto const made = post(path, list, R"({"from":"ann","to":"bob","amount":3})");
        auto const one = list + '/' + std::string(made.at("id").as_string());
        post(path + "/{id}/revert", one + "/revert", "{}");
        post(path + "/bulk", list + "/bulk",
             R"({"transfers":[{"from":"ann","to":"bob","amount":3},)"
             R"({"from":"ann","to":"bob","amount":300000},)"
             R"({"from":"ann","to":"@platform","amount":1}],"atomic":false})");
        get(path + "/{id}", one);
        get(path, list);
        get(path, list + "?kind=revert&account=bob");
        get(ledger_path + "/accounts/{address}/entries", ledger_ + "/accounts/ann/entries?limit=2");
        get(ledger_path + "/totals", ledger_ + "/totals");
        get(ledger_path + "/verify", ledger_ + "/verify");
    }

    void purchases() {
        auto const path = ledger_path + "/purchases";
        auto const list = ledger_ + "/purchases";
        auto const made = post(path, list, R"({"buyer":"ann","author":"bob","price":9})");
        auto const one = list + '/' + std::string(made.at("id").as_string());
        get(path + "/{id}", one);
        post(path + "/{id}/refund", one + "/refund", "{}");
        get(path, list + "?buyer=ann");
    }

    void credits() {
        auto const name = fresh("credits");
        auto const ledger = "/v1/ledgers/" + name;
        post("/v1/ledgers", "/v1/ledgers",
             R"({"name":")" + name + R"(","asset":{"code":"PTS","scale":0},"kind":"credits"})");
        auto const path = ledger_path + "/credits";
        auto const credits = ledger + "/credits";
        post(path + "/grants", credits + "/grants",
             R"({"reference":"g","entries":[{"address":"ann","amount":9,)"
             R"("expires_at":"2999-01-01T00:00:00.000Z"},{"address":"ann","amount":1}]})");
        post(path + "/expenses", credits + "/expenses",
             R"({"reference":"e","entries":[{"address":"ann","amount":2}],"allow_partial":true})");
        post(path + "/transfers", credits + "/transfers",
             R"({"reference":"t","from":"ann","entries":[{"address":"bob","amount":8}]})");
        get(path + "/balances", credits + "/balances?limit=1&min_balance=1");
        get(path + "/balances/count", credits + "/balances/count?min_balance=1");
        get(path + "/balances/{address}", credits + "/balances/bob");
        get(path + "/history", credits + "/history?address=ann&kind=transfer");
        get(ledger_path + "/totals", ledger + "/totals");
    }

    /// Without Redis: what is refused and what is stale are described as well.
    void hot_ledgers() {
        auto const name = fresh("hot");
        auto const ledger = "/v1/ledgers/" + name;
        post("/v1/ledgers", "/v1/ledgers",
             R"({"name":")" + name + R"(","asset":{"code":"EUR","scale":2},"posting":"hot"})");
        post(ledger_path + "/accounts", ledger + "/accounts", R"({"address":"ann"})");
        auto const shown = get(ledger_path + "/accounts/{address}", ledger + "/accounts/ann");
        BOOST_TEST(shown.header("penstock-stale") == "true");
        auto const refuse = [&](std::string const& route, std::string const& body,
                                unsigned status) {
            described_.check_body("post", ledger_path + route, body);
            auto const refused = api_.post(ledger + route, body);
            BOOST_TEST(refused.status == status, refused.body);
            described_.check_answer("post", ledger_path + route, refused);
        };
        auto const sync = api_.get(ledger + "/sync");
        BOOST_TEST(sync.status == 503U, sync.body);
        described_.check_answer("get", ledger_path + "/sync", sync);
        refuse("/deposits", R"({"account":"ann","amount":1})", 503);
        refuse("/purchases", R"({"buyer":"ann","author":"bob","price":1})", 409);
    }

    void holds() {
        auto const path = ledger_path + "/holds";
        auto const list = ledger_ + "/holds";
        auto const place = [&](std::string const& more) {
            auto const made =
                post(path, list, R"({"from":"ann","to":"bob","amount":4)" + more + "}");
            return list + '/' + std::string(made.at("id").as_string());
        };
        auto const captured = place(R"(,"expires_in_s":60)");
        post(path + "/{id}/capture", captured + "/capture", R"({"amount":1})");
        get(path + "/{id}", captured);
        auto const voided = place("");
        get(path + "/{id}", voided);
        post(path + "/{id}/void", voided + "/void", "{}");
        get(path, list + "?status=captured");
    }

    void streams() {
        auto const path = ledger_path + "/streams";
        auto const list = ledger_ + "/streams";
        auto const draft = [&](std::string const& how) {
            auto const made = post(
                path, list, R"({"sender":"ann","recipient":"bob","duration_s":3600,)" + how + "}");
            return list + '/' + std::string(made.at("id").as_string());
        };
        auto const settled = draft(R"("total":1,"label":"l","metadata":{"a":[1]})");
        get(path + "/{id}", settled);
        for (std::string const action : {"start", "pause", "stop", "settle"})
            post(path + "/{id}/" + action, settled + '/' + action, "{}");
        // Nothing had vested, so nothing is left: without an effect.
        post(path + "/{id}/withdraw", settled + "/withdraw", R"({"amount":1})");
        auto const cancelled = draft(R"("rate":{"amount":1,"per":"hour"})");
        post(path + "/{id}/start", cancelled + "/start", "{}");
        post(path + "/{id}/cancel", cancelled + "/cancel", "{}");
        get(path, list + "?status=cancelled&sender=ann&recipient=bob");
        get(path, list);
        get(ledger_path + "/totals", ledger_ + "/totals");
        get("/v1/activity", "/v1/activity?stream=" + cancelled.substr(list.size() + 1));
    }

    void sales() {
        auto const offer = [&](std::string const& more) {
            auto const made =
                post("/v1/products", "/v1/products",
                     R"({"name":"n","price":5,"stock":3,"starts_at":"2026-01-01T00:00:00Z")" +
                         more + "}");
            return std::string(made.at("id").as_string());
        };
        auto const product = offer(R"(,"ends_at":"2126-01-01T00:00:00.000Z","per_user_limit":2,)"
                                   R"("payment":{"ledger":")" +
                                   ledger_.substr(12) + R"(","seller":"bob"})");
        get("/v1/products", "/v1/products?limit=1");
        get("/v1/products/{id}", "/v1/products/" + product);
        post("/v1/products/{id}/restock", "/v1/products/" + product + "/restock",
             R"({"quantity":1})");
        std::string const path = "/v1/sales/{product}";
        auto const sale = "/v1/sales/" + product;
        get(path, sale);
        get("/v1/sales/first", "/v1/sales/first");
        auto const made = post(path + "/orders", sale + "/orders",
                               R"({"user":"ann","quantity":2,"metadata":{"a":1}})");
        auto const order = sale + "/orders/" + std::string(made.at("id").as_string());
        get(path + "/orders/{id}", order);
        post(path + "/orders/{id}/cancel", order + "/cancel", "{}");
        get(path + "/orders", sale + "/orders?user=ann");
        get(path + "/users/{user}", sale + "/users/ann");
        post("/v1/admin/reconciliation", "/v1/admin/reconciliation", "{}");
        // Without end or payment; and more than there is.
        auto const later = offer(R"(,"metadata":{"x":[]})");
        get("/v1/products/{id}", "/v1/products/" + later);
        described_.check_answer(
            "post", path + "/orders",
            api_.post("/v1/sales/" + later + "/orders", R"({"user":"a","quantity":9})"));
    }

    void exports() {
        std::string const path = "/v1/exports";
        auto const made =
            post(path, path,
                 R"({"source":"entries","format":"csv","ledger":")" + ledger_.substr(12) +
                     R"(","filter":{"account":"ann","from":"2026-01-01T00:00:00Z",)"
                     R"("to":"2126-01-01T00:00:00Z"}})");
        post(path, path, R"({"source":"activity","format":"ndjson"})");
        auto const one = path + '/' + std::string(made.at("id").as_string());
        auto const is_ready = [&] {
            return api_.get(one).document().at("status").as_string() == "ready";
        };
        await_that(is_ready, "an export");
        get(path + "/{id}", one);
        get(path, path + "?limit=2");
        get(path + "/{id}/audit", one + "/audit");
    }

    void jobs() {
        auto const path = ledger_path + "/reports";
        auto const list = ledger_ + "/reports";
        auto const asked = post(path, list, R"({"type":"financial"})");
        auto const id = std::string(asked.at("id").as_string());
        auto const done = [&] {
            return get(path + "/{id}", list + '/' + id).document().at("status") == "completed";
        };
        await_that(done, "the report");
        get(path, list);
        get("/v1/admin/jobs", "/v1/admin/jobs?status=completed");
        get("/v1/admin/dead-letters", "/v1/admin/dead-letters");
        // There is no dead letter: the refusal is described as well.
        std::string const retry = "/v1/admin/dead-letters/{id}/retry";
        described_.check_body("post", retry, "{}");
        auto const refused = api_.post("/v1/admin/dead-letters/" + id + "/retry", "{}");
        BOOST_TEST(refused.status == 409U, refused.body);
        described_.check_answer("post", retry, refused);
    }

    /// Problems satisfy their schema, and what the schema of a body forbids is refused.
    void refusals() {
        auto const path = ledger_path + "/deposits";
        for (std::string const body :
             {R"({"account":"ann"})", R"({"account":"ann","amount":0})",
              R"({"account":"@world","amount":1})", R"({"account":"ann","amount":1,"more":1})",
              R"({"account":"ann","amount":1,"reference":""})",
              R"({"account":"ann","amount":1,"metadata":[]})"}) {
            BOOST_TEST(!described_.allows_body("post", path, body), body);
            auto const answer = api_.post(ledger_ + "/deposits", body);
            BOOST_TEST(answer.status == 400U, body);
            described_.check_answer("post", path, answer);
        }
        described_.check_answer("get", ledger_path, api_.get("/v1/ledgers/none"));
        described_.check_answer("get", "/v1/ledgers", api_.get("/v1/ledgers?limit=0"));
        described_.check_answer("post", path, api_.withdraw(ledger_, "bob", 1'000'000));
    }

    Api api_;
    Described described_;
    std::string ledger_;
};

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(every_body_and_every_answer_satisfies_its_documented_schema) {
    Database database;
    ServerProcess on_postgres({"--database-url", url_of(database)});
    Tour(on_postgres).run();
    ServerProcess in_memory({});
    Tour(in_memory).run();
}

BOOST_AUTO_TEST_CASE(the_document_and_the_routing_table_agree_in_both_directions) {
    ServerProcess server({});
    Api api(server);
    auto const answer = api.get("/openapi.json");
    BOOST_TEST_REQUIRE(answer.status == 200U);
    auto const document = answer.document();
    BOOST_TEST(document.at("openapi").as_string().starts_with("3.1"));
    Operations routed;
    for (auto const& route : server::route_table())
        routed.emplace(std::string(server::to_string(route.method)), std::string(route.pattern));
    for (auto const& [method, path] : documented(document))
        BOOST_TEST(routed.contains({method, path}), "only documented: " << method << ' ' << path);
    auto const known = documented(document);
    for (auto const& [method, path] : routed)
        BOOST_TEST(known.contains({method, path}), "only routed: " << method << ' ' << path);
    BOOST_TEST(!routed.empty());
}

BOOST_AUTO_TEST_CASE(every_documented_operation_is_served_and_no_other_method) {
    ServerProcess server({});
    Api api(server);
    auto const operations = documented(api.get("/openapi.json").document());
    std::map<std::string, std::set<std::string>> methods_of;
    for (auto const& [method, path] : operations) methods_of[path].insert(method);
    for (auto const& [path, methods] : methods_of) {
        for (std::string const method : {"GET", "POST", "PATCH", "DELETE", "PUT"}) {
            bool const has_body = method != "GET" && method != "DELETE";
            std::optional<std::string> body;
            if (has_body) body = "{}";
            HttpHeaders const headers{{"Content-Type", "application/json"},
                                      {"Idempotency-Key", fresh("key")}};
            auto const answer = api.http().request(method, filled_in(path), body, headers);
            auto const asked = method + ' ' + path;
            if (methods.contains(method)) {
                BOOST_TEST(answer.status != 405U, asked);
                BOOST_TEST(answer.code() != "not_found", asked);
                BOOST_TEST(answer.status < 500U, asked << ": " << answer.body);
            } else {
                BOOST_TEST(answer.status == 405U, asked);
                for (auto const& allowed : methods)
                    BOOST_TEST(answer.header("allow").find(allowed) != std::string::npos, asked);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_health_routes_answer_and_the_reference_is_a_page) {
    ServerProcess server({});
    Api api(server);
    for (auto const* path : {"/healthz", "/readyz", "/version", "/metrics", "/docs"})
        BOOST_TEST(api.get(path).status == 200U, path);
    BOOST_TEST(api.get("/docs").header("content-type").starts_with("text/html"));
    BOOST_TEST(api.get("/readyz").document().at("status").as_string() == "ok");
    auto const head = api.http().request("HEAD", "/version");
    BOOST_TEST(head.status == 200U);
    BOOST_TEST(head.body.empty());
    BOOST_TEST(api.get("/v1/nothing").code() == "not_found");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
