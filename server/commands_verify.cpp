// Does every ledger, and every sale, keep its promises? Every invariant, by full scan.
#include <cstdio>
#include <stdexcept>

#include "server/commands.hpp"
#include "server/on_database.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"

namespace penstock::server {
namespace {

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

asio::awaitable<Tally> check_everything(db::Store& store, Options options) {
    Tally tally;
    bool const is_all = options.ledger.empty() && options.organization.empty();
    if (is_all) co_await check_sales(store, tally);
    auto const visit = [&](domain::Organization const& organization, domain::Ledger const& ledger) {
        return check(store, organization, ledger, tally);
    };
    LedgerFilter const filter(options);
    co_await for_each_ledger(store, filter, visit);
    co_return tally;
}

}  // namespace

int verify(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("verify needs --database-url");
    check_database(options.database_url);
    auto const work = [&](db::Store& store) { return check_everything(store, options); };
    auto const tally = run_to_end(on_database<Tally>(options, work));
    if (tally.ledgers == 0 && !options.ledger.empty())
        throw std::runtime_error("There is no ledger named " + options.ledger);
    std::printf("%zu ledgers, %zu checks failed\n", tally.ledgers, tally.failed);
    return tally.failed == 0 ? 0 : 1;
}

}  // namespace penstock::server
