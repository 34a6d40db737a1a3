// Why the business says no. The enumerators ARE the codes on the wire.
#pragma once

#include <boost/describe/enum.hpp>
#include <optional>
#include <string>

#include "domain/instant.hpp"

namespace penstock::domain {

/// One enumerator per problem code that a decision can yield. Recorded bulks keep the number:
/// append new ones at the end, never renumber.
BOOST_DEFINE_ENUM_CLASS(Rejection,
                        account_exists,          // 409
                        account_not_found,       // 404
                        already_reverted,        // 409
                        amount_overflow,         // 422
                        bulk_rejected,           // 422
                        idempotency_key_reused,  // 422
                        illegal_transition,      // 409
                        insufficient_funds,      // 402
                        key_not_found,           // 404
                        ledger_exists,           // 409
                        ledger_not_empty,        // 409
                        ledger_not_found,        // 404
                        organization_exists,     // 409
                        organization_not_found,  // 404
                        self_transfer,           // 400
                        transfer_not_found,      // 404
                        unsupported_on_ledger,   // 409
                        already_refunded,        // 409
                        hold_not_found,          // 404
                        over_capture,            // 422
                        purchase_not_found,      // 404
                        self_purchase,           // 400
                        job_not_found,           // 404
                        product_not_found,       // 404
                        order_not_found,         // 404
                        sale_not_started,        // 403
                        sale_ended,              // 403
                        sold_out,                // 409
                        purchase_limit_reached,  // 409
                        reference_exists,        // 409
                        invalid_request,         // 400
                        stream_not_found,        // 404
                        over_withdraw,           // 422
                        nothing_to_withdraw,     // 422
                        precision,               // 422
                        export_not_found)        // 404

/// A refusal of one command, or of one item of a bulk. `pointer` is a JSON pointer into the body
/// where a member is at fault; `detail` says more than the code where there is more to say.
struct Refusal {
    Rejection code{};
    std::string pointer = {};
    std::string detail = {};
    std::optional<Instant> starts_at = {};  ///< of the sale that has not started

    bool operator==(Refusal const&) const = default;
};

}  // namespace penstock::domain
