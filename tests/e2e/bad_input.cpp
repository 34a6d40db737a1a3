// What does nonsense get? A problem that names the place, and nothing else happens.
#include <map>
#include <set>

#include "tests/e2e/points.hpp"
#include "tests/e2e/shop.hpp"

namespace penstock::tests {
namespace {

/// A member of a body, and values that it must not have.
struct Member {
    std::string name;
    std::string good;
    bool required = true;
    std::vector<std::string> bad;
};

struct Body {
    std::string route;  ///< below the ledger, or absolute
    std::vector<Member> members;
    std::string method = "POST";

    /// Of the optional keys a missing one is no fault.
    bool needs_key() const { return method == "POST"; }
};

std::string const broken_amounts = "1.0 1e3 0 -1 9007199254740992 1e400 99999999999999999999 01";

std::vector<std::string> words(std::string const& text) {
    std::vector<std::string> all;
    for (std::size_t start = 0; start < text.size();) {
        auto const end = std::min(text.find(' ', start), text.size());
        all.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return all;
}

std::string quoted(std::string const& text) { return '"' + text + '"'; }

std::vector<std::string> bad_integers(std::string const& numbers) {
    auto all = words(numbers);
    for (auto const* other : {"null", "\"5\"", "true", "[]", "{}"}) all.emplace_back(other);
    return all;
}

std::vector<std::string> bad_texts(std::size_t bytes_max, std::string const& forbidden) {
    return {"null",
            "7",
            "true",
            "[]",
            "{}",
            quoted(""),
            quoted(std::string(bytes_max + 1, 'a')),
            quoted(forbidden),
            quoted("a\\u0000b"),
            quoted("\\ud800")};
}

Member amount(bool required = true) {
    return {"amount", "5", required, bad_integers(broken_amounts)};
}
Member address(std::string const& name, std::string const& good) {
    return {name, quoted(good), true, bad_texts(128, "@world")};
}
Member reference() { return {"reference", quoted("r"), false, bad_texts(255, "a\\nb")}; }
Member metadata() {
    return {"metadata",
            R"({"a":1})",
            false,
            {"null", "7", "[]", quoted("x"), R"({"a":1,"a":2})",
             R"({"a":")" + std::string(17'000, 'x') + "\"}"}};
}

Member choice(std::string const& name, std::string const& good, bool required = false) {
    return {name, quoted(good), required, {"null", "0", quoted("other"), quoted("")}};
}
Member truth(std::string const& name) {
    return {name, "false", false, {"null", "0", quoted("true"), "[]"}};
}
Member instant(std::string const& name, std::string const& good, bool required) {
    return {name,
            quoted(good),
            required,
            {"null", "7", "true", "[]", quoted(""), quoted("yesterday"), quoted("2026-01-01"),
             quoted("2026-13-01T00:00:00Z"), quoted("2026-02-30T00:00:00Z")}};
}
Member title(std::string const& name, bool required) {
    return {name, quoted("n"), required, bad_texts(200, "a\\u0007b")};
}

std::vector<Body> bodies_of_money() {
    auto const price = [] { return Member{"price", "5", true, bad_integers(broken_amounts)}; };
    Member const seconds{"expires_in_s", "60", false, bad_integers("0 -1 315360001 60.0 1e3 01")};
    Member const transfers{
        "transfers",
        R"([{"from":"ann","to":"bob","amount":1}])",
        true,
        {"null", "[]", "{}", "[7]", "[{}]", R"([{"from":"ann","to":"bob","amount":1.0}])",
         R"([{"from":"ann","to":"bob","amount":1,"more":1}])"}};
    return {
        {"accounts",
         {{"address", quoted("new"), true, bad_texts(128, "a b")},
          {"overdraft_limit", "0", false, bad_integers("-1 9007199254740992 1.0 1e3")},
          metadata()}},
        {"deposits", {address("account", "ann"), amount(), reference(), metadata()}},
        {"withdrawals", {address("account", "ann"), amount(), reference(), metadata()}},
        {"transfers",
         {address("from", "ann"), address("to", "bob"), amount(), reference(), metadata()}},
        {"transfers/bulk", {transfers, truth("atomic")}},
        {"transfers/{transfer}/revert", {}},
        {"purchases",
         {address("buyer", "ann"), address("author", "bob"), price(), reference(), metadata()}},
        {"purchases/{purchase}/refund", {}},
        {"holds", {address("from", "ann"), address("to", "bob"), amount(), seconds}},
        {"holds/{hold}/capture", {amount(false)}},
        {"holds/{hold}/void", {}},
        {"reports", {choice("type", "financial", true)}},
    };
}

std::vector<Body> bodies_of_streams() {
    Member const total{"total", "5", false, bad_integers(broken_amounts)};
    Member const rate{"rate",
                      R"({"amount":5,"per":"day"})",
                      false,
                      {"null", "7", "[]", "{}", R"({"amount":5})", R"({"per":"day"})",
                       R"({"amount":0,"per":"day"})", R"({"amount":5.0,"per":"day"})",
                       R"({"amount":5,"per":"year"})", R"({"amount":5,"per":"day","more":1})"}};
    Member const duration{"duration_s", "60", true, bad_integers("0 -1 3153600001 60.0 1e3 01")};
    auto const draft = [&](Member const& whole) {
        return std::vector<Member>{address("sender", "ann"),
                                   address("recipient", "bob"),
                                   whole,
                                   duration,
                                   title("label", false),
                                   metadata()};
    };
    std::vector<Body> all{{"streams", draft(total)}, {"streams", draft(rate)}};
    for (auto const* action : {"start", "pause", "stop", "settle", "cancel"})
        all.push_back({"streams/{stream}/" + std::string(action), {}});
    all.push_back({"streams/{stream}/withdraw", {amount(false)}});
    return all;
}

std::vector<Body> bodies_of_credits() {
    std::string const credits = "/v1/ledgers/{points}/credits/";
    Member const own_reference{"reference", quoted("r"), true, bad_texts(255, "a\\nb")};
    std::vector<std::string> const broken{"null",
                                          "7",
                                          "{}",
                                          "[]",
                                          "[7]",
                                          "[{}]",
                                          "[null]",
                                          R"([{"address":"ann"}])",
                                          R"([{"amount":1}])",
                                          R"([{"address":"@x","amount":1}])",
                                          R"([{"address":"ann","amount":0}])",
                                          R"([{"address":"ann","amount":1.0}])",
                                          R"([{"address":"ann","amount":1,"more":1}])",
                                          R"([{"address":"ann","amount":1,"expires_at":7}])",
                                          R"([{"address":"ann","amount":1,"expires_at":"x"}])"};
    Member const entries{"entries", R"([{"address":"ann","amount":1}])", true, broken};
    return {{credits + "grants", {own_reference, entries}},
            {credits + "expenses", {own_reference, entries, truth("allow_partial")}},
            {credits + "transfers", {own_reference, address("from", "ann"), entries}}};
}

std::vector<Body> bodies_of_sales() {
    auto const whole = [](std::string const& name, bool required, std::string const& numbers) {
        return Member{name, "5", required, bad_integers(numbers)};
    };
    std::string const from_0 = "-1 1.0 1e3 9007199254740992 1e400 99999999999999999999 01";
    Member const payment{
        "payment",
        R"({"ledger":"n","seller":"ann"})",
        false,
        {"null", "7", "[]", "{}", quoted("n"), R"({"ledger":"n"})", R"({"seller":"ann"})",
         R"({"ledger":"-Upper_","seller":"ann"})", R"({"ledger":"n","seller":"@world"})",
         R"({"ledger":"n","seller":"ann","more":1})"}};
    auto ends_at = instant("ends_at", "2999-01-01T00:00:00Z", false);
    ends_at.bad.push_back(quoted("2026-01-01T00:00:00Z"));
    return {{"/v1/products",
             {title("name", true), whole("price", true, from_0), whole("stock", true, from_0),
              instant("starts_at", "2026-01-01T00:00:00Z", true), ends_at,
              whole("per_user_limit", false, broken_amounts), payment, metadata()}},
            {"/v1/products/{product}/restock", {whole("quantity", true, broken_amounts)}},
            {"/v1/sales/{product}/orders",
             {{"user", quoted("u"), true, bad_texts(128, "a\\nb")},
              whole("quantity", false, broken_amounts),
              metadata()}},
            {"/v1/sales/{product}/orders/{order}/cancel", {}},
            {"/v1/admin/reconciliation", {}}};
}

std::vector<Body> bodies_of_the_installation() {
    Member const ledger_name{"name", quoted("n"), true, bad_texts(63, "-Upper_")};
    Member const asset{"asset",
                       R"({"code":"EUR","scale":2})",
                       true,
                       {"null", "7", quoted("EUR"), "[]", "{}", R"({"code":"EUR"})",
                        R"({"code":"EUR","scale":19})", R"({"code":"EUR","scale":2.0})",
                        R"({"code":7,"scale":2})", R"({"code":"EUR","scale":2,"more":1})"}};
    Member const percent{"royalty_percent", "70", false, bad_integers("-1 101 7.0 1e1")};
    Member const issuers{
        "issuers", R"(["a"])", false, {"null", quoted("a"), "{}", "[7]", R"([""])", R"(["@x"])"}};
    Member const scopes{
        "scopes", R"(["read"])", true, {"null", quoted("read"), "[]", "[7]", R"(["root"])"}};
    Member const filter{
        "filter",
        R"({"from":"2026-01-01T00:00:00Z"})",
        false,
        {"null", "7", "[]", R"({"account":7})", R"({"account":""})", R"({"account":"a b"})",
         R"({"from":"yesterday"})", R"({"from":null})", R"({"to":1})", R"({"more":1})"}};
    return {
        {"/v1/organizations", {title("name", true)}},
        {"/v1/organizations/{organization}/keys", {title("name", true), scopes}},
        {"/v1/ledgers",
         {ledger_name, asset, choice("kind", "money"), choice("posting", "durable"), percent,
          choice("drain", "emission"), choice("accounts", "explicit"), issuers}},
        {"/v1/ledgers/{ledger}", {choice("drain", "emission"), issuers, percent}, "PATCH"},
        {"/v1/exports",
         {choice("source", "transfers", true),
          choice("format", "csv", true),
          {"ledger", quoted("n"), false, bad_texts(63, "-Upper_")},
          filter}},
        {"/v1/admin/dead-letters/{job}/retry", {}},
    };
}

/// Of every route that has one.
std::vector<Body> bodies() {
    auto all = bodies_of_the_installation();
    for (auto const& more :
         {bodies_of_money(), bodies_of_streams(), bodies_of_credits(), bodies_of_sales()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// Every list that is given out in pages.
std::vector<std::string> lists() {
    return {"/v1/organizations",
            "/v1/organizations/{organization}/keys",
            "/v1/ledgers",
            "accounts",
            "accounts/{account}/entries",
            "transfers",
            "purchases",
            "holds",
            "streams",
            "reports",
            "/v1/ledgers/{points}/credits/balances",
            "/v1/ledgers/{points}/credits/history",
            "/v1/products",
            "/v1/sales/{product}/orders",
            "/v1/activity",
            "/v1/exports",
            "/v1/exports/{export}/audit",
            "/v1/admin/jobs",
            "/v1/admin/dead-letters"};
}

/// The body with one member's value replaced ("": left out), and something more at the end.
std::string render(Body const& body, std::size_t changed, std::string const& value,
                   std::string const& more = "") {
    std::string text = "{";
    for (std::size_t i = 0; i < body.members.size(); ++i) {
        auto const& shown = i == changed ? value : body.members[i].good;
        if (shown.empty()) continue;
        if (text.size() > 1) text += ',';
        text += quoted(body.members[i].name) + ':' + shown;
    }
    if (!more.empty() && text.size() > 1) text += ',';
    return text + more + '}';
}

constexpr auto none_changed = static_cast<std::size_t>(-1);

constexpr char const* unknown_id = "01890a5d-ac96-774b-bcce-b302099a8057";

/// One server, a ledger of money, one of credits and a sale with something in them, and what
/// everything looked like before.
class Scene {
public:
    explicit Scene(ServerProcess const& server)
        : api(server), ledger(api.new_ledger()), points(new_points(api)) {
        api.new_account(ledger, "ann");
        api.new_account(ledger, "bob");
        made("transfer", ledger + "/deposits", Api::one_sided("ann", 1'000));
        made("purchase", ledger + "/purchases", R"({"buyer":"ann","author":"bob","price":10})");
        made("hold", ledger + "/holds", R"({"from":"ann","to":"bob","amount":5})");
        made("stream", ledger + "/streams",
             R"({"sender":"ann","recipient":"bob","total":5,"duration_s":60})");
        grant(api, points, entry("ann", 5));
        names_["product"] = api.new_product(5);
        made("order", "/v1/sales/" + names_["product"] + "/orders", R"({"user":"ann"})");
        names_["ledger"] = last_of(ledger);
        names_["points"] = last_of(points);
        names_["account"] = "ann";
        names_["job"] = names_["export"] = unknown_id;
        auto const all = walk(api, "/v1/organizations", 200);
        names_["organization"] = std::string(all.front().at("id").as_string());
        before_ = everything();
    }

    std::string path_of(std::string const& route) {
        auto path = route.starts_with('/') ? route : ledger + '/' + route;
        for (auto const& [name, value] : names_) {
            auto const place = path.find('{' + name + '}');
            if (place != std::string::npos) path.replace(place, name.size() + 2, value);
        }
        return path;
    }

    HttpAnswer send(Body const& body, std::string const& text,
                    std::string const& key = fresh("key")) {
        auto const path = path_of(body.route);
        return body.method == "PATCH" ? api.patch(path, text, key) : api.post(path, text, key);
    }

    void check_nothing_changed() {
        BOOST_TEST(everything() == before_);
        BOOST_TEST(api.get("/healthz").status == 200U);
        check_verified(api, ledger);
        check_verified(api, points);
    }

    Shop api;
    std::string ledger;
    std::string points;

private:
    static std::string last_of(std::string const& path) { return path.substr(path.rfind('/') + 1); }
    void made(std::string const& name, std::string const& path, std::string const& body) {
        auto const answer = api.post(path, body);
        BOOST_REQUIRE_MESSAGE(answer.status == 201, answer.body);
        names_[name] = text_of(answer.document(), "id");
    }
    std::string everything() {
        std::string text;
        for (std::string const route : {"/v1/ledgers",
                                        "/v1/organizations",
                                        "/v1/organizations/{organization}/keys",
                                        "/v1/ledgers/{ledger}",
                                        "accounts",
                                        "transfers",
                                        "purchases",
                                        "holds",
                                        "streams",
                                        "reports",
                                        "totals",
                                        "/v1/ledgers/{points}/totals",
                                        "/v1/ledgers/{points}/credits/balances",
                                        "/v1/ledgers/{points}/credits/history",
                                        "/v1/products",
                                        "/v1/products/{product}",
                                        "/v1/sales/{product}/orders",
                                        "/v1/exports",
                                        "/v1/admin/jobs",
                                        "/v1/activity?limit=200"}) {
            auto const answer = api.get(path_of(route));
            BOOST_TEST(answer.status == 200U, route << ' ' << answer.body);
            text += answer.body;
        }
        return text;
    }

    std::map<std::string, std::string> names_;
    std::string before_;
};

/// A path as the API's document and as these tables have it: `/v1/ledgers/{}/holds`.
std::string shape_of(std::string const& route) {
    std::string shape;
    bool within = false;
    for (char const c : route.starts_with('/') ? route : "/v1/ledgers/{ledger}/" + route) {
        if (c == '}') within = false;
        if (!within) shape += c;
        if (c == '{') within = true;
    }
    return shape;
}

/// 400 with a problem whose errors name `pointer` or a place within it.
void check_refused(HttpAnswer const& answer, std::string const& pointer, std::string const& asked) {
    BOOST_TEST_CONTEXT(asked.substr(0, 200) << " -> " << answer.body.substr(0, 300)) {
        BOOST_TEST(answer.status == 400U);
        BOOST_TEST(answer.header("content-type").starts_with("application/problem+json"));
        BOOST_TEST(answer.code() == "invalid_request");
        if (answer.status != 400U) return;
        bool named = false;
        auto const document = answer.document();
        for (auto const& error : document.at("errors").as_array()) {
            auto const* found = error.as_object().if_contains("pointer");
            BOOST_TEST_REQUIRE(found != nullptr);
            named = named || found->as_string().starts_with(pointer);
        }
        BOOST_TEST(named, "no error at " << pointer);
    }
}

BOOST_AUTO_TEST_SUITE(bad_input, *boost::unit_test::fixture<Servers>())

BOOST_AUTO_TEST_CASE(every_body_and_every_list_of_the_api_is_tried_here) {
    std::set<std::string> tried;
    for (auto const& body : bodies()) tried.insert(body.method + ' ' + shape_of(body.route));
    for (auto const& list : lists()) tried.insert("GET " + shape_of(list));
    std::set<std::string> offered;
    auto const document = Api(InMemory::server()).get("/openapi.json").document();
    for (auto const& path : document.at("paths").as_object()) {
        auto const shape = shape_of(std::string(path.key()));
        for (auto const& [name, method] :
             {std::pair{"post", "POST"}, std::pair{"put", "PUT"}, std::pair{"patch", "PATCH"}})
            if (path.value().as_object().contains(name)) offered.insert(method + (' ' + shape));
        auto const* read = path.value().as_object().if_contains("get");
        auto const* parameters = read ? read->as_object().if_contains("parameters") : nullptr;
        for (auto const& each : parameters ? parameters->as_array() : json::array())
            if (json::serialize(each).find("\"limit\"") != std::string::npos)
                offered.insert("GET " + shape);
    }
    BOOST_TEST(tried == offered, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_wrong_member_of_every_body_is_named_and_refused, Store,
                              Stores) {
    Scene scene(Store::server());
    for (auto const& body : bodies()) {
        auto const refuse = [&](std::string const& text, std::string const& pointer) {
            check_refused(scene.send(body, text), pointer, body.route + ' ' + text);
        };
        for (std::size_t i = 0; i < body.members.size(); ++i) {
            auto const& member = body.members[i];
            auto const pointer = '/' + member.name;
            if (member.required) refuse(render(body, i, ""), pointer);
            for (auto const& bad : member.bad) {
                // What is not JSON at all has no place within it.
                bool const syntax = bad == "01" || bad.find("\\ud800") != std::string::npos;
                refuse(render(body, i, bad), syntax ? "" : pointer);
            }
            auto const twice = quoted(member.name) + ':' + member.good;
            refuse(render(body, none_changed, "", twice), pointer);
        }
        refuse(render(body, none_changed, "", R"("unknown_member":1)"), "/unknown_member");
    }
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_not_one_json_object_is_refused, Store, Stores) {
    Scene scene(Store::server());
    std::string const deep = std::string(20'000, '[') + std::string(20'000, ']');
    std::vector<std::string> const documents{"",
                                             "null",
                                             "7",
                                             "[]",
                                             "\"text\"",
                                             "{",
                                             "{}{}",
                                             "{\"a\":}",
                                             "{a:1}",
                                             "{\"a\":1,}",
                                             "\xEF\xBB\xBF{}",
                                             "{} x",
                                             "{'a':1}",
                                             "nul",
                                             R"({"metadata":)" + deep + "}",
                                             "{\"reference\":\"\xC3\x28\"}",
                                             "{\"reference\":\"\xED\xA0\x80\"}",
                                             "{\"\xFF\":1}",
                                             "{\"reference\":\"a\nb\"}",
                                             "{\"amount\":NaN}",
                                             "{\"amount\":+1}"};
    for (auto const& body : bodies()) {
        for (auto const& document : documents)
            check_refused(scene.send(body, document), "", body.route + ' ' + document);
    }
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_bad_query_is_400_and_names_the_parameter, Store, Stores) {
    Scene scene(Store::server());
    auto const refuse = [&](std::string const& path, std::string const& name) {
        auto const answer = scene.api.get(path);
        BOOST_TEST(answer.status == 400U, path);
        BOOST_TEST(answer.body.find(R"("parameter":")" + name + '"') != std::string::npos,
                   path << " -> " << answer.body);
    };
    for (auto const& route : lists()) {
        auto const list = scene.path_of(route);
        for (auto const* limit : {"0", "201", "-1", "1.0", "x", "", "99999999999999999999"})
            refuse(list + "?limit=" + limit, "limit");
        refuse(list + "?unknown=1", "unknown");
        for (auto const* cursor : {"", "x", "!!!!", "AAAA", "bm9uc2Vuc2U", "eA=="}) {
            auto const answer = scene.api.get(list + "?cursor=" + cursor);
            BOOST_TEST(answer.status == 400U, list << ' ' << cursor);
            BOOST_TEST(answer.code() == "invalid_cursor");
        }
    }
    BOOST_TEST(scene.api.get("/v1/ledgers?cursor=%00").code() == "invalid_request");
    refuse(scene.ledger + "/transfers?kind=nonsense", "kind");
    refuse(scene.ledger + "/transfers?from=yesterday", "from");
    refuse(scene.ledger + "/transfers?to=2026-13-01T00:00:00Z", "to");
    refuse(scene.ledger + "/accounts/ann?at=1", "at");
    refuse(scene.ledger + "/accounts/ann?at=2999-01-01T00:00:00Z", "at");
    refuse(scene.ledger + "/holds?status=nonsense", "status");
    refuse(scene.ledger + "/streams?status=nonsense", "status");
    for (auto const* what : {"", "/count"})
        for (auto const* least : {"-1", "1.0", "x", "", "99999999999999999999"})
            refuse(scene.points + "/credits/balances" + what + "?min_balance=" + least,
                   "min_balance");
    refuse(scene.points + "/credits/history?kind=nonsense", "kind");
    refuse(scene.points + "/credits/history?from=yesterday", "from");
    refuse(scene.points + "/credits/history?to=yesterday", "to");
    refuse("/v1/activity?type=nonsense", "type");
    refuse("/v1/activity?subject=", "subject");
    refuse("/v1/activity?stream=nonsense", "stream");
    refuse("/v1/admin/jobs?status=nonsense", "status");
    refuse("/v1/admin/jobs?kind=Not-One", "kind");
    refuse(scene.ledger + "/accounts?prefix=" + std::string(129, 'a'), "prefix");
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_that_is_missing_or_malformed_is_400, Store, Stores) {
    Scene scene(Store::server());
    for (auto const& body : bodies()) {
        auto const text = render(body, none_changed, "");
        if (body.needs_key())
            BOOST_TEST(scene.send(body, text, "").code() == "idempotency_key_missing", body.route);
        for (auto const& key : {std::string("a b"), std::string(256, 'k'), std::string("\xC3\xA4")})
            BOOST_TEST(scene.send(body, text, key).code() == "idempotency_key_invalid", body.route);
    }
    HttpHeaders const two{
        {"Content-Type", "application/json"}, {"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}};
    auto const answer =
        scene.api.http().request("POST", scene.ledger + "/deposits", Api::one_sided("ann", 1), two);
    BOOST_TEST(answer.code() == "idempotency_key_invalid");
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(headers_and_sizes_out_of_bounds_have_their_own_codes, Store, Stores) {
    Scene scene(Store::server());
    auto const path = scene.ledger + "/deposits";
    auto const body = Api::one_sided("ann", 1);
    auto const send = [&](std::string const& target, std::string const& text,
                          HttpHeaders const& more) {
        HttpHeaders headers{{"Idempotency-Key", fresh("key")}};
        headers.insert(headers.end(), more.begin(), more.end());
        HttpClient client(Store::server().port());
        return client.request("POST", target, text, headers);
    };
    std::pair<std::string, std::string> const json_type{"Content-Type", "application/json"};
    BOOST_TEST(send(path, body, {{"Content-Type", "text/plain"}}).status == 415U);
    BOOST_TEST(send(path, body, {json_type, {"Accept", "text/html"}}).status == 406U);
    BOOST_TEST(send(path, body, {json_type, {"Request-Timeout-Ms", "x"}}).status == 400U);
    BOOST_TEST(send(path, body, {json_type, {"X-Much", std::string(20'000, 'x')}}).status == 431U);
    BOOST_TEST(send(path, std::string(1'100'000, ' '), {json_type}).status == 413U);
    auto const bulk = scene.ledger + "/transfers/bulk";
    BOOST_TEST(send(bulk, std::string(8'500'000, ' '), {json_type}).status == 413U);
    BOOST_TEST(send("/v1/nothing", body, {json_type}).status == 404U);
    auto const put = scene.api.http().request("PUT", path, body, {json_type});
    BOOST_TEST(put.status == 405U);
    BOOST_TEST(put.header("allow").find("POST") != std::string::npos);
    HttpHeaders const named{{"X-Request-Id", "mine-7"}};
    auto const echoed = scene.api.http().request("GET", scene.ledger, std::nullopt, named);
    BOOST_TEST(echoed.header("x-request-id") == "mine-7");
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_bulk_of_more_than_10000_items_is_refused_as_a_whole, Store,
                              Stores) {
    Scene scene(Store::server());
    std::string text = R"({"transfers":[)";
    for (int i = 0; i < 10'001; ++i) text += (i ? "," : "") + Api::movement("ann", "bob", 1);
    check_refused(scene.api.post(scene.ledger + "/transfers/bulk", text + "]}"), "/transfers",
                  "10001 items");
    std::string const one_bad = R"({"transfers":[)" + Api::movement("ann", "bob", 1) + ',' +
                                Api::movement("ann", "bob", 0) + "]}";
    check_refused(scene.api.post(scene.ledger + "/transfers/bulk", one_bad), "/transfers/1/amount",
                  one_bad);
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(garbage_and_half_requests_leave_the_server_alive, Store, Stores) {
    Scene scene(Store::server());
    for (std::string const bytes :
         {"GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\nx y NOT-HTTP/1.1\r\n\r\n",
          "POST /v1/ledgers HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
          "POST /v1/ledgers HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "GET /healthz HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n"}) {
        HttpClient client(Store::server().port());
        client.send(bytes);
        auto const answer = client.receive();
        BOOST_TEST(answer.status >= 400U, bytes);
        BOOST_TEST(answer.status != 500U, bytes);
    }
    auto const half = "POST " + scene.ledger +
                      "/deposits HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\n"
                      "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"account\"";
    for (auto const cut : {std::size_t{4}, std::size_t{40}, half.size()}) {
        HttpClient client(Store::server().port());
        client.send(half.substr(0, cut));
    }
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(pipelined_requests_are_answered_in_order, Store, Stores) {
    Scene scene(Store::server());
    HttpClient client(Store::server().port());
    std::string bytes;
    for (int i = 0; i < 50; ++i)
        bytes += "GET " + (i % 2 ? scene.ledger : std::string("/v1/nothing")) +
                 " HTTP/1.1\r\nHost: a\r\nX-Request-Id: p" + std::to_string(i) + "\r\n\r\n";
    client.send(bytes);
    for (int i = 0; i < 50; ++i) {
        auto const answer = client.receive();
        BOOST_TEST(answer.status == (i % 2 ? 200U : 404U));
        BOOST_TEST(answer.header("x-request-id") == 'p' + std::to_string(i));
    }
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
