// The queue of jobs as an operator sees it: what is there, what is dead, and what shall live again.
#include <algorithm>
#include <boost/describe/enum_from_string.hpp>

#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"

namespace penstock::server::routes {
namespace {

constexpr std::size_t kind_bytes_max = 64;

bool is_kind(std::string_view text) {
    if (text.empty() || text.size() > kind_bytes_max) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// The page that `wanted` begins, of the caller's own organization.
Answer list(RequestContext& context, db::JobPage wanted) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    wanted.organization = context.principal.organization;
    wanted.limit = *limit + 1;
    if (!read_id_cursor(context, CursorKind::jobs, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto& jobs = context.services.store.jobs();
    auto const items = co_await jobs.list(std::move(wanted), context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page(
        *items, *limit, [](JsonWriter& json, domain::Job const& one) { write(json, one); },
        [](domain::Job const& last) {
            return CursorWriter(CursorKind::jobs).id(last.id.value.bytes).text();
        });
}

}  // namespace

Answer list_jobs(RequestContext& context) {
    db::JobPage wanted;
    if (auto const text = context.query("status")) {
        domain::JobStatus status{};
        if (!boost::describe::enum_from_string(std::string(*text).c_str(), status))
            co_return context.bad_parameter("status",
                                            "must be queued, processing, completed or failed");
        wanted.status = status;
    }
    if (auto const text = context.query("kind")) {
        if (!is_kind(*text))
            co_return context.bad_parameter("kind", "must be 1 to 64 of the characters a-z _");
        wanted.kind = std::string(*text);
    }
    co_return co_await list(context, std::move(wanted));
}

Answer list_dead_letters(RequestContext& context) {
    db::JobPage wanted;
    wanted.status = domain::JobStatus::failed;
    co_return co_await list(context, std::move(wanted));
}

Answer retry_dead_letter(RequestContext& context) {
    JsonReader in(context.request.body);
    if (!in.finish()) co_return context.problem(in.problem());
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(Code::job_not_found);
    domain::RetryJob retry;
    retry.job.value = *id;
    domain::Command command = retry;
    co_return co_await context.perform(std::move(command), in.canonical(), 200);
}

}  // namespace penstock::server::routes
