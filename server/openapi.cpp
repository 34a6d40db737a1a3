// What the API looks like: paths and parameters from the routing table, bodies from a table here.
#include "server/openapi.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "server/http/json_writer.hpp"
#include "server/http/problem.hpp"

namespace penstock::server {
namespace {

/// What a route takes and gives. `request` is a schema, `answer` names one below; both optional.
struct Bodies {
    std::string_view route;
    std::string_view request;
    unsigned status;
    std::string_view answer;
};

constexpr std::string_view movement_of_account =
    R"({"type":"object","additionalProperties":false,"required":["account","amount"],)"
    R"("properties":{"account":{"$ref":"#/components/schemas/Address"},)"
    R"("amount":{"$ref":"#/components/schemas/Amount"},)"
    R"("reference":{"type":"string","minLength":1,"maxLength":255},)"
    R"("metadata":{"type":"object"}}})";
constexpr std::string_view movement =
    R"({"type":"object","additionalProperties":false,"required":["from","to","amount"],)"
    R"("properties":{"from":{"$ref":"#/components/schemas/Address"},)"
    R"("to":{"$ref":"#/components/schemas/Address"},)"
    R"("amount":{"$ref":"#/components/schemas/Amount"},)"
    R"("reference":{"type":"string","minLength":1,"maxLength":255},)"
    R"("metadata":{"type":"object"}}})";
constexpr std::string_view bulk =
    R"({"type":"object","additionalProperties":false,"required":["transfers"],)"
    R"("properties":{"transfers":{"type":"array","minItems":1,"maxItems":10000,)"
    R"("items":{"$ref":"#/components/schemas/Movement"}},)"
    R"("atomic":{"type":"boolean","default":false}}})";
constexpr std::string_view new_ledger =
    R"({"type":"object","additionalProperties":false,"required":["name","asset"],)"
    R"("properties":{"name":{"type":"string","pattern":"^[a-z0-9][a-z0-9-]{0,62}$"},)"
    R"("asset":{"type":"object","required":["code","scale"],)"
    R"("properties":{"code":{"type":"string"},"scale":{"type":"integer","minimum":0}}},)"
    R"("kind":{"enum":["money","credits"],"default":"money"},)"
    R"("posting":{"enum":["durable","hot"],"default":"durable"},)"
    R"("royalty_percent":{"type":"integer","minimum":0,"maximum":100,"default":70},)"
    R"("drain":{"enum":["emission","expiration"],"default":"emission"},)"
    R"("accounts":{"enum":["explicit","implicit"],"default":"explicit"},)"
    R"("issuers":{"type":"array","items":{"type":"string"}}}})";
constexpr std::string_view ledger_change =
    R"({"type":"object","additionalProperties":false,)"
    R"("properties":{"drain":{"enum":["emission","expiration"]},)"
    R"("royalty_percent":{"type":"integer","minimum":0,"maximum":100},)"
    R"("issuers":{"type":"array","items":{"type":"string"}}}})";
constexpr std::string_view new_account =
    R"({"type":"object","additionalProperties":false,"required":["address"],)"
    R"("properties":{"address":{"$ref":"#/components/schemas/Address"},)"
    R"("overdraft_limit":{"type":"integer","minimum":0,"default":0},)"
    R"("metadata":{"type":"object"}}})";
constexpr std::string_view new_organization =
    R"({"type":"object","additionalProperties":false,"required":["name"],)"
    R"("properties":{"name":{"type":"string","minLength":1,"maxLength":200}}})";
constexpr std::string_view new_key =
    R"({"type":"object","additionalProperties":false,"required":["name","scopes"],)"
    R"("properties":{"name":{"type":"string","minLength":1,"maxLength":200},)"
    R"("scopes":{"type":"array","minItems":1,"items":{"enum":["read","write","admin"]}}}})";
constexpr std::string_view new_report =
    R"({"type":"object","additionalProperties":false,"required":["type"],)"
    R"("properties":{"type":{"enum":["financial"]}}})";
constexpr std::string_view nothing = R"({"type":"object","additionalProperties":false})";

constexpr std::array bodies{
    Bodies{"create_organization", new_organization, 201, "Object"},
    Bodies{"create_api_key", new_key, 201, "Object"},
    Bodies{"revoke_api_key", "", 204, ""},
    Bodies{"create_ledger", new_ledger, 201, "Ledger"},
    Bodies{"get_ledger", "", 200, "Ledger"},
    Bodies{"change_ledger", ledger_change, 200, "Ledger"},
    Bodies{"delete_ledger", "", 204, ""},
    Bodies{"create_account", new_account, 201, "Account"},
    Bodies{"get_account", "", 200, "Account"},
    Bodies{"create_deposit", movement_of_account, 201, "Transfer"},
    Bodies{"create_withdrawal", movement_of_account, 201, "Transfer"},
    Bodies{"create_transfer", movement, 201, "Transfer"},
    Bodies{"create_transfers_in_bulk", bulk, 200, "Object"},
    Bodies{"get_transfer", "", 200, "Transfer"},
    Bodies{"revert_transfer", nothing, 201, "Transfer"},
    Bodies{"create_report", new_report, 202, "Accepted"},
    Bodies{"get_report", "", 200, "Report"},
    Bodies{"retry_dead_letter", nothing, 200, "Job"},
};

constexpr std::string_view schemas =
    R"({"Object":{"type":"object"},)"
    R"("List":{"type":"object","required":["data","next_cursor"],"properties":{)"
    R"("data":{"type":"array","items":{"type":"object"}},)"
    R"("next_cursor":{"type":["string","null"]}}},)"
    R"("Address":{"type":"string","pattern":"^(@platform|[A-Za-z0-9._:-]{1,128})$"},)"
    R"("Amount":{"type":"integer","minimum":1,"maximum":9007199254740991,)"
    R"("description":"Minor units. 1.0 and 1e3 are no integers."},)"
    R"("Ledger":{"type":"object","properties":{"name":{"type":"string"},)"
    R"("asset":{"type":"object","properties":{"code":{"type":"string"},)"
    R"("scale":{"type":"integer"}}},"kind":{"type":"string"},"posting":{"type":"string"},)"
    R"("royalty_percent":{"type":"integer"},"drain":{"type":"string"},)"
    R"("accounts":{"type":"string"},"issuers":{"type":"array","items":{"type":"string"}},)"
    R"("created_at":{"type":"string","format":"date-time"}}},)"
    R"("Account":{"type":"object","properties":{"address":{"type":"string"},)"
    R"("ledger":{"type":"string"},"balance":{"type":"integer","format":"int64"},)"
    R"("held":{"type":["integer","null"]},"available":{"type":["integer","null"]},)"
    R"("fraction":{"type":["integer","null"]},"version":{"type":"integer"},)"
    R"("overdraft_limit":{"type":"integer"},"metadata":{"type":"object"},)"
    R"("created_at":{"type":"string","format":"date-time"},)"
    R"("updated_at":{"type":["string","null"],"format":"date-time"}}},)"
    R"("Transfer":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},)"
    R"("ledger":{"type":"string"},"kind":{"type":"string"},"from":{"type":"string"},)"
    R"("to":{"type":"string"},"amount":{"$ref":"#/components/schemas/Amount"},)"
    R"("reference":{"type":["string","null"]},"metadata":{"type":"object"},)"
    R"("created_at":{"type":"string","format":"date-time"}}},)"
    R"("Accepted":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},)"
    R"("status":{"const":"queued"}}},)"
    R"("Report":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},)"
    R"("status":{"enum":["queued","processing","completed","failed"]},)"
    R"("result":{"type":["object","null"],"properties":{)"
    R"("total_deposited":{"type":"integer"},"total_purchase_volume":{"type":"integer"},)"
    R"("total_royalties_paid":{"type":"integer"},"platform_revenue":{"type":"integer"},)"
    R"("generated_at":{"type":"string","format":"date-time"}}},)"
    R"("created_at":{"type":"string","format":"date-time"}}},)"
    R"("Job":{"type":"object","properties":{"id":{"type":"string","format":"uuid"},)"
    R"("kind":{"type":"string"},"payload":{"type":"object"},)"
    R"("status":{"enum":["queued","processing","completed","failed"]},)"
    R"("attempts":{"type":"integer"},"attempts_max":{"type":"integer"},)"
    R"("run_at":{"type":["string","null"],"format":"date-time"},)"
    R"("lease_until":{"type":["string","null"],"format":"date-time"},)"
    R"("result":{},"last_error":{"type":["string","null"]},)"
    R"("created_at":{"type":"string","format":"date-time"},)"
    R"("finished_at":{"type":["string","null"],"format":"date-time"}}},)"
    R"("Problem":{"type":"object","required":["type","title","status","code"],"properties":{)"
    R"("type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},)"
    R"("detail":{"type":"string"},"code":{"type":"string"},"request_id":{"type":"string"},)"
    R"("errors":{"type":"array","items":{"type":"object"}}}})";

/// Closed apart from `schemas`, which the movement of a bulk joins.
std::string all_schemas() {
    std::string text(schemas);
    text.append(",\"Movement\":").append(movement).append("}");
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return result;
}

std::string_view name_of(Scope scope) {
    switch (scope) {
        case Scope::open:
            return "open";
        case Scope::read:
            return "read";
        case Scope::write:
            return "write";
        case Scope::admin:
            return "admin";
    }
    return "";
}

Bodies const* bodies_of(Route const& route) {
    auto const found = std::find_if(bodies.begin(), bodies.end(),
                                    [&](auto const& row) { return row.route == route.name; });
    return found == bodies.end() ? nullptr : &*found;
}

std::vector<std::string_view> path_parameters(std::string_view pattern) {
    std::vector<std::string_view> names;
    for (auto open = pattern.find('{'); open != pattern.npos; open = pattern.find('{', open + 1))
        names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
    return names;
}

void write_parameter(JsonWriter& json, std::string_view name, std::string_view place, bool required,
                     std::string_view schema) {
    json.begin_object().member("name", name).member("in", place).member("required", required);
    json.raw("schema", schema).end_object();
}

void write_parameters(JsonWriter& json, Route const& route) {
    constexpr std::string_view text = R"({"type":"string"})";
    constexpr std::string_view limit =
        R"({"type":"integer","minimum":1,"maximum":200,"default":50})";
    json.begin_array("parameters");
    for (auto const name : path_parameters(route.pattern))
        write_parameter(json, name, "path", true, text);
    for (auto const name : route.query.view())
        write_parameter(json, name, "query", false, name == "limit" ? limit : text);
    if (route.idempotency != Idempotency::none)
        write_parameter(json, "Idempotency-Key", "header",
                        route.idempotency == Idempotency::required,
                        R"({"type":"string","minLength":1,"maxLength":255})");
    json.end_array();
}

void write_content(JsonWriter& json, std::string_view type, std::string_view schema) {
    json.begin_object("content").begin_object(type).raw("schema", schema);
    json.end_object().end_object();
}

std::string reference_to(std::string_view schema) {
    return R"({"$ref":"#/components/schemas/)" + std::string(schema) + R"("})";
}

void write_answer(JsonWriter& json, Route const& route) {
    auto const* const known = bodies_of(route);
    auto const status = known ? known->status : 200U;
    json.begin_object(std::to_string(status)).member("description", reason_phrase(status));
    if (route.produces != Produces::json) {
        write_content(json, "text/plain", R"({"type":"string"})");
    } else if (known) {
        if (!known->answer.empty())
            write_content(json, "application/json", reference_to(known->answer));
    } else {
        bool const paged = route.query.count > 0;
        write_content(json, "application/json", reference_to(paged ? "List" : "Object"));
    }
    json.end_object();
}

void write_operation(JsonWriter& json, Route const& route) {
    auto const method = lower(to_string(route.method));
    json.begin_object(method).member("operationId", route.name);
    json.member("summary", "Scope: " + std::string(name_of(route.scope)));
    write_parameters(json, route);
    auto const* const known = bodies_of(route);
    if (known && !known->request.empty()) {
        json.begin_object("requestBody").member("required", true);
        write_content(json, "application/json", known->request);
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

std::string escaped(std::string_view text) {
    std::string out;
    for (char const c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

void append_row(std::string& page, Route const& route) {
    auto const* const known = bodies_of(route);
    std::string query;
    for (auto const name : route.query.view()) query += std::string(name) + " ";
    page += "<tr><td><b>" + std::string(to_string(route.method)) + "</b></td><td><code>" +
            escaped(route.pattern) + "</code><br><small>" + escaped(route.name) +
            "</small></td><td>" + std::string(name_of(route.scope)) + "</td><td>" +
            (route.idempotency == Idempotency::required   ? "required"
             : route.idempotency == Idempotency::optional ? "optional"
                                                          : "") +
            "</td><td><code>" + escaped(query) + "</code></td><td>";
    if (known && !known->request.empty())
        page += "<details><summary>schema</summary><pre>" + escaped(known->request) +
                "</pre></details>";
    page += "</td></tr>\n";
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
    write_content(json, media::problem, reference_to("Problem"));
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
    json.raw("schemas", all_schemas()).end_object().end_object();
    return text;
}

std::string reference_page(std::span<Route const> routes) {
    std::string page =
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Penstock</title>"
        "<meta name=\"viewport\" content=\"width=device-width\"><style>"
        "body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
        "color-scheme:light dark}table{border-collapse:collapse;width:100%}"
        "td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid "
        "#8884}"
        "pre{white-space:pre-wrap;overflow-wrap:anywhere;max-width:24rem}small{opacity:.7}"
        "</style></head><body><h1>Penstock " PENSTOCK_VERSION
        "</h1><p>Amounts are integers in minor units. Mutations need an "
        "<code>Idempotency-Key</code>: the same key with the same body replays the answer. Keys go "
        "into <code>Authorization: Bearer</code>. Errors are <code>application/problem+json</code> "
        "with a stable <code>code</code>. Lists are paged: <code>limit</code>, "
        "<code>cursor</code>. "
        "For machines: <a href=\"/openapi.json\">openapi.json</a>.</p>"
        "<table><tr><th>Method</th><th>Path</th><th>Scope</th><th>Idempotency-Key</th>"
        "<th>Query</th><th>Body</th></tr>\n";
    for (auto const& route : routes) append_row(page, route);
    return page + "</table></body></html>\n";
}

}  // namespace penstock::server
