// How products and their orders are kept in memory.
#include <algorithm>
#include <boost/range/adaptor/reversed.hpp>

#include "db/memory_rows.hpp"
#include "db/memory_store.hpp"
#include "domain/assert.hpp"

namespace penstock::db {

using namespace domain;
using namespace memory;

namespace {

Sold sold_of(Order const& order) {
    Sold sold;
    sold.id = order.id;
    if (order.key_use) sold.key = order.key_use->key;
    sold.user = order.user;
    sold.quantity = order.quantity;
    sold.status = order.status;
    return sold;
}

}  // namespace

std::vector<Order const*> MemoryStore::orders_of(ProductId product) const {
    std::vector<Order const*> list;
    auto at = orders_.lower_bound({product, {}});
    for (; at != orders_.end() && at->first.first == product; ++at) list.push_back(&at->second);
    return list;
}

void MemoryStore::load_sales(KeySet const& keys, Loaded& loaded) const {
    for (auto const& id : keys.products)
        if (auto const* product = find_in(products_, id)) loaded.products.push_back(*product);
    for (auto const& name : keys.sale_users)
        if (auto const* quantity = find_in(bought_, name))
            loaded.sale_users.push_back({name.first, name.second, *quantity});
    for (auto const& name : keys.orders)
        if (auto const* order = find_in(orders_, name)) loaded.orders.push_back(*order);
}

void MemoryStore::commit_sales(Changes const& changes) {
    for (auto const& product : changes.new_products)
        PENSTOCK_ASSERT(products_.emplace(product.id, product).second);
    for (auto const& changed : changes.changed_products) {
        auto& product = products_.at(changed.id);
        PENSTOCK_ASSERT(changed.version > product.version);
        product.stock = changed.stock;
        product.sold = changed.sold;
        product.version = changed.version;
    }
    for (auto const& order : changes.new_orders) {
        OrderName const name{order.product, order.id};
        PENSTOCK_ASSERT(order.status == OrderStatus::completed);
        PENSTOCK_ASSERT(orders_.emplace(name, order).second);
        bought_[{order.product, order.user}] += order.quantity;
        if (!order.key_use) continue;
        PENSTOCK_ASSERT(!key_is_used(order.key_use->key));
        order_keys_.emplace(order.key_use->key, name);
    }
    for (auto const& cancelled : changes.cancelled_orders) {
        auto& order = orders_.at({cancelled.product, cancelled.id});
        PENSTOCK_ASSERT(order.status == OrderStatus::completed && cancelled.cancelled_at);
        bought_.at({order.product, order.user}) -= order.quantity;
        order.status = cancelled.status;
        order.cancelled_at = cancelled.cancelled_at;
    }
}

Store::Found<Product> MemoryStore::find_product(OrganizationId organization, ProductId id,
                                                SteadyTime) {
    auto const* product = find_in(std::as_const(products_), id);
    if (product && product->organization != organization) product = nullptr;
    co_return copy_of(product);
}

Store::Listed<Product> MemoryStore::find_products(std::vector<ProductId> ids, SteadyTime) {
    std::vector<Product> list;
    for (auto const& id : ids)
        if (auto const* product = find_in(std::as_const(products_), id)) list.push_back(*product);
    co_return list;
}

Store::Listed<Product> MemoryStore::list_products(OrganizationId organization,
                                                  std::optional<ProductId> before,
                                                  std::size_t limit, SteadyTime) {
    std::vector<Product> list;
    for (auto const& [id, product] : boost::adaptors::reverse(products_)) {
        if (product.organization != organization || (before && id >= *before)) continue;
        if (list.size() < limit) list.push_back(product);
    }
    co_return list;
}

Store::Listed<Product> MemoryStore::list_open_sales(Instant ended_after,
                                                    std::optional<ProductId> after,
                                                    std::size_t limit,
                                                    std::optional<OrganizationId> organization,
                                                    SteadyTime) {
    std::vector<Product> list;
    for (auto const& [id, product] : products_) {
        if (organization && product.organization != *organization) continue;
        if ((product.ends_at && *product.ends_at < ended_after) || (after && id <= *after))
            continue;
        if (list.size() < limit) list.push_back(product);
    }
    co_return list;
}

Store::Found<Order> MemoryStore::find_order(ProductId product, OrderId id, SteadyTime) {
    OrderName const name{product, id};
    co_return copy_of(find_in(std::as_const(orders_), name));
}

Store::Listed<Order> MemoryStore::list_orders(ProductId product, OrderPage page, SteadyTime) {
    std::vector<Order> list;
    auto const orders = orders_of(product);
    for (auto const* order : boost::adaptors::reverse(orders)) {
        if (page.user && order->user != *page.user) continue;
        if (page.before && order->id >= *page.before) continue;
        if (list.size() < page.limit) list.push_back(*order);
    }
    co_return list;
}

Store::Listed<Sold> MemoryStore::list_sold(ProductId product, std::optional<OrderId> after,
                                           std::size_t limit, SteadyTime) {
    std::vector<Sold> list;
    for (auto const* order : orders_of(product))
        if ((!after || order->id > *after) && list.size() < limit) list.push_back(sold_of(*order));
    co_return list;
}

Store::Listed<Sold> MemoryStore::find_orders_by_keys(ProductId product,
                                                     std::vector<IdempotencyKey> keys, SteadyTime) {
    std::vector<Sold> list;
    for (auto const& key : keys) {
        auto const* name = find_in(std::as_const(order_keys_), key);
        if (name && name->first == product) list.push_back(sold_of(orders_.at(*name)));
    }
    co_return list;
}

SaleRows MemoryStore::sale_rows(std::optional<LedgerId> ledger) const {
    SaleRows rows;
    for (auto const& [id, product] : products_) {
        if (ledger && (!product.payment || product.payment->ledger != *ledger)) continue;
        rows.products.push_back(&product);
        for (auto const* order : orders_of(id)) rows.orders.push_back(order);
    }
    for (auto const& [name, purchase] : purchases_)
        if (ledgers_.contains(purchase.ledger)) rows.purchases.push_back(&purchase);
    for (auto const& [id, one] : ledgers_) rows.ledgers.insert(id);
    return rows;
}

Store::Listed<Check> MemoryStore::verify_sales(SteadyTime) {
    co_return db::verify_sales(sale_rows(std::nullopt));
}

}  // namespace penstock::db
