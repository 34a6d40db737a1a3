// How products and orders are read from PostgreSQL.
#include "db/postgres_reads.hpp"
#include "db/postgres_rows.hpp"
#include "db/sql.hpp"

namespace penstock::db {

using namespace domain;
using namespace reads;

namespace {

template <class Id>
pg::UuidBytes above(std::optional<Id> const& after) {
    return after.value_or(Id{}).value.bytes;
}

}  // namespace

Store::Found<Product> PostgresStore::find_product(OrganizationId organization, ProductId id,
                                                  SteadyTime deadline) {
    pg::Params params;
    params.uuid(organization.value.bytes).uuid(id.value.bytes);
    return find(sql::find_product, std::move(params), deadline, rows::product);
}

Store::Listed<Product> PostgresStore::find_products(std::vector<ProductId> ids,
                                                    SteadyTime deadline) {
    pg::Params params;
    params.add(rows::uuids(ids));
    return list(sql::find_products, std::move(params), deadline, rows::product);
}

Store::Listed<Product> PostgresStore::list_products(OrganizationId organization,
                                                    std::optional<ProductId> before,
                                                    std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.uuid(organization.value.bytes).uuid(below(before)).int8(limit_of(limit));
    return list(sql::list_products, std::move(params), deadline, rows::product);
}

Store::Listed<Product> PostgresStore::list_open_sales(Instant ended_after,
                                                      std::optional<ProductId> after,
                                                      std::size_t limit,
                                                      std::optional<OrganizationId> organization,
                                                      SteadyTime deadline) {
    std::optional<pg::UuidBytes> owner;
    if (organization) owner = organization->value.bytes;
    pg::Params params;
    params.instant_ms(within_range(ended_after).ms).uuid(above(after)).optional_uuid(owner);
    params.int8(limit_of(limit));
    return list(sql::list_open_sales, std::move(params), deadline, rows::product);
}

Store::Found<Order> PostgresStore::find_order(ProductId product, OrderId id, SteadyTime deadline) {
    pg::Params params;
    params.uuid(product.value.bytes).uuid(id.value.bytes);
    return find(sql::find_order, std::move(params), deadline, rows::order);
}

Store::Listed<Order> PostgresStore::list_orders(ProductId product, OrderPage page,
                                                SteadyTime deadline) {
    pg::Params params;
    params.uuid(product.value.bytes);
    if (page.user) params.text(*page.user);
    params.uuid(below(page.before)).int8(limit_of(page.limit));
    auto const& statement = page.user ? sql::list_user_orders : sql::list_orders;
    return list(statement, std::move(params), deadline, rows::order);
}

Store::Listed<Sold> PostgresStore::list_sold(ProductId product, std::optional<OrderId> after,
                                             std::size_t limit, SteadyTime deadline) {
    pg::Params params;
    params.uuid(product.value.bytes).uuid(above(after)).int8(limit_of(limit));
    return list(sql::list_sold, std::move(params), deadline, rows::sold);
}

Store::Listed<Sold> PostgresStore::find_orders_by_keys(ProductId product,
                                                       std::vector<IdempotencyKey> keys,
                                                       SteadyTime deadline) {
    pg::Params params;
    params.uuid(product.value.bytes).add(rows::uuids(keys));
    return list(sql::sold_by_key, std::move(params), deadline, rows::sold);
}

}  // namespace penstock::db
