// WHAT an error looks like: the table, complete over the codes, and its rendering.
#include "server/http/problem.hpp"

#include <array>

#include "server/http/json_writer.hpp"

namespace penstock::server {
namespace {

/// What most problems have room in.
constexpr std::size_t usual_bytes = 320;

constexpr CodeRow rows[] = {
    {Code::invalid_request, "invalid_request", 400, "The request is not valid"},
    {Code::invalid_cursor, "invalid_cursor", 400, "The cursor is not one of this list"},
    {Code::idempotency_key_missing, "idempotency_key_missing", 400,
     "The Idempotency-Key header is missing"},
    {Code::idempotency_key_invalid, "idempotency_key_invalid", 400,
     "The Idempotency-Key header is not valid"},
    {Code::self_purchase, "self_purchase", 400, "Buyer and author are the same account"},
    {Code::self_transfer, "self_transfer", 400, "Payer and receiver are the same account"},
    {Code::unauthenticated, "unauthenticated", 401, "A valid API key is required"},
    {Code::insufficient_funds, "insufficient_funds", 402, "The account has not enough funds"},
    {Code::forbidden, "forbidden", 403, "The API key lacks the scope for this"},
    {Code::sale_not_started, "sale_not_started", 403, "The sale has not started"},
    {Code::sale_ended, "sale_ended", 403, "The sale has ended"},
    {Code::signature_invalid, "signature_invalid", 403, "The link's signature is not valid"},
    {Code::not_found, "not_found", 404, "There is nothing here"},
    {Code::organization_not_found, "organization_not_found", 404, "No such organization"},
    {Code::key_not_found, "key_not_found", 404, "No such API key"},
    {Code::ledger_not_found, "ledger_not_found", 404, "No such ledger"},
    {Code::account_not_found, "account_not_found", 404, "No such account"},
    {Code::transfer_not_found, "transfer_not_found", 404, "No such transfer"},
    {Code::hold_not_found, "hold_not_found", 404, "No such hold"},
    {Code::purchase_not_found, "purchase_not_found", 404, "No such purchase"},
    {Code::report_not_found, "report_not_found", 404, "No such report"},
    {Code::product_not_found, "product_not_found", 404, "No such product"},
    {Code::order_not_found, "order_not_found", 404, "No such order"},
    {Code::stream_not_found, "stream_not_found", 404, "No such stream"},
    {Code::export_not_found, "export_not_found", 404, "No such export"},
    {Code::job_not_found, "job_not_found", 404, "No such job"},
    {Code::method_not_allowed, "method_not_allowed", 405, "The resource has no such method"},
    {Code::not_acceptable, "not_acceptable", 406, "No representation that Accept allows"},
    {Code::idempotency_in_flight, "idempotency_in_flight", 409,
     "A request with this key is still running"},
    {Code::export_not_ready, "export_not_ready", 409, "The export is not ready"},
    {Code::ledger_not_empty, "ledger_not_empty", 409, "The ledger is not at rest at zero"},
    {Code::illegal_transition, "illegal_transition", 409, "The state does not allow this action"},
    {Code::already_reverted, "already_reverted", 409, "The transfer was reverted before"},
    {Code::already_refunded, "already_refunded", 409, "The purchase was refunded before"},
    {Code::sold_out, "sold_out", 409, "Not enough stock is left"},
    {Code::purchase_limit_reached, "purchase_limit_reached", 409,
     "The user's limit for this product is reached"},
    {Code::account_exists, "account_exists", 409, "The address is taken"},
    {Code::ledger_exists, "ledger_exists", 409, "The name of the ledger is taken"},
    {Code::reference_exists, "reference_exists", 409, "The reference is taken"},
    {Code::organization_exists, "organization_exists", 409,
     "The name of the organization is taken"},
    {Code::unsupported_on_ledger, "unsupported_on_ledger", 409,
     "This kind of ledger does not offer that"},
    {Code::export_expired, "export_expired", 410, "The export has expired"},
    {Code::payload_too_large, "payload_too_large", 413, "The body is too large"},
    {Code::unsupported_media_type, "unsupported_media_type", 415,
     "The body must be application/json"},
    {Code::range_not_satisfiable, "range_not_satisfiable", 416, "The range lies behind the end"},
    {Code::idempotency_key_reused, "idempotency_key_reused", 422,
     "The Idempotency-Key was used with another request"},
    {Code::over_capture, "over_capture", 422, "More than the hold reserves"},
    {Code::amount_overflow, "amount_overflow", 422, "A sum would leave the range of amounts"},
    {Code::over_withdraw, "over_withdraw", 422, "More than can be withdrawn now"},
    {Code::nothing_to_withdraw, "nothing_to_withdraw", 422, "Nothing can be withdrawn now"},
    {Code::precision, "precision", 422, "The rate does not give a whole total"},
    {Code::bulk_rejected, "bulk_rejected", 422, "An item was rejected, so none was applied"},
    {Code::rate_limited, "rate_limited", 429, "Too many requests"},
    {Code::headers_too_large, "headers_too_large", 431, "The header is too large"},
    {Code::internal, "internal", 500, "Something went wrong here"},
    {Code::overloaded, "overloaded", 503, "The server is busy: try again later"},
    {Code::unavailable, "unavailable", 503, "A part of the service is not available"},
    {Code::deadline_exceeded, "deadline_exceeded", 504, "The answer did not come in time"},
};

constexpr std::size_t codes = static_cast<std::size_t>(Code::deadline_exceeded) + 1;

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < std::size(rows); ++i)
        if (static_cast<std::size_t>(rows[i].code) != i) return false;
    return std::size(rows) == codes;
}
static_assert(rows_are_in_order(), "every code has its row, in the order of the enumeration");

std::string_view member_name(Fault::Where where) {
    switch (where) {
        case Fault::Where::pointer:
            return "pointer";
        case Fault::Where::parameter:
            return "parameter";
        case Fault::Where::header:
            return "header";
    }
    return "pointer";
}

}  // namespace

CodeRow const& row_of(Code code) { return rows[static_cast<std::size_t>(code)]; }

std::optional<Code> code_named(std::string_view name) {
    for (auto const& row : rows)
        if (row.name == name) return row.code;
    return std::nullopt;
}

void write(JsonWriter& out, Problem const& problem, std::string_view request_id) {
    auto const& row = row_of(problem.code);
    std::string type = "urn:penstock:problem:";
    type += row.name;
    out.begin_object();
    out.member("type", type).member("title", row.title).member("status", row.status);
    out.member("detail", problem.detail.empty() ? row.title : std::string_view(problem.detail));
    out.member("code", row.name);
    if (!request_id.empty()) out.member("request_id", request_id);
    if (!problem.errors.empty()) {
        out.begin_array("errors");
        for (auto const& fault : problem.errors) {
            out.begin_object();
            out.member(member_name(fault.where), fault.name).member("detail", fault.detail);
            out.end_object();
        }
        out.end_array();
    }
    for (auto const& member : problem.members) out.raw(member.name, member.json);
    out.end_object();
}

Response render(Problem const& problem, std::string_view request_id) {
    Response response(status_of(problem.code));
    response.content_type = media::problem;
    response.body.reserve(usual_bytes);
    JsonWriter out(response.body);
    write(out, problem, request_id);
    if (problem.code == Code::unauthenticated) response.add("WWW-Authenticate", "Bearer");
    if (problem.retry_after_s) response.add("Retry-After", std::to_string(*problem.retry_after_s));
    return response;
}

}  // namespace penstock::server
