// Reports of a ledger: asked for, then polled until the job that writes one is done.
#include "domain/report.hpp"
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/on_ledger.hpp"
#include "server/routes/pages.hpp"

namespace penstock::server::routes {
namespace {}  // namespace

Answer create_report(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::RequestReport asked;
    asked.type = static_cast<domain::ReportType>(
        in.choice("type", {domain::name_of(domain::ReportType::financial)}));
    if (!in.finish()) co_return context.problem(in.problem());
    co_return co_await perform_on_ledger(context, asked, in.canonical(), 202);
}

Answer list_reports(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::JobPage wanted;
    wanted.limit = *limit + 1;
    if (!read_id_cursor(context, CursorKind::reports, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    wanted.organization = context.principal.organization;
    wanted.ledger = (*ledger)->id;
    wanted.kind = domain::report_job;
    auto& jobs = context.services.store.jobs();
    auto const items = co_await jobs.list(std::move(wanted), context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page(*items, *limit, write_report, [](domain::Job const& last) {
        return CursorWriter(CursorKind::reports).id(last.id.value.bytes).text();
    });
}

Answer get_report(RequestContext& context) {
    auto const id = domain::Uuid::parse(context.parameter("id"));
    auto const ledger = co_await context.find_ledger();
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    if (!id) co_return context.problem(Code::report_not_found);
    domain::JobId const job_id{*id};
    auto& jobs = context.services.store.jobs();
    auto const job = co_await jobs.find(context.principal.organization, job_id, context.deadline);
    if (!job) co_return context.failure(job.error());
    bool const is_report =
        *job && (*job)->ledger == (*ledger)->id && (*job)->kind == domain::report_job;
    if (!is_report) co_return context.problem(Code::report_not_found);
    std::string body;
    JsonWriter json(body);
    write_report(json, **job);
    co_return Response(200, std::move(body));
}

}  // namespace penstock::server::routes
