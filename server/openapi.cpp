// What the API looks like to programs: operations from the routing table, schemas from their files.
#include "server/openapi.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api_schemas.hpp"
#include "server/http/json_writer.hpp"
#include "server/http/problem.hpp"
#include "server/operations.hpp"

namespace penstock::server {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return result;
}

/// Without the line breaks and the indentation of its file.
std::string compact(std::string_view text) {
    std::string out;
    bool at_start = true;
    for (char const c : text) {
        bool const skipped = c == '\n' || (at_start && c == ' ');
        at_start = c == '\n' || (at_start && c == ' ');
        if (!skipped) out += c;
    }
    return out;
}

std::string reference_to(std::string_view schema) {
    return R"({"$ref":"#/components/schemas/)" + schema_title(schema) + R"("})";
}

std::string page_of(std::string_view schema) {
    return R"({"type":"object","required":["data","next_cursor"],"properties":{)"
           R"("data":{"type":"array","maxItems":200,"items":)" +
           reference_to(schema) + R"(},"next_cursor":{"type":["string","null"]}}})";
}

std::vector<std::string_view> path_parameters(std::string_view pattern) {
    std::vector<std::string_view> names;
    for (auto open = pattern.find('{'); open != pattern.npos; open = pattern.find('{', open + 1))
        names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
    return names;
}

/// What a parameter may be; one that is not here is a text.
struct ParameterRow {
    std::string_view name;
    std::string_view route;  ///< "": wherever it is called so
    std::string_view schema;
};
constexpr ParameterRow parameter_rows[] = {
    {"ledger", "", "ledger_name"},
    {"org", "", "id"},
    {"id", "", "id"},
    {"address", "", "address"},
    {"account", "", "address"},
    {"buyer", "", "address"},
    {"product", "", "id"},
    {"user", "", "buyer"},
    {"author", "", "address"},
    {"kind", "list_transfers", "transfer_kind"},
    {"status", "list_holds", "hold_status"},
    {"status", "list_streams", "stream_status"},
    {"sender", "", "address"},
    {"recipient", "", "address"},
    {"stream", "", "id"},
    {"status", "list_jobs", "job_status"},
    {"type", "list_activity", "activity_type"},
};

std::string parameter_schema(std::string_view name, std::string_view route) {
    if (name == "limit") return R"({"type":"integer","minimum":1,"maximum":200,"default":50})";
    if (name == "at" || name == "from" || name == "to")
        return R"({"type":"string","format":"date-time"})";
    for (auto const& row : parameter_rows)
        if (row.name == name && (row.route.empty() || row.route == route))
            return reference_to(row.schema);
    return R"({"type":"string"})";
}

void write_parameter(JsonWriter& json, std::string_view name, std::string_view place, bool required,
                     std::string_view schema) {
    json.begin_object().member("name", name).member("in", place).member("required", required);
    json.raw("schema", schema).end_object();
}

void write_parameters(JsonWriter& json, Route const& route) {
    json.begin_array("parameters");
    for (auto const name : path_parameters(route.pattern))
        write_parameter(json, name, "path", true, parameter_schema(name, route.name));
    for (auto const name : route.query.view())
        write_parameter(json, name, "query", false, parameter_schema(name, route.name));
    if (route.idempotency != Idempotency::none)
        write_parameter(json, "Idempotency-Key", "header",
                        route.idempotency == Idempotency::required,
                        R"({"type":"string","pattern":"^[\\x21-\\x7E]{1,255}$"})");
    json.end_array();
}

void write_content(JsonWriter& json, std::string_view type, std::string_view schema) {
    json.begin_object("content").begin_object(type).raw("schema", schema);
    json.end_object().end_object();
}

/// What a hot ledger reads from its books, as long as they are within reach.
bool may_be_stale(Route const& route) {
    return route.name == "get_account" || route.name == "get_hold";
}

void write_answer(JsonWriter& json, Route const& route) {
    auto const& operation = operation_of(route);
    json.begin_object(std::to_string(operation.status));
    json.member("description", reason_phrase(operation.status));
    if (may_be_stale(route))
        json.raw("headers", R"({"Penstock-Stale":{"$ref":"#/components/headers/Penstock-Stale"}})");
    if (route.produces != Produces::json) {
        write_content(json, operation.text_type, R"({"type":"string"})");
    } else if (!operation.answer.empty()) {
        auto const schema =
            is_list(route) ? page_of(operation.answer) : reference_to(operation.answer);
        write_content(json, "application/json", schema);
    }
    json.end_object();
}

void write_operation(JsonWriter& json, Route const& route) {
    auto const& operation = operation_of(route);
    json.begin_object(lower(to_string(route.method))).member("operationId", route.name);
    json.member("summary", operation.summary);
    json.begin_array("tags").value(group_of(route)).end_array();
    write_parameters(json, route);
    if (!operation.request.empty()) {
        json.begin_object("requestBody").member("required", true);
        write_content(json, "application/json", reference_to(operation.request));
        json.end_object();
    }
    json.begin_object("responses");
    write_answer(json, route);
    if (rate_class_of(route)) {
        json.raw("429", R"({"$ref":"#/components/responses/RateLimited"})");
        json.raw("503", R"({"$ref":"#/components/responses/Unavailable"})");
    }
    json.raw("default", R"({"$ref":"#/components/responses/Problem"})");
    json.end_object();
    json.raw("security", route.scope == Scope::open ? "[]" : R"([{"key":[]}])");
    json.member("x-scope", name_of(route.scope)).end_object();
}

/// The paths in the order of the table, each with all its methods.
std::vector<std::pair<std::string_view, std::vector<Route const*>>> by_path(
    std::span<Route const> routes) {
    std::vector<std::pair<std::string_view, std::vector<Route const*>>> paths;
    for (auto const& route : routes) {
        auto place = std::find_if(paths.begin(), paths.end(),
                                  [&](auto const& path) { return path.first == route.pattern; });
        if (place == paths.end()) place = paths.insert(paths.end(), {route.pattern, {}});
        place->second.push_back(&route);
    }
    return paths;
}

void write_problem(JsonWriter& json, std::string_view name, std::string_view description,
                   std::initializer_list<std::string_view> headers) {
    json.begin_object(name).member("description", description);
    if (headers.size() > 0) {
        json.begin_object("headers");
        for (auto const header : headers)
            json.begin_object(header)
                .member("$ref", "#/components/headers/" + std::string(header))
                .end_object();
        json.end_object();
    }
    write_content(json, media::problem, reference_to("problem"));
    json.end_object();
}

void write_headers(JsonWriter& json) {
    auto const write = [&](std::string_view name, std::string_view description,
                           std::string_view schema) {
        json.begin_object(name).member("description", description);
        json.raw("schema", schema).end_object();
    };
    json.begin_object("headers");
    write("Retry-After", "Seconds to wait before trying again, with the same Idempotency-Key.",
          R"({"type":"integer","minimum":1})");
    write("RateLimit-Policy",
          "The quotas that this request was counted against: q requests, all of which are back "
          "after w seconds. On every answer where rates are limited.",
          R"({"type":"string","examples":["\"write\";q=200;w=2"]})");
    write("RateLimit",
          "What is left of them: r requests, and no more for t seconds. On every answer where "
          "rates are limited.",
          R"({"type":"string","examples":["\"write\";r=57;t=1"]})");
    write("Penstock-Stale",
          "`true`: of a hot ledger, read from the database while Redis is out of reach; posts that "
          "were acknowledged may be missing.",
          R"({"type":"string","enum":["true"]})");
    json.end_object();
}

}  // namespace

std::string openapi_document(std::span<Route const> routes) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().member("openapi", "3.1.0");
    json.begin_object("info").member("title", "Penstock").member("version", PENSTOCK_VERSION);
    json.member("description",
                "A transaction server for balances that are always exact. Amounts are integers in "
                "minor units, mutations carry an Idempotency-Key, lists are paged by cursor.");
    json.end_object();
    json.begin_array("tags");
    for (auto const group : operation_groups(routes))
        json.begin_object().member("name", group).end_object();
    json.end_array();
    json.begin_object("paths");
    for (auto const& [pattern, methods] : by_path(routes)) {
        json.begin_object(pattern);
        for (auto const* route : methods) write_operation(json, *route);
        json.end_object();
    }
    json.end_object();
    json.begin_object("components");
    json.raw("securitySchemes", R"({"key":{"type":"http","scheme":"bearer"}})");
    json.begin_object("responses");
    write_problem(json, "Problem", "What went wrong, as RFC 9457 words it.", {});
    write_problem(json, "RateLimited", "`rate_limited`: the quota is used up, nothing was done.",
                  {"Retry-After", "RateLimit-Policy", "RateLimit"});
    write_problem(json, "Unavailable",
                  "`overloaded` or `unavailable`: the server is busy or misses a part of itself.",
                  {"Retry-After"});
    json.end_object();
    write_headers(json);
    json.begin_object("schemas");
    for (auto const* schema : api_schemas::all)
        json.raw(schema_title(schema->name), compact(schema->text));
    json.end_object().end_object().end_object();
    return text;
}

}  // namespace penstock::server
