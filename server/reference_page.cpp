// What the API looks like to people: the same tables as the OpenAPI document, as one HTML page.
#include "server/reference_page.hpp"

#include <string_view>

#include "server/api_schemas.hpp"
#include "server/http/problem.hpp"
#include "server/operations.hpp"

namespace penstock::server {
namespace {

constexpr std::string_view head =
    R"(<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Penstock: HTTP API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{color-scheme:light dark;--line:#8883;--soft:#8881}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin:0 0 .5rem}
h2{margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{margin:1.5rem 0 .25rem;font-size:1rem}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.75rem 1rem;border-radius:6px;overflow-x:auto;margin:.5rem 0}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0}
td,th{border-bottom:1px solid var(--line)}
article{border:1px solid var(--line);border-radius:6px;margin:.6rem 0;padding:.6rem .9rem}
article p{display:flex;flex-wrap:wrap;align-items:center;gap:.2rem .6rem;margin:0}
article .path{font-size:14px;overflow-wrap:anywhere}
article .what{margin-left:auto}
dl{display:flex;flex-wrap:wrap;gap:.1rem 1.5rem;margin:.35rem 0 0}
dl div{display:flex;gap:.4rem}
dt{opacity:.65}dd{margin:0;overflow-wrap:anywhere}
.verb{min-width:4.2rem;padding:0 .4rem;border-radius:4px;
text-align:center;font:bold 12px/1.7 ui-monospace,monospace;color:#fff;background:#567}
.GET{background:#1769aa}.POST{background:#1b7f4b}
.PATCH{background:#8a6100}.DELETE{background:#b3342c}
</style></head><body>
)";

constexpr std::string_view introduction =
    R"(<p>Balances that are always exact. For programs:
<a href="/openapi.json">openapi.json</a>.</p>
<h2 id="conventions">Conventions</h2>
<table>
<tr><th>Amounts</th><td>Integers in minor units (cents), 1 to 9007199254740991 in one
request.</td></tr>
<tr><th>Keys</th><td><code>Authorization: Bearer …</code>. A server without an admin key accepts
everything, and listens on loopback only.</td></tr>
<tr><th>Mutations</th><td>Every POST carries an <code>Idempotency-Key</code>: the same key with the
same body gives the first answer again (<code>Idempotent-Replayed: true</code>), with another body
422. So whatever was not answered may be sent again.</td></tr>
<tr><th>Errors</th><td><a href="#Problem"><code>application/problem+json</code></a> with a stable
<code>code</code>. After 503 and 504 send the same again, with the same key.</td></tr>
<tr><th>Lists</th><td><code>{"data": […], "next_cursor": …}</code>; <code>limit</code> 1 to 200,
default 50; the next page is <code>?cursor=</code> with that cursor.</td></tr>
<tr><th>Time</th><td>RFC 3339 in UTC with milliseconds. <code>Request-Timeout-Ms</code> says how
long a request may take.</td></tr>
</table>
<pre>curl 127.0.0.1:8080/v1/ledgers -H 'Content-Type: application/json' -H 'Idempotency-Key: 1' \
     -d '{"name":"main","asset":{"code":"EUR","scale":2},"accounts":"implicit"}'
curl 127.0.0.1:8080/v1/ledgers/main/deposits -H 'Content-Type: application/json' \
     -H 'Idempotency-Key: 2' -d '{"account":"ann","amount":1000}'
curl 127.0.0.1:8080/v1/ledgers/main/accounts/ann</pre>
)";

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

std::string anchor_of(std::string_view group) {
    std::string anchor;
    for (char const c : group) anchor += c == ' ' ? '-' : c;
    return anchor;
}

std::string link_to(std::string_view schema) {
    auto const title = schema_title(schema);
    return "<a href=\"#" + title + "\"><code>" + title + "</code></a>";
}

void append_fact(std::string& page, std::string_view name, std::string_view html) {
    page.append("<div><dt>").append(name).append("</dt><dd>").append(html).append("</dd></div>");
}

std::string answer_of(Route const& route, Operation const& operation) {
    auto text = std::to_string(operation.status) + ' ';
    if (route.produces != Produces::json) return text + "text";
    if (operation.answer.empty()) return text + "without a body";
    return text + (is_list(route) ? "list of " : "") + link_to(operation.answer);
}

void append_operation(std::string& page, Route const& route) {
    auto const& operation = operation_of(route);
    auto const method = std::string(to_string(route.method));
    page.append("<article id=\"").append(route.name).append("\"><p><span class=\"verb ");
    page.append(method).append("\">").append(method).append("</span><code class=\"path\">");
    page.append(escaped(route.pattern)).append("</code><span class=\"what\">");
    page.append(escaped(operation.summary)).append("</span></p><dl>");
    if (route.scope != Scope::open) append_fact(page, "Scope", name_of(route.scope));
    if (route.idempotency == Idempotency::required)
        append_fact(page, "Idempotency-Key", "required");
    if (route.idempotency == Idempotency::optional)
        append_fact(page, "Idempotency-Key", "optional");
    std::string query;
    for (auto const name : route.query.view()) query += "<code>" + escaped(name) + "</code> ";
    if (!query.empty()) append_fact(page, "Query", query);
    if (!operation.request.empty()) append_fact(page, "Body", link_to(operation.request));
    append_fact(page, "Answer", answer_of(route, operation));
    page += "</dl></article>\n";
}

/// The JSON text, with a link wherever it refers to another schema.
void append_schema(std::string& page, ApiSchema const& schema) {
    constexpr std::string_view reference = "#/components/schemas/";
    auto const title = schema_title(schema.name);
    page.append("<h3 id=\"").append(title).append("\">").append(title).append("</h3><pre>");
    auto rest = schema.text.substr(0, schema.text.find_last_not_of('\n') + 1);
    for (auto at = rest.find(reference); at != rest.npos; at = rest.find(reference)) {
        page += escaped(rest.substr(0, at));
        rest.remove_prefix(at + reference.size());
        auto const name = rest.substr(0, rest.find('"'));
        page.append("<a href=\"#").append(name).append("\">").append(name).append("</a>");
        rest.remove_prefix(name.size());
    }
    page.append(escaped(rest)).append("</pre>\n");
}

}  // namespace

std::string reference_page(std::span<Route const> routes) {
    std::string page(head);
    page += "<h1>Penstock " PENSTOCK_VERSION "</h1>\n<nav>";
    page += "<a href=\"#conventions\">Conventions</a>";
    for (auto const group : operation_groups(routes))
        page += "<a href=\"#" + anchor_of(group) + "\">" + escaped(group) + "</a>";
    page += "<a href=\"#schemas\">Schemas</a></nav>\n";
    page += introduction;
    for (auto const group : operation_groups(routes)) {
        page += "<h2 id=\"" + anchor_of(group) + "\">" + escaped(group) + "</h2>\n";
        for (auto const& route : routes)
            if (group_of(route) == group) append_operation(page, route);
    }
    page += "<h2 id=\"schemas\">Schemas</h2>\n";
    for (auto const* schema : api_schemas::all) append_schema(page, *schema);
    return page + "</body></html>\n";
}

}  // namespace penstock::server
