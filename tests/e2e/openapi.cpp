// Does the served document say what the server does: every route, and no other?
#include <set>

#include "server/context.hpp"
#include "tests/e2e/api.hpp"

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

BOOST_AUTO_TEST_SUITE(openapi)

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
