// Is the program alive, can it work, what has it done, and what can it do?
#include "server/http/json_writer.hpp"
#include "server/reference_page.hpp"
#include "server/routes/handlers.hpp"

namespace penstock::server::routes {
namespace {

/// A readiness probe that takes longer has its answer.
constexpr milliseconds probe_max{2'000};

}  // namespace

Answer healthz(RequestContext&) { co_return Response(200, R"({"status":"ok"})"); }

Answer readyz(RequestContext& context) {
    auto const deadline = std::min(context.deadline, steady_now() + probe_max);
    auto readiness = co_await context.services.introspection.readiness(deadline);
    co_return Response(readiness.ready ? 200 : 503, std::move(readiness.json));
}

Answer metrics(RequestContext& context) {
    co_return Response(200, media::metrics, context.services.introspection.metrics());
}

Answer version(RequestContext&) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("name", "penstock").member("version", PENSTOCK_VERSION).end_object();
    co_return Response(200, std::move(body));
}

Answer openapi(RequestContext& context) {
    co_return Response(200, context.services.introspection.openapi());
}

Answer docs(RequestContext&) {
    static std::string const page = reference_page(route_table());
    Response response(200, media::html, page);
    response.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    co_return response;
}

}  // namespace penstock::server::routes
