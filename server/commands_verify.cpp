// Does every ledger, and every sale, keep its promises? Every invariant, by full scan.
#include <cstdio>
#include <stdexcept>

#include "db/postgres_store.hpp"
#include "reactor/task_group.hpp"
#include "server/commands.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"
#include "server/store_options.hpp"

namespace penstock::server {
namespace {

constexpr std::chrono::hours scan_max{1};
constexpr std::size_t page_size = 200;

template <class T>
T must(Result<T> result, std::string const& what) {
    if (!result) throw std::runtime_error(what + ": " + result.error().message());
    return std::move(*result);
}

/// What was seen so far, over all ledgers.
struct Tally {
    std::size_t ledgers = 0;
    std::size_t failed = 0;
};

void print(std::vector<db::Check> const& checks, Tally& tally) {
    for (auto const& row : checks) {
        if (!row.ok) ++tally.failed;
        std::printf("  %-6s %s: %s\n", row.ok ? "ok" : "FAILED", row.name.c_str(),
                    row.detail.c_str());
    }
}

asio::awaitable<void> check(db::Store& store, domain::Organization organization,
                            domain::Ledger ledger, Tally& tally) {
    auto checks = co_await store.verify(ledger.id, steady_now() + scan_max);
    ++tally.ledgers;
    std::printf("%s/%s\n", organization.name.c_str(), ledger.name.c_str());
    print(must(std::move(checks), "verify " + ledger.name), tally);
}

asio::awaitable<void> check_sales(db::Store& store, Tally& tally) {
    auto checks = co_await store.verify_sales(steady_now() + scan_max);
    std::puts("sales of every organization");
    print(must(std::move(checks), "verify sales"), tally);
}

asio::awaitable<void> check_all_of(db::Store& store, domain::Organization organization,
                                   std::string only, Tally& tally) {
    std::optional<std::string> after;
    for (;;) {
        auto page =
            co_await store.list_ledgers(organization.id, after, page_size, steady_now() + scan_max);
        auto const ledgers = must(std::move(page), "ledgers of " + organization.name);
        for (auto const& ledger : ledgers)
            if (only.empty() || only == ledger.name)
                co_await check(store, organization, ledger, tally);
        if (ledgers.size() < page_size) co_return;
        after = ledgers.back().name;
    }
}

asio::awaitable<Tally> check_everything(db::Store& store, std::string only) {
    Tally tally;
    if (only.empty()) co_await check_sales(store, tally);
    std::optional<domain::OrganizationId> after;
    for (;;) {
        auto page = co_await store.list_organizations(after, page_size, steady_now() + scan_max);
        auto const organizations = must(std::move(page), "organizations");
        for (auto const& organization : organizations)
            co_await check_all_of(store, organization, only, tally);
        if (organizations.size() < page_size) co_return tally;
        after = organizations.back().id;
    }
}

asio::awaitable<Tally> verify_database(Options options) {
    auto const executor = co_await asio::this_coro::executor;
    auto settings = postgres_options(options);
    auto const store = std::make_unique<db::PostgresStore>(executor, settings);
    reactor::TaskGroup connections(executor);
    connections.spawn(store->run());
    std::exception_ptr failure;
    Tally tally;
    try {
        tally = co_await check_everything(*store, options.ledger);
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    connections.cancel();
    co_await connections.join();
    if (failure) std::rethrow_exception(failure);
    co_return tally;
}

}  // namespace

int verify(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("verify needs --database-url");
    check_database(options.database_url);
    auto const tally = run_to_end(verify_database(options));
    if (tally.ledgers == 0 && !options.ledger.empty())
        throw std::runtime_error("There is no ledger named " + options.ledger);
    std::printf("%zu ledgers, %zu checks failed\n", tally.ledgers, tally.failed);
    return tally.failed == 0 ? 0 : 1;
}

}  // namespace penstock::server
