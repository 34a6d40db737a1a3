#include "server/http/router.hpp"

#include <boost/test/unit_test.hpp>
#include <stdexcept>

namespace penstock::server {
namespace {

// Never called here: the router only hands it out.
asio::awaitable<Response> nothing(RequestContext&) { co_return Response(); }

constexpr auto get = Method::get;
constexpr auto post = Method::post;
constexpr auto none = Idempotency::none;
constexpr auto required = Idempotency::required;

constexpr Route table[] = {
    {get, "/healthz", Scope::open, none, nothing, "healthz"},
    {get, "/docs", Scope::open, none, nothing, "docs", {}, body_default_max, Produces::page},
    {get, "/v1/ledgers", Scope::read, none, nothing, "list_ledgers", {"limit", "cursor"}},
    {post, "/v1/ledgers", Scope::write, required, nothing, "create_ledger"},
    {get, "/v1/ledgers/{ledger}", Scope::read, none, nothing, "get_ledger"},
    {Method::delete_, "/v1/ledgers/{ledger}", Scope::admin, none, nothing, "delete_ledger"},
    {get, "/v1/ledgers/{ledger}/holds/{id}", Scope::read, none, nothing, "get_hold"},
    {get, "/v1/sales/first", Scope::read, none, nothing, "first_sale"},
    {get, "/v1/sales/{product}", Scope::read, none, nothing, "get_sale"},
    {post,
     "/v1/sales/{product}/orders",
     Scope::write,
     required,
     nothing,
     "order",
     {},
     body_bulk_max},
};

Request ask(Method method, std::string_view target) {
    Request request;
    request.method = method;
    request.request_id = "r-1";
    BOOST_REQUIRE(!parse_target(target, request.target));
    return request;
}

std::string header(Response const& response, std::string_view name) {
    for (auto const& one : response.headers)
        if (one.name == name) return one.value;
    return "";
}

struct Fixture {
    Router router{table};

    std::string name(Method method, std::string_view target) {
        auto const routing = router.route(ask(method, target));
        return routing.answer ? std::to_string(routing.answer->status)
                              : std::string(routing.match.route->name);
    }
};

BOOST_FIXTURE_TEST_SUITE(http_router, Fixture)

BOOST_AUTO_TEST_CASE(literal_segments_win_over_parameters_and_fall_back_to_them) {
    BOOST_TEST(name(get, "/v1/sales/first") == "first_sale");
    BOOST_TEST(name(get, "/v1/sales/second") == "get_sale");
    BOOST_TEST(name(post, "/v1/sales/first/orders") == "order");
}

BOOST_AUTO_TEST_CASE(parameters_are_found_by_name) {
    auto const request = ask(get, "/v1/ledgers/main/holds/a%2Fb");
    auto const routing = router.route(request);
    BOOST_REQUIRE(!routing.answer);
    BOOST_TEST(routing.match.parameter(request.target, "ledger") == "main");
    BOOST_TEST(routing.match.parameter(request.target, "id") == "a/b");
}

BOOST_AUTO_TEST_CASE(an_unknown_path_is_404) {
    for (auto const* path : {"/", "/v1", "/v1/ledgers/", "/v1//ledgers", "/v1/ledgers/a/b",
                             "/v1/ledgers//holds/x", "/V1/ledgers"})
        BOOST_TEST(name(get, path) == "404", path);
    BOOST_TEST(name(Method::options, "/nowhere") == "404");
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_405_and_names_the_right_ones) {
    auto const routing = router.route(ask(Method::put, "/v1/ledgers"));
    BOOST_REQUIRE(routing.answer);
    BOOST_TEST(routing.answer->status == 405U);
    BOOST_TEST(header(*routing.answer, "Allow") == "GET, HEAD, POST, OPTIONS");
    BOOST_TEST(name(Method::other, "/v1/ledgers") == "405");
    BOOST_TEST(name(Method::head, "/v1/sales/x/orders") == "405");
}

BOOST_AUTO_TEST_CASE(head_is_served_by_get_and_options_by_the_router) {
    BOOST_TEST(name(Method::head, "/v1/ledgers/a") == "get_ledger");
    auto const routing = router.route(ask(Method::options, "/v1/ledgers/a"));
    BOOST_REQUIRE(routing.answer);
    BOOST_TEST(routing.answer->status == 204U);
    BOOST_TEST(header(*routing.answer, "Allow") == "GET, HEAD, DELETE, OPTIONS");
}

BOOST_AUTO_TEST_CASE(unknown_query_parameters_are_400_and_named) {
    BOOST_TEST(name(get, "/v1/ledgers?limit=1&cursor=x") == "list_ledgers");
    auto const routing = router.route(ask(get, "/v1/ledgers?limit=1&colour=red&size=2"));
    BOOST_REQUIRE(routing.answer);
    BOOST_TEST(routing.answer->status == 400U);
    BOOST_TEST(routing.answer->route == "list_ledgers");
    BOOST_TEST(routing.answer->body.find(R"([{"parameter":"colour",)") != std::string::npos);
    BOOST_TEST(routing.answer->body.find(R"({"parameter":"size",)") != std::string::npos);
    BOOST_TEST(routing.answer->body.find(R"("request_id":"r-1")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_accept_excludes_is_406) {
    auto status = [&](std::string_view target, std::string_view accept) {
        auto request = ask(get, target);
        request.headers.add("Accept", accept);
        auto const routing = router.route(request);
        return routing.answer ? routing.answer->status : 200U;
    };
    BOOST_TEST(status("/v1/ledgers", "text/html") == 406U);
    BOOST_TEST(status("/v1/ledgers", "application/problem+json") == 200U);
    BOOST_TEST(status("/v1/ledgers", "text/html,*/*;q=0.8") == 200U);
    BOOST_TEST(status("/docs", "text/html") == 200U);
    BOOST_TEST(status("/docs", "application/json") == 406U);
}

BOOST_AUTO_TEST_CASE(a_body_of_another_type_is_415) {
    auto request = ask(post, "/v1/ledgers");
    request.body = "{}";
    auto status = [&] {
        auto const routing = router.route(request);
        return routing.answer ? routing.answer->status : 200U;
    };
    BOOST_TEST(status() == 415U);
    request.headers.add("Content-Type", "application/json; charset=utf-8");
    BOOST_TEST(status() == 200U);
}

BOOST_AUTO_TEST_CASE(the_timeout_header_is_checked) {
    auto request = ask(get, "/healthz");
    request.headers.add("Request-Timeout-Ms", "250");
    BOOST_TEST(router.route(request).timeout.value().count() == 250);
    auto wrong = ask(get, "/healthz");
    wrong.headers.add("Request-Timeout-Ms", "soon");
    auto const routing = router.route(wrong);
    BOOST_REQUIRE(routing.answer);
    BOOST_TEST(routing.answer->body.find(R"({"header":"Request-Timeout-Ms",)") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_body_limit_is_the_routes) {
    BOOST_TEST(router.body_max(ask(post, "/v1/sales/x/orders")) == body_bulk_max);
    BOOST_TEST(router.body_max(ask(post, "/nowhere")) == body_default_max);
}

BOOST_AUTO_TEST_CASE(colliding_and_malformed_routes_are_refused_at_start) {
    auto refused = [](std::string_view a, std::string_view b, Method method = Method::get) {
        Route const routes[] = {{method, a, Scope::open, none, nothing, "a"},
                                {method, b, Scope::open, none, nothing, "b"}};
        try {
            Router const made(routes);
        } catch (std::invalid_argument const& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    BOOST_TEST(refused("/a/{x}", "/a/{y}") == "route GET /a/{y} is also there as /a/{x}");
    BOOST_TEST(refused("/a", "/a") != "");
    BOOST_TEST(refused("/a", "/b") == "");
    BOOST_TEST(refused("a", "/b") != "");
    BOOST_TEST(refused("/a/{x", "/b") != "");
    BOOST_TEST(refused("/a/{}", "/b") != "");
    BOOST_TEST(refused("/a/x{y}", "/b") != "");
    BOOST_TEST(refused("/a", "/b", Method::options) != "");
    BOOST_TEST(refused("/{a}/{b}/{c}/{d}/{e}/{f}/{g}", "/b") != "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::server
