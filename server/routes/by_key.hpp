// What a key says where the path names nothing: it is judged first.
#pragma once

#include <utility>
#include <variant>

#include "server/context.hpp"

namespace penstock::server::routes {

/// The key is judged before what the path names: what was done there before it went is answered
/// again, and a key of something else is refused as such. `refusal` where the key is new, or there
/// is none.
inline asio::awaitable<Response> refuse_unless_known(RequestContext& context, Response refusal,
                                                     std::string canonical, unsigned status) {
    bool const has_key = context.request.headers.find("Idempotency-Key").has_value();
    if (!has_key || refusal.status >= 500) co_return std::move(refusal);
    // No ledger has this id, so its key alone decides it.
    domain::Command nothing = domain::DeleteLedger();
    auto const outcome = co_await context.submit(std::move(nothing), std::move(canonical));
    auto const* refused = outcome ? std::get_if<domain::Refusal>(&*outcome) : nullptr;
    bool const is_new = refused && refused->code == domain::Rejection::ledger_not_found;
    if (is_new) co_return std::move(refusal);
    co_return context.answer(outcome, status);
}

}  // namespace penstock::server::routes
