// What the commands beside `serve` have in common: a store on the database for the length of one
// piece of work, and a walk over its ledgers.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "db/postgres_store.hpp"
#include "reactor/task_group.hpp"
#include "server/store_options.hpp"

namespace penstock::server {

/// A full scan of a large ledger takes minutes.
inline constexpr std::chrono::hours scan_max{1};

template <class T>
T must(Result<T> result, std::string const& what) {
    if (!result) throw std::runtime_error(what + ": " + result.error().message());
    return std::move(*result);
}

/// `work(db::Store&)` beside the store's own life, and what it returns or throws.
template <class T, class Work>
asio::awaitable<T> on_database(Options options, Work work) {
    auto const executor = co_await asio::this_coro::executor;
    auto settings = postgres_options(options);
    auto const store = std::make_unique<db::PostgresStore>(executor, settings);
    reactor::TaskGroup connections(executor);
    connections.spawn(store->run());
    std::exception_ptr failure;
    std::optional<T> made;
    try {
        made.emplace(co_await work(*store));
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    connections.cancel();
    co_await connections.join();
    if (failure) std::rethrow_exception(failure);
    co_return std::move(*made);
}

/// Which ledgers a command is about: empty is all.
struct LedgerFilter {
    std::string organization;  ///< its id
    std::string ledger;        ///< its name

    explicit LedgerFilter(Options const& options)
        : organization{options.organization}, ledger{options.ledger} {}
    bool wants(domain::Organization const& one) const {
        return organization.empty() || organization == one.id.to_string();
    }
    bool wants(domain::Ledger const& one) const { return ledger.empty() || ledger == one.name; }
};

namespace walk {

inline constexpr std::size_t page_size = 200;

template <class Visit>
asio::awaitable<void> ledgers_of(db::Store& store, domain::Organization organization,
                                 LedgerFilter filter, Visit& visit) {
    std::optional<std::string> after;
    for (;;) {
        auto page =
            co_await store.list_ledgers(organization.id, after, page_size, steady_now() + scan_max);
        auto const ledgers = must(std::move(page), "ledgers of " + organization.name);
        for (auto const& ledger : ledgers)
            if (filter.wants(ledger)) co_await visit(organization, ledger);
        if (ledgers.size() < page_size) co_return;
        after = ledgers.back().name;
    }
}

}  // namespace walk

/// co_await visit(organization, ledger) for every ledger that the filter wants, in a fixed order.
template <class Visit>
asio::awaitable<void> for_each_ledger(db::Store& store, LedgerFilter filter, Visit& visit) {
    std::optional<domain::OrganizationId> after;
    for (;;) {
        auto page =
            co_await store.list_organizations(after, walk::page_size, steady_now() + scan_max);
        auto const organizations = must(std::move(page), "organizations");
        for (auto const& organization : organizations)
            if (filter.wants(organization))
                co_await walk::ledgers_of(store, organization, filter, visit);
        if (organizations.size() < walk::page_size) co_return;
        after = organizations.back().id;
    }
}

}  // namespace penstock::server
