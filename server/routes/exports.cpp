// Exports: asked for, looked at, downloaded by a signed link, and what happened to them.
#include "domain/export.hpp"

#include <boost/describe/enum_to_string.hpp>

#include "db/primary.hpp"
#include "server/exports/desk.hpp"
#include "server/exports/download.hpp"
#include "server/http/json_reader.hpp"
#include "server/http/range.hpp"
#include "server/render.hpp"
#include "server/routes/by_key.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

using domain::ExportSource;
using domain::ExportStatus;

/// What a source needs and takes, besides a period.
struct SourceRules {
    enum class Use { refused, optional, required };
    ExportSource source;
    std::string_view name;
    Use ledger;
    Use account;
    domain::LedgerKind kind;    ///< of the ledger
    bool account_needs_ledger;  ///< an address is one of a ledger
    bool account_must_exist;
};
using enum SourceRules::Use;
constexpr SourceRules sources[] = {
    {ExportSource::transfers, "transfers", optional, optional, domain::LedgerKind::money, true,
     true},
    {ExportSource::entries, "entries", required, required, domain::LedgerKind::money, true, true},
    {ExportSource::orders, "orders", refused, refused, domain::LedgerKind::money, false, false},
    {ExportSource::credit_history, "credit_history", required, optional,
     domain::LedgerKind::credits, true, false},
    {ExportSource::streams, "streams", required, optional, domain::LedgerKind::money, true, false},
    {ExportSource::activity, "activity", optional, optional, domain::LedgerKind::money, false,
     false},
};

/// As exports name it: clients may read system accounts too.
bool is_address(std::string_view text) {
    if (text.starts_with('@')) text.remove_prefix(1);
    return is_client_address(text);
}

void read_filter(JsonReader& in, domain::ExportFilter& filter) {
    auto members = in.optional_object("filter");
    if (!members) return;
    filter.account = members->optional_text("account", 1, address_bytes_max, is_address,
                                            "must be an account's address");
    if (auto const from = members->optional_instant("from")) filter.from = domain::Instant{*from};
    if (auto const to = members->optional_instant("to")) filter.to = domain::Instant{*to};
}

void check_use(JsonReader& in, SourceRules const& rules, domain::Export const& draft) {
    auto const source = std::string(rules.name);
    if (draft.ledger_name && rules.ledger == refused)
        in.fault("ledger", "does not apply to " + source);
    if (!draft.ledger_name && rules.ledger == required)
        in.fault("ledger", "is required for " + source);
    auto const& account = draft.filter.account;
    auto fault = [&in](std::string detail) {
        auto members = in.optional_object("filter");
        if (members)
            members->fault("account", std::move(detail));
        else
            in.fault("filter", "account " + detail);
    };
    if (account && rules.account == refused) fault("does not apply to " + source);
    if (!account && rules.account == required) fault("is required for " + source);
    bool const lacks_ledger = account && rules.account != refused && rules.account_needs_ledger &&
                              !draft.ledger_name && rules.ledger == optional;
    if (lacks_ledger) fault("needs a ledger: an address is one of a ledger");
}

SourceRules const& read_draft(JsonReader& in, domain::Export& draft) {
    auto const chosen = in.choice(
        "source", {"transfers", "entries", "orders", "credit_history", "streams", "activity"});
    auto const& rules = sources[chosen];
    draft.source = rules.source;
    draft.format = static_cast<domain::ExportFormat>(in.choice("format", {"csv", "ndjson"}));
    draft.ledger_name =
        in.optional_text("ledger", 1, 63, is_ledger_name, "must be a ledger's name");
    read_filter(in, draft.filter);
    check_use(in, rules, draft);
    return rules;
}

/// The problem with the ledger or the account that it names; nothing: they are found and noted.
asio::awaitable<std::optional<Response>> look_up(RequestContext& context, SourceRules const& rules,
                                                 domain::Export& draft) {
    if (!draft.ledger_name) co_return std::nullopt;
    domain::LedgerName const name{context.principal.organization, *draft.ledger_name};
    auto const ledger = co_await context.ledgers.find(name, context.deadline);
    if (!ledger) co_return context.failure(ledger.error());
    if (!*ledger) co_return context.problem(Code::ledger_not_found);
    bool const any_kind = rules.source == ExportSource::activity;
    if (!any_kind && (*ledger)->kind != rules.kind)
        co_return context.problem(Code::unsupported_on_ledger);
    draft.ledger = (*ledger)->id;
    if (!draft.filter.account || !rules.account_must_exist) co_return std::nullopt;
    domain::AccountName const owner{(*ledger)->id, *draft.filter.account};
    auto& store = db::primary_of(context.services.store);
    auto const account = co_await store.find_account(owner, context.deadline);
    if (!account) co_return context.failure(account.error());
    if (!*account) co_return context.problem(Code::account_not_found);
    co_return std::nullopt;
}

Problem signature_problem(std::string detail) {
    return {Code::signature_invalid, std::move(detail)};
}

/// The link's own problem; nothing: it is ours, and still good.
std::optional<Problem> link_fault(RequestContext& context, domain::ExportId id) {
    auto& desk = context.services.exports;
    auto const expires = context.query("expires");
    auto const signature = context.query("signature");
    if (!expires || !signature)
        return signature_problem("The link lacks `expires` or `signature`.");
    auto const now = context.services.clock.now();
    switch (desk.check(id, *expires, *signature, now)) {
        case ExportDesk::Signature::valid:
            return std::nullopt;
        case ExportDesk::Signature::expired:
            return signature_problem("The link has expired; the export has a new one.");
        case ExportDesk::Signature::invalid:
            break;
    }
    desk.metrics().refused.add();
    return Problem(Code::signature_invalid);
}

/// Why it cannot be downloaded; nothing: it can.
std::optional<Problem> status_fault(domain::Export const& row, domain::Instant now) {
    if (row.status == ExportStatus::expired || (row.expires_at && *row.expires_at <= now))
        return Problem(Code::export_expired);
    if (row.status == ExportStatus::failed)
        return Problem(Code::export_not_ready, "The export has failed.");
    if (row.status != ExportStatus::ready) return Problem(Code::export_not_ready);
    return std::nullopt;
}

/// It is on record before the first byte leaves.
asio::awaitable<error_code> record_download(RequestContext& context, domain::Export const& row) {
    domain::Envelope envelope;
    envelope.organization = row.organization;
    envelope.request_id = context.request.request_id;
    envelope.nonce = context.services.ids.nonce();
    envelope.command = domain::RecordDownload{row.id};
    auto const outcome =
        co_await context.services.engine.submit(std::move(envelope), context.deadline);
    co_return outcome ? error_code() : outcome.error();
}

std::string file_name(domain::Export const& row) {
    using boost::describe::enum_to_string;
    std::string name(enum_to_string(row.source, "export"));
    return name + '-' + row.id.to_string() + '.' + enum_to_string(row.format, "txt");
}

std::string content_range(ByteRange const& range, std::uint64_t size) {
    auto const whole = '/' + std::to_string(size);
    if (range.what == ByteRange::What::none) return "bytes *" + whole;
    auto const last = range.first + range.size - 1;
    return "bytes " + std::to_string(range.first) + '-' + std::to_string(last) + whole;
}

/// A range of an older file is of no use, but there is only ever one: the tag is its digest.
ByteRange asked_range(Request const& request, std::string_view tag, std::uint64_t size) {
    auto const only_if = request.headers.find("If-Range");
    bool const applies = !only_if || *only_if == tag;
    return parse_range(applies ? request.headers.get("Range") : std::string_view(), size);
}

bool has_it(Request const& request, std::string_view tag) {
    auto const known = request.headers.get("If-None-Match");
    return known == "*" || known.find(tag) != known.npos;
}

Response file_response(RequestContext& context, domain::Export const& row, ByteRange const& range) {
    auto& services = context.services;
    bool const is_part = range.what == ByteRange::What::part;
    Response response(is_part ? 206 : 200);
    response.content_type = row.format == domain::ExportFormat::csv ? media::csv : media::ndjson;
    response.add("Content-Disposition", "attachment; filename=\"" + file_name(row) + '"');
    if (is_part)
        response.add("Content-Range", content_range(range, static_cast<std::uint64_t>(row.bytes)));
    response.source_bytes = range.size;
    response.source = std::make_unique<ExportDownload>(
        services.store.exports(), services.exports.metrics(), row.id, range.first, range.size);
    return response;
}

Response& add_tags(Response& response, std::string tag) {
    response.add("ETag", std::move(tag));
    response.add("Accept-Ranges", "bytes");
    return response.add("Cache-Control", "private, no-transform");
}

asio::awaitable<Response> send_file(RequestContext& context, domain::Export row) {
    auto const size = static_cast<std::uint64_t>(row.bytes);
    auto const tag = '"' + *row.sha256 + '"';
    if (has_it(context.request, tag)) {
        Response unchanged(304);
        co_return std::move(add_tags(unchanged, tag));
    }
    auto const range = asked_range(context.request, tag, size);
    if (range.what == ByteRange::What::none) {
        auto refused = context.problem(Code::range_not_satisfiable);
        co_return std::move(refused.add("Content-Range", content_range(range, size)));
    }
    if (context.request.method != Method::head) {
        auto const error = co_await record_download(context, row);
        if (error) co_return context.failure(error);
        context.services.exports.metrics().downloads.add();
    }
    auto response = file_response(context, row, range);
    co_return std::move(add_tags(response, tag));
}

std::optional<domain::ExportId> named_export(RequestContext const& context) {
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) return std::nullopt;
    return domain::ExportId{*id};
}

/// The organization's export that the path names; nullopt: 404.
asio::awaitable<Result<std::optional<domain::Export>>> find_export(RequestContext& context) {
    auto const id = named_export(context);
    if (!id) co_return std::optional<domain::Export>();
    auto& exports = context.services.store.exports();
    co_return co_await exports.find(context.principal.organization, *id, context.deadline);
}

}  // namespace

Answer create_export(RequestContext& context) {
    JsonReader in(context.request.body);
    domain::RequestExport asked;
    auto const& rules = read_draft(in, asked.draft);
    if (!in.finish()) co_return context.problem(in.problem());
    auto canonical = in.canonical();
    auto known = co_await context.known_outcome(canonical);
    if (known) co_return context.answer(*known, 202);
    auto refused = co_await look_up(context, rules, asked.draft);
    if (refused)
        co_return co_await refuse_unless_known(context, std::move(*refused), std::move(canonical),
                                               202);
    co_return co_await context.perform(std::move(asked), std::move(canonical), 202);
}

Answer list_exports(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::ExportPage wanted;
    wanted.organization = context.principal.organization;
    wanted.limit = *limit + 1;
    if (!read_id_cursor(context, CursorKind::exports, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto& desk = context.services.exports;
    auto const error = co_await desk.ready(context.deadline);
    if (error) co_return context.failure(error);
    auto const items = co_await context.services.store.exports().list(wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const now = context.services.clock.now();
    auto const write_item = [&desk, now](JsonWriter& json, domain::Export const& row) {
        write(json, row, desk.link_of(row, now));
    };
    co_return page(*items, *limit, write_item, [](domain::Export const& last) {
        return CursorWriter(CursorKind::exports).id(last.id.value.bytes).text();
    });
}

Answer get_export(RequestContext& context) {
    auto& desk = context.services.exports;
    auto const error = co_await desk.ready(context.deadline);
    if (error) co_return context.failure(error);
    auto const row = co_await find_export(context);
    if (!row) co_return context.failure(row.error());
    if (!*row) co_return context.problem(Code::export_not_found);
    std::string body;
    JsonWriter json(body);
    write(json, **row, desk.link_of(**row, context.services.clock.now()));
    co_return Response(200, std::move(body));
}

Answer list_export_audit(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    db::ExportAuditPage wanted;
    wanted.limit = *limit + 1;
    if (!read_id_cursor(context, CursorKind::export_audit, wanted.before))
        co_return context.problem(Code::invalid_cursor);
    auto const row = co_await find_export(context);
    if (!row) co_return context.failure(row.error());
    if (!*row) co_return context.problem(Code::export_not_found);
    wanted.subject = (*row)->id;
    auto& exports = context.services.store.exports();
    auto const items = co_await exports.list_audit(wanted, context.deadline);
    if (!items) co_return context.failure(items.error());
    auto const write_item = [](JsonWriter& json, domain::ExportAudit const& audit) {
        write(json, audit);
    };
    co_return page(*items, *limit, write_item, [](domain::ExportAudit const& last) {
        return CursorWriter(CursorKind::export_audit).id(last.id.value.bytes).text();
    });
}

/// The signature stands in for a key, whoever asks.
Answer download_export(RequestContext& context) {
    auto const id = named_export(context);
    if (!id) co_return context.problem(Code::export_not_found);
    auto const error = co_await context.services.exports.ready(context.deadline);
    if (error) co_return context.failure(error);
    if (auto const fault = link_fault(context, *id)) co_return context.problem(*fault);
    auto& exports = context.services.store.exports();
    auto row = co_await exports.find(std::nullopt, *id, context.deadline);
    if (!row) co_return context.failure(row.error());
    if (!*row) co_return context.problem(Code::export_not_found);
    if (auto const fault = status_fault(**row, context.services.clock.now()))
        co_return context.problem(*fault);
    domain::Export file = std::move(**row);
    co_return co_await send_file(context, std::move(file));
}

}  // namespace penstock::server::routes
