// Products and orders in PostgreSQL.
#include "db/postgres_store.hpp"

namespace penstock::db {

using namespace domain;

namespace {

/// The tables are not there yet: whoever asks is told so.
error_code not_there() { return make_error_code(Errc::unavailable); }

}  // namespace

Store::Found<Product> PostgresStore::find_product(OrganizationId, ProductId, SteadyTime) {
    co_return not_there();
}

Store::Listed<Product> PostgresStore::find_products(std::vector<ProductId>, SteadyTime) {
    co_return not_there();
}

Store::Listed<Product> PostgresStore::list_products(OrganizationId, std::optional<ProductId>,
                                                    std::size_t, SteadyTime) {
    co_return not_there();
}

Store::Listed<Product> PostgresStore::list_open_sales(Instant, std::optional<ProductId>,
                                                      std::size_t, std::optional<OrganizationId>,
                                                      SteadyTime) {
    co_return not_there();
}

Store::Found<Order> PostgresStore::find_order(ProductId, OrderId, SteadyTime) {
    co_return not_there();
}

Store::Listed<Order> PostgresStore::list_orders(ProductId, OrderPage, SteadyTime) {
    co_return not_there();
}

Store::Listed<Sold> PostgresStore::list_sold(ProductId, std::optional<OrderId>, std::size_t,
                                             SteadyTime) {
    co_return not_there();
}

Store::Listed<Sold> PostgresStore::find_orders_by_keys(ProductId, std::vector<IdempotencyKey>,
                                                       SteadyTime) {
    co_return not_there();
}

Store::Listed<Check> PostgresStore::verify_sales(SteadyTime) { co_return not_there(); }

}  // namespace penstock::db
