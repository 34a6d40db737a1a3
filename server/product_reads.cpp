// HOW a crowd reads a sale.
#include "server/product_reads.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <map>

#include "domain/sale.hpp"
#include "server/render.hpp"

namespace penstock::server {
namespace {

constexpr milliseconds read_max{5'000};
constexpr milliseconds look_while_active{100};
constexpr milliseconds look_otherwise{500};

reactor::BatchLimits limits_of_reads() {
    reactor::BatchLimits limits;
    limits.items_max = 4'096;
    limits.queue_max = 65'536;
    return limits;
}

}  // namespace

ProductReads::ProductReads(asio::any_io_executor executor, db::Store& store, Clock& clock,
                           FeedLimits feed_limits)
    : store_(store),
      clock_(clock),
      now_(executor, limits_of_reads(),
           [this](std::vector<domain::ProductId> wanted) { return read(std::move(wanted)); }),
      newest_(executor, limits_of_reads(),
              [this](std::vector<domain::OrganizationId> wanted) {
                  return read_newest(std::move(wanted));
              }),
      feeds_(executor, feed_limits, "sale",
             [this](domain::Uuid id, SteadyTime deadline) { return read_news(id, deadline); }) {}

void ProductReads::spawn(reactor::TaskGroup& tasks) {
    tasks.spawn(now_.run());
    tasks.spawn(newest_.run());
    tasks.spawn(feeds_.run());
}

ProductReads::Found ProductReads::find_fixed(domain::OrganizationId organization,
                                             domain::ProductId id, SteadyTime deadline) {
    auto const known = fixed_.find(id);
    if (known == fixed_.end()) co_return co_await find(organization, id, deadline);
    if (known->second->organization != organization) co_return ProductPtr();
    co_return known->second;
}

ProductReads::Found ProductReads::find(domain::OrganizationId organization, domain::ProductId id,
                                       SteadyTime deadline) {
    auto found = co_await now_.submit(id, deadline);
    bool const foreign = found && *found && (*found)->organization != organization;
    if (foreign) co_return ProductPtr();
    co_return found;
}

ProductReads::Found ProductReads::find_newest(domain::OrganizationId organization,
                                              SteadyTime deadline) {
    co_return co_await newest_.submit(organization, deadline);
}

asio::awaitable<ProductReads::Products> ProductReads::read(std::vector<domain::ProductId> wanted) {
    auto ids = wanted;
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    auto found = co_await store_.find_products(std::move(ids), steady_now() + read_max);
    if (!found) co_return Products(wanted.size(), found.error());
    std::unordered_map<domain::ProductId, ProductPtr, domain::UuidHash> by_id;
    for (auto& product : *found) {
        remember(product);
        auto const id = product.id;
        by_id.emplace(id, std::make_shared<domain::Product const>(std::move(product)));
    }
    Products replies;
    replies.reserve(wanted.size());
    for (auto const& id : wanted) {
        auto const place = by_id.find(id);
        replies.emplace_back(place == by_id.end() ? ProductPtr() : place->second);
    }
    co_return replies;
}

asio::awaitable<ProductReads::Products> ProductReads::read_newest(
    std::vector<domain::OrganizationId> wanted) {
    std::map<domain::OrganizationId, Result<ProductPtr>> newest;
    auto const deadline = steady_now() + read_max;
    for (auto const& organization : wanted) {
        if (newest.contains(organization)) continue;
        auto const page = co_await store_.list_products(organization, std::nullopt, 1, deadline);
        ProductPtr product;
        if (page && !page->empty())
            product = std::make_shared<domain::Product const>(page->front());
        if (product) remember(*product);
        Result<ProductPtr> reply(std::move(product));
        if (!page) reply = page.error();
        newest.emplace(organization, std::move(reply));
    }
    Products replies;
    replies.reserve(wanted.size());
    for (auto const& organization : wanted) replies.push_back(newest.at(organization));
    co_return replies;
}

/// A feed lives as long as its watchers, who were let in by their organization.
asio::awaitable<Result<FeedNews>> ProductReads::read_news(domain::Uuid id, SteadyTime deadline) {
    domain::ProductId const product_id{id};
    auto const found = co_await now_.submit(product_id, deadline);
    if (!found) co_return found.error();
    if (!*found) co_return error_code(asio::error::not_found);
    auto const& product = **found;
    auto const now = clock_.now();
    auto const status = domain::sale_status(product, now);
    FeedNews news;
    news.id = std::to_string(product.version) + '.' + boost::describe::enum_to_string(status, "");
    JsonWriter json(news.data);
    write_sale(json, product, now);
    news.next_in = look_again_in(product, now);
    co_return news;
}

void ProductReads::remember(domain::Product const& product) {
    if (fixed_.contains(product.id)) return;
    if (fixed_.size() >= remembered_max) fixed_.clear();
    auto fixed = product;
    // Ten thousand of them are kept, and the metadata may be 16 KiB.
    fixed.metadata.clear();
    fixed_.emplace(product.id, std::make_shared<domain::Product const>(std::move(fixed)));
}

milliseconds look_again_in(domain::Product const& product, domain::Instant now) {
    bool const active = domain::sale_status(product, now) == domain::SaleStatus::active;
    auto pause = active ? look_while_active : look_otherwise;
    for (auto const edge : {std::optional(product.starts_at), product.ends_at})
        if (edge && *edge > now) pause = std::min(pause, milliseconds{edge->ms - now.ms});
    return pause;
}

}  // namespace penstock::server
