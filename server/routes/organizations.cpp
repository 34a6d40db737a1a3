// Organizations and their API keys: who may use this installation.
#include "server/http/json_reader.hpp"
#include "server/render.hpp"
#include "server/routes/handlers.hpp"
#include "server/routes/pages.hpp"
#include "server/routes/rules.hpp"

namespace penstock::server::routes {
namespace {

/// The organization that the path names, if the principal may touch it: its own, or any for an
/// operator. Another's is not found.
std::optional<domain::OrganizationId> organization_of(RequestContext const& context) {
    auto const id = domain::Uuid::parse(context.parameter("org"));
    if (!id) return std::nullopt;
    domain::OrganizationId const organization{*id};
    bool const own = organization == context.principal.organization;
    if (!own && !context.principal.is_operator()) return std::nullopt;
    return organization;
}

}  // namespace

Answer create_organization(RequestContext& context) {
    if (!context.principal.is_operator()) co_return context.problem(Code::forbidden);
    JsonReader in(context.request.body);
    domain::CreateOrganization made;
    made.name =
        in.text("name", 1, name_bytes_max, is_printable, "must not hold control characters");
    if (!in.finish()) co_return context.problem(in.problem());
    domain::Command command = std::move(made);
    co_return co_await context.perform(std::move(command), in.canonical(), 201);
}

Answer list_organizations(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    std::optional<domain::OrganizationId> after;
    if (!read_id_cursor(context, CursorKind::organizations, after))
        co_return context.problem(Code::invalid_cursor);
    auto const write_item = [](JsonWriter& json, domain::Organization const& one) {
        write(json, one);
    };
    auto const cursor_of = [](domain::Organization const& last) {
        return CursorWriter(CursorKind::organizations).id(last.id.value.bytes).text();
    };
    auto& store = context.services.store;
    if (!context.principal.is_operator()) {
        auto own =
            co_await store.find_organization(context.principal.organization, context.deadline);
        if (!own) co_return context.failure(own.error());
        std::vector<domain::Organization> items;
        if (*own && !after) items.push_back(**own);
        co_return page(items, *limit, write_item, cursor_of);
    }
    auto items = co_await store.list_organizations(after, *limit + 1, context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page(*items, *limit, write_item, cursor_of);
}

Answer create_api_key(RequestContext& context) {
    auto const organization = organization_of(context);
    JsonReader in(context.request.body);
    domain::CreateApiKey made;
    made.name =
        in.text("name", 1, name_bytes_max, is_printable, "must not hold control characters");
    for (auto const& scope : in.texts("scopes", 1, 3, 1, 16)) {
        if (scope == "read") {
            made.scopes |= static_cast<domain::Scopes>(domain::Scope::read);
        } else if (scope == "write") {
            made.scopes |= static_cast<domain::Scopes>(domain::Scope::write);
        } else if (scope == "admin") {
            made.scopes |= static_cast<domain::Scopes>(domain::Scope::admin);
        } else {
            in.fault("scopes", "must hold only read, write and admin");
        }
    }
    if (!in.finish()) co_return context.problem(in.problem());
    if (!organization) co_return context.problem(Code::organization_not_found);
    made.organization = *organization;
    auto const secret = context.services.ids.secret();
    made.digest = sha256(secret);
    domain::Command command = std::move(made);
    auto const outcome = co_await context.submit(std::move(command), in.canonical());
    auto response = context.answer(outcome, 201);
    // The secret is in this one answer only: what is recorded for a replay does not have it.
    if (outcome) {
        auto const* receipt = std::get_if<domain::Receipt>(&*outcome);
        auto const* key = receipt ? std::get_if<domain::ApiKey>(&receipt->what) : nullptr;
        if (key && !receipt->replayed) response.body = body_with_secret(*key, secret);
    }
    co_return response;
}

Answer list_api_keys(RequestContext& context) {
    auto const limit = page_limit(context);
    if (!limit) co_return bad_limit(context);
    auto const organization = organization_of(context);
    if (!organization) co_return context.problem(Code::organization_not_found);
    std::optional<domain::ApiKeyId> after;
    if (!read_id_cursor(context, CursorKind::api_keys, after))
        co_return context.problem(Code::invalid_cursor);
    auto items = co_await context.services.store.list_api_keys(*organization, after, *limit + 1,
                                                               context.deadline);
    if (!items) co_return context.failure(items.error());
    co_return page(
        *items, *limit, [](JsonWriter& json, domain::ApiKey const& one) { write(json, one); },
        [](domain::ApiKey const& last) {
            return CursorWriter(CursorKind::api_keys).id(last.id.value.bytes).text();
        });
}

Answer revoke_api_key(RequestContext& context) {
    auto const organization = organization_of(context);
    if (!organization) co_return context.problem(Code::organization_not_found);
    auto const id = domain::Uuid::parse(context.parameter("id"));
    if (!id) co_return context.problem(Code::key_not_found);
    domain::RevokeApiKey revoked;
    revoked.organization = *organization;
    revoked.key.value = *id;
    domain::Command command = revoked;
    co_return co_await context.perform(std::move(command), std::string(), 204);
}

}  // namespace penstock::server::routes
