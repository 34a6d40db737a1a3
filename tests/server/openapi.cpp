#include "server/openapi.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "server/context.hpp"
#include "server/reference_page.hpp"

namespace {

using namespace penstock::server;
namespace json = boost::json;

std::string method_of(Route const& route) {
    std::string text(to_string(route.method));
    for (auto& c : text) c = static_cast<char>(c + 32);
    return text;
}

void collect_references(json::value const& value, std::set<std::string>& found) {
    if (auto const* array = value.if_array())
        for (auto const& element : *array) collect_references(element, found);
    auto const* object = value.if_object();
    if (object == nullptr) return;
    for (auto const& [key, member] : *object) {
        if (key == "$ref") found.insert(std::string(member.as_string()));
        collect_references(member, found);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(every_route_is_an_operation_and_nothing_else_is) {
    auto const document = json::parse(openapi_document(route_table()));
    std::size_t operations = 0;
    for (auto const& [path, methods] : document.at("paths").as_object())
        operations += methods.as_object().size();
    BOOST_TEST(operations == route_table().size());
    for (auto const& route : route_table()) {
        auto const& paths = document.at("paths").as_object();
        auto const& operation = paths.at(route.pattern).as_object().at(method_of(route));
        BOOST_TEST(operation.at("operationId").as_string() == route.name);
    }
}

BOOST_AUTO_TEST_CASE(every_reference_leads_somewhere_and_every_schema_is_referred_to) {
    auto const document = json::parse(openapi_document(route_table()));
    std::set<std::string> references;
    collect_references(document, references);
    for (auto const& [name, schema] : document.at("components").at("schemas").as_object())
        BOOST_TEST(references.contains("#/components/schemas/" + std::string(name)),
                   "nothing refers to " << name);
    for (auto const& reference : references) {
        BOOST_REQUIRE(reference.starts_with("#"));
        boost::system::error_code error;
        document.find_pointer(reference.substr(1), error);
        BOOST_TEST(!error, reference);
    }
}

BOOST_AUTO_TEST_CASE(parameters_follow_from_the_route) {
    auto const document = json::parse(openapi_document(route_table()));
    for (auto const& route : route_table()) {
        auto const& operation =
            document.at("paths").as_object().at(route.pattern).as_object().at(method_of(route));
        std::size_t path = 0;
        std::size_t query = 0;
        std::size_t header = 0;
        for (auto const& parameter : operation.at("parameters").as_array()) {
            auto const& place = parameter.at("in").as_string();
            path += place == "path";
            query += place == "query";
            header += place == "header";
        }
        BOOST_TEST(path == static_cast<std::size_t>(
                               std::count(route.pattern.begin(), route.pattern.end(), '{')));
        BOOST_TEST(query == route.query.count);
        BOOST_TEST(header == (route.idempotency == Idempotency::none ? 0U : 1U));
        BOOST_TEST(operation.at("security").as_array().empty() == (route.scope == Scope::open));
    }
}

BOOST_AUTO_TEST_CASE(every_json_answer_and_every_body_has_members_that_are_named) {
    auto const document = json::parse(openapi_document(route_table()));
    for (auto const& route : route_table()) {
        auto const& operation =
            document.at("paths").as_object().at(route.pattern).as_object().at(method_of(route));
        bool const takes = operation.as_object().contains("requestBody");
        bool const may_take = route.method == Method::post || route.method == Method::patch;
        BOOST_TEST(takes == may_take, route.name);
        for (auto const& [status, answer] : operation.at("responses").as_object()) {
            bool const elsewhere = answer.as_object().contains("$ref");
            if (elsewhere || status == "204") continue;
            auto const& [type, media] = *answer.at("content").as_object().begin();
            auto const& schema = media.at("schema").as_object();
            bool const typed = schema.contains("$ref") || schema.contains("properties");
            BOOST_TEST((typed || route.produces != Produces::json), route.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_may_be_limited_or_unavailable_says_so) {
    auto const document = json::parse(openapi_document(route_table()));
    for (auto const& route : route_table()) {
        auto const& operation =
            document.at("paths").as_object().at(route.pattern).as_object().at(method_of(route));
        auto const& responses = operation.at("responses").as_object();
        bool const closed = route.scope != Scope::open;
        BOOST_TEST(responses.contains("429") == closed, route.name);
        BOOST_TEST(responses.contains("503") == closed, route.name);
    }
    auto const& limited = document.at_pointer("/components/responses/RateLimited/headers");
    for (auto const* name : {"Retry-After", "RateLimit", "RateLimit-Policy"})
        BOOST_TEST(limited.as_object().contains(name), name);
}

BOOST_AUTO_TEST_CASE(the_page_for_people_names_every_route_and_loads_nothing) {
    auto const page = reference_page(route_table());
    for (auto const& route : route_table())
        BOOST_TEST(page.find(route.pattern) != std::string::npos);
    auto const document = json::parse(openapi_document(route_table()));
    for (auto const& [name, schema] : document.at("components").at("schemas").as_object())
        BOOST_TEST(page.find("id=\"" + std::string(name) + '"') != std::string::npos);
    for (auto at = page.find("href=\"#"); at != std::string::npos;
         at = page.find("href=\"#", at + 1)) {
        auto const name = page.substr(at + 7, page.find('"', at + 7) - at - 7);
        BOOST_TEST(page.find("id=\"" + name + '"') != std::string::npos, name);
    }
    BOOST_TEST(page.find("<script") == std::string::npos);
    BOOST_TEST(page.find("://") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
