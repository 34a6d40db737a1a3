// WHAT an error looks like: one table from code to status and title, and RFC 9457 around it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/response.hpp"

namespace penstock::server {

class JsonWriter;

/// The enumerators are the wire's codes.
enum class Code : std::uint8_t {
    // 400
    invalid_request,
    invalid_cursor,
    idempotency_key_missing,
    idempotency_key_invalid,
    self_purchase,
    self_transfer,
    // 401, 402, 403
    unauthenticated,
    insufficient_funds,
    forbidden,
    sale_not_started,
    sale_ended,
    signature_invalid,
    // 404
    not_found,
    organization_not_found,
    key_not_found,
    ledger_not_found,
    account_not_found,
    transfer_not_found,
    hold_not_found,
    purchase_not_found,
    report_not_found,
    product_not_found,
    order_not_found,
    stream_not_found,
    export_not_found,
    job_not_found,
    // 405, 406
    method_not_allowed,
    not_acceptable,
    // 409
    idempotency_in_flight,
    export_not_ready,
    ledger_not_empty,
    illegal_transition,
    already_reverted,
    already_refunded,
    sold_out,
    purchase_limit_reached,
    account_exists,
    ledger_exists,
    reference_exists,
    organization_exists,
    unsupported_on_ledger,
    // 410, 413, 415, 416
    export_expired,
    payload_too_large,
    unsupported_media_type,
    range_not_satisfiable,
    // 422
    idempotency_key_reused,
    over_capture,
    amount_overflow,
    over_withdraw,
    nothing_to_withdraw,
    precision,
    bulk_rejected,
    // 429, 431
    rate_limited,
    headers_too_large,
    // 500, 503, 504
    internal,
    overloaded,
    unavailable,
    deadline_exceeded,
};

struct CodeRow {
    Code code;
    std::string_view name;
    unsigned status;
    std::string_view title;
};

/// The row of a code; total over the enumeration.
CodeRow const& row_of(Code code);
inline std::string_view to_string(Code code) { return row_of(code).name; }
inline unsigned status_of(Code code) { return row_of(code).status; }
/// The code with that spelling: how rejections of the domain find their row.
std::optional<Code> code_named(std::string_view name);

/// Where a request is wrong: a JSON pointer into the body, a query or path parameter, a header.
struct Fault {
    enum class Where : std::uint8_t { pointer, parameter, header };
    Where where = Where::pointer;
    std::string name;
    std::string detail;
    friend bool operator==(Fault const&, Fault const&) = default;
};

struct Problem {
    explicit Problem(Code c) : code(c) {}
    Problem(Code c, std::string text) : code(c), detail(std::move(text)) {}
    Problem(Code c, std::string text, std::vector<Fault> faults)
        : code(c), detail(std::move(text)), errors(std::move(faults)) {}

    /// An extra member; `json` is a finished JSON value.
    Problem& add(std::string_view name, std::string json) {
        members.push_back({name, std::move(json)});
        return *this;
    }

    struct Member {
        std::string_view name;  ///< a literal
        std::string json;
    };
    Code code;
    std::string detail;  ///< "" stands for the title
    std::vector<Fault> errors;
    std::vector<Member> members;
    std::optional<unsigned> retry_after_s;  ///< the Retry-After header
};

/// As an object value; `request_id` "" leaves that member out (items of a bulk).
void write(JsonWriter& out, Problem const& problem, std::string_view request_id = {});

Response render(Problem const& problem, std::string_view request_id);

}  // namespace penstock::server
