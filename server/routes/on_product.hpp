// What every route of a product shares: the product that the path names.
#pragma once

#include "server/context.hpp"
#include "server/product_reads.hpp"

namespace penstock::server::routes {

inline ProductReads::Found no_product() { co_return ProductPtr(); }

/// What of it never changes. Null: there is none, for this organization.
inline ProductReads::Found find_product(RequestContext& context, std::string_view parameter) {
    auto const id = domain::Uuid::parse(context.parameter(parameter));
    if (!id) return no_product();
    return context.services.products.find_fixed(context.principal.organization, {*id},
                                                context.deadline);
}

/// As it is now.
inline ProductReads::Found find_product_now(RequestContext& context, std::string_view parameter) {
    auto const id = domain::Uuid::parse(context.parameter(parameter));
    if (!id) return no_product();
    return context.services.products.find(context.principal.organization, {*id}, context.deadline);
}

/// What a command has just made or changed; null after a refusal, a failure, and where the edge
/// answered with the bytes of the first time.
template <class What>
What const* made(Result<domain::Outcome> const& outcome) {
    if (!outcome) return nullptr;
    auto const* const receipt = std::get_if<domain::Receipt>(&*outcome);
    if (receipt == nullptr || receipt->replayed) return nullptr;
    return std::get_if<What>(&receipt->what);
}

}  // namespace penstock::server::routes
