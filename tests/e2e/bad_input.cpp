// What does nonsense get? A problem that names the place, and nothing else happens.
#include "tests/e2e/api.hpp"

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

Member amount() { return {"amount", "5", true, bad_integers(broken_amounts)}; }
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

std::vector<Body> bodies() {
    Member const name{"name", quoted("n"), true, bad_texts(200, "a\\u0007b")};
    Member const ledger_name{"name", quoted("n"), true, bad_texts(63, "-Upper_")};
    Member const asset{"asset",
                       R"({"code":"EUR","scale":2})",
                       true,
                       {"null", "7", quoted("EUR"), "[]", "{}", R"({"code":"EUR"})",
                        R"({"code":"EUR","scale":19})", R"({"code":"EUR","scale":2.0})",
                        R"({"code":7,"scale":2})", R"({"code":"EUR","scale":2,"more":1})"}};
    auto const choice = [](char const* member, char const* good) {
        return Member{member, quoted(good), false, {"null", "0", quoted("other"), quoted("")}};
    };
    Member const percent{"royalty_percent", "70", false, bad_integers("-1 101 7.0 1e1")};
    Member const issuers{
        "issuers", R"(["a"])", false, {"null", quoted("a"), "{}", "[7]", R"([""])", R"(["@x"])"}};
    Member const overdraft{"overdraft_limit", "0", false,
                           bad_integers("-1 9007199254740992 1.0 1e3")};
    Member const scopes{
        "scopes", R"(["read"])", true, {"null", quoted("read"), "[]", "[7]", R"(["root"])"}};
    Member const transfers{
        "transfers",
        R"([{"from":"ann","to":"bob","amount":1}])",
        true,
        {"null", "[]", "{}", "[7]", "[{}]", R"([{"from":"ann","to":"bob","amount":1.0}])",
         R"([{"from":"ann","to":"bob","amount":1,"more":1}])"}};
    Member const atomic{"atomic", "false", false, {"null", "0", quoted("true")}};
    return {
        {"/v1/organizations", {name}},
        {"/v1/organizations/{default}/keys", {name, scopes}},
        {"/v1/ledgers",
         {ledger_name, asset, choice("kind", "money"), choice("posting", "durable"), percent,
          choice("drain", "emission"), choice("accounts", "explicit"), issuers}},
        {"accounts",
         {{"address", quoted("new"), true, bad_texts(128, "a b")}, overdraft, metadata()}},
        {"deposits", {address("account", "ann"), amount(), reference(), metadata()}},
        {"withdrawals", {address("account", "ann"), amount(), reference(), metadata()}},
        {"transfers",
         {address("from", "ann"), address("to", "bob"), amount(), reference(), metadata()}},
        {"transfers/bulk", {transfers, atomic}},
        {"transfers/{transfer}/revert", {}},
        {"reports", {{"type", quoted("financial"), true, {"null", "0", "[]", quoted("other")}}}},
        {"/v1/admin/dead-letters/01890a5d-ac96-774b-bcce-b302099a8057/retry", {}},
    };
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

/// One server, one ledger with something in it, and what everything looked like before.
class Scene {
public:
    explicit Scene(ServerProcess const& server) : api(server), ledger(api.new_ledger()) {
        api.new_account(ledger, "ann");
        api.new_account(ledger, "bob");
        auto const made = api.deposit(ledger, "ann", 1'000);
        transfer = std::string(made.document().at("id").as_string());
        before_ = everything();
    }

    std::string path_of(Body const& body) {
        auto path = body.route.starts_with('/') ? body.route : ledger + '/' + body.route;
        replace(path, "{transfer}", transfer);
        replace(path, "{default}", organization());
        return path;
    }

    void check_nothing_changed() {
        BOOST_TEST(everything() == before_);
        BOOST_TEST(api.get("/healthz").status == 200U);
        check_verified(api, ledger);
    }

    Api api;
    std::string ledger;
    std::string transfer;

private:
    static void replace(std::string& text, std::string const& from, std::string const& to) {
        auto const place = text.find(from);
        if (place != std::string::npos) text.replace(place, from.size(), to);
    }
    std::string organization() {
        auto const all = walk(api, "/v1/organizations", 200);
        BOOST_TEST_REQUIRE(!all.empty());
        return std::string(all.front().at("id").as_string());
    }
    std::string everything() {
        std::string text;
        for (auto const& path :
             {std::string("/v1/ledgers"), std::string("/v1/organizations"), ledger,
              ledger + "/accounts", ledger + "/transfers", ledger + "/totals"})
            text += api.get(path).body;
        return text;
    }

    std::string before_;
};

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

BOOST_AUTO_TEST_CASE_TEMPLATE(every_wrong_member_of_every_body_is_named_and_refused, Store,
                              Stores) {
    Scene scene(Store::server());
    for (auto const& body : bodies()) {
        auto const path = scene.path_of(body);
        auto const refuse = [&](std::string const& text, std::string const& pointer) {
            check_refused(scene.api.post(path, text), pointer, path + ' ' + text);
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
        auto const path = scene.path_of(body);
        for (auto const& document : documents)
            check_refused(scene.api.post(path, document), "", path + ' ' + document);
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
    auto const lists = {std::string("/v1/organizations"), std::string("/v1/ledgers"),
                        scene.ledger + "/accounts", scene.ledger + "/accounts/ann/entries",
                        scene.ledger + "/transfers"};
    for (auto const& list : lists) {
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
    refuse(scene.ledger + "/accounts?prefix=" + std::string(129, 'a'), "prefix");
    scene.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_that_is_missing_or_malformed_is_400, Store, Stores) {
    Scene scene(Store::server());
    for (auto const& body : bodies()) {
        auto const path = scene.path_of(body);
        auto const text = render(body, none_changed, "");
        BOOST_TEST(scene.api.post(path, text, "").code() == "idempotency_key_missing", path);
        for (auto const& key : {std::string("a b"), std::string(256, 'k'), std::string("\xC3\xA4")})
            BOOST_TEST(scene.api.post(path, text, key).code() == "idempotency_key_invalid", path);
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
