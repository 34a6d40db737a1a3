// Does every ledger, and every sale, keep its promises? Every invariant, by full scan.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "cache/redis_client.hpp"
#include "server/commands.hpp"
#include "server/database_digest.hpp"
#include "server/hot/inspector.hpp"
#include "server/id_source.hpp"
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

/// The other side of hot ledgers; without --redis-url there is none.
struct HotSide {
    HotSide(asio::any_io_executor executor, Options const& options, db::Store& store,
            domain::Uuid database)
        : redis(executor, client_options(options), [this] { return random(); }),
          inspector(store, redis, database),
          life(executor) {
        life.spawn(redis.run());
    }

    static cache::RedisClientOptions client_options(Options const& options) {
        auto const address = cache::parse_redis_url(options.redis_url);
        if (!address)
            throw UnusableOptions("--redis-url must be redis://host:port/database or unix:///path");
        cache::RedisClientOptions client;
        client.address = *address;
        client.patience = redis_max;
        client.connection.response_max = std::max(client.connection.response_max, 2 * redis_max);
        return client;
    }
    std::uint32_t random() { return static_cast<std::uint32_t>(ids.nonce()); }

    static constexpr milliseconds redis_max{5'000};

    SystemIdSource ids;
    cache::RedisClient redis;
    HotInspector inspector;
    reactor::TaskGroup life;
};

/// Of a hot ledger also against Redis, where that is given.
asio::awaitable<void> check(db::Store& store, HotSide* hot, domain::Organization organization,
                            domain::Ledger ledger, Tally& tally) {
    bool const is_hot = ledger.posting == domain::Posting::hot;
    auto const deadline = steady_now() + scan_max;
    auto checking = is_hot && hot != nullptr ? hot->inspector.verify(ledger.id, deadline)
                                             : store.verify(ledger.id, deadline);
    auto checks = co_await std::move(checking);
    ++tally.ledgers;
    std::printf("%s/%s\n", organization.name.c_str(), ledger.name.c_str());
    print(must(std::move(checks), "verify " + ledger.name), tally);
    if (is_hot && hot == nullptr) std::puts("  not compared with Redis: no --redis-url is given");
}

asio::awaitable<void> check_sales(db::Store& store, Tally& tally) {
    auto checks = co_await store.verify_sales(steady_now() + scan_max);
    std::puts("sales of every organization");
    print(must(std::move(checks), "verify sales"), tally);
}

asio::awaitable<void> check_everything(db::Store& store, HotSide* hot, Options options,
                                       Tally& tally) {
    bool const is_all = options.ledger.empty() && options.organization.empty();
    if (is_all) co_await check_sales(store, tally);
    auto const visit = [&](domain::Organization const& organization, domain::Ledger const& ledger) {
        return check(store, hot, organization, ledger, tally);
    };
    LedgerFilter const filter(options);
    co_await for_each_ledger(store, filter, visit);
}

asio::awaitable<Tally> check_both_sides(db::Store& store, Options options, domain::Uuid database) {
    Tally tally;
    if (options.redis_url.empty()) {
        co_await check_everything(store, nullptr, options, tally);
        co_return tally;
    }
    auto const executor = co_await asio::this_coro::executor;
    HotSide hot(executor, options, store, database);
    std::exception_ptr failure;
    try {
        co_await hot.redis.up_before(steady_now() + HotSide::redis_max);
        co_await check_everything(store, &hot, options, tally);
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    hot.life.cancel();
    co_await hot.life.join();
    if (failure) std::rethrow_exception(failure);
    co_return tally;
}

}  // namespace

int verify(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("verify needs --database-url");
    auto const database = digest_of(check_database(options.database_url).identity);
    auto const work = [&](db::Store& store) { return check_both_sides(store, options, database); };
    auto const tally = run_to_end(on_database<Tally>(options, work));
    if (tally.ledgers == 0 && !options.ledger.empty())
        throw std::runtime_error("There is no ledger named " + options.ledger);
    std::printf("%zu ledgers, %zu checks failed\n", tally.ledgers, tally.failed);
    return tally.failed == 0 ? 0 : 1;
}

}  // namespace penstock::server
