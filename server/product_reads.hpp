// HOW a crowd reads a sale: what never changes from memory, what changes once for all who ask.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <unordered_map>

#include "db/store.hpp"
#include "reactor/collector.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"
#include "server/http/event_feed.hpp"
#include "server/product_ptr.hpp"

namespace penstock::server {

/// One per shard.
class ProductReads {
public:
    using Found = asio::awaitable<Result<ProductPtr>>;
    static constexpr std::size_t remembered_max = 10'000;

    ProductReads(asio::any_io_executor executor, db::Store& store, Clock& clock,
                 FeedLimits feed_limits);

    /// What never changes of a product: all but stock, sold, version (of some earlier moment) and
    /// the metadata (left out). None is ever deleted, so what was read once is known for good.
    Found find_fixed(domain::OrganizationId organization, domain::ProductId id,
                     SteadyTime deadline);

    /// The product as it is now: the read begins after the request came. A thousand that ask at
    /// once are one statement.
    Found find(domain::OrganizationId organization, domain::ProductId id, SteadyTime deadline);
    /// The same for an organization's newest product.
    Found find_newest(domain::OrganizationId organization, SteadyTime deadline);

    /// The sales as they change.
    EventFeeds& feeds() { return feeds_; }

    /// Spawns the background lives; they end on cancellation.
    void spawn(reactor::TaskGroup& tasks);

private:
    template <class Id>
    using Reader = reactor::Collector<Id, ProductPtr>;
    using Products = std::vector<Result<ProductPtr>>;

    asio::awaitable<Products> read(std::vector<domain::ProductId> wanted);
    asio::awaitable<Products> read_newest(std::vector<domain::OrganizationId> wanted);
    asio::awaitable<Result<FeedNews>> read_news(domain::Uuid id, SteadyTime deadline);
    void remember(domain::Product const& product);

    db::Store& store_;
    Clock& clock_;
    std::unordered_map<domain::ProductId, ProductPtr, domain::UuidHash> fixed_;
    Reader<domain::ProductId> now_;
    Reader<domain::OrganizationId> newest_;
    EventFeeds feeds_;
};

/// When a sale is worth looking at again: soon while it sells, else now and then, and at the
/// moment at which the clock alone makes it another.
milliseconds look_again_in(domain::Product const& product, domain::Instant now);

}  // namespace penstock::server
