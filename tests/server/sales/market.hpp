// A store, a Redis, and servers that sell one product: what the tests of sales stand on.
#pragma once

#include <boost/test/unit_test.hpp>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cache/redis_client.hpp"
#include "db/memory_store.hpp"
#include "db/postgres_store.hpp"
#include "domain/command.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/lane.hpp"
#include "server/sales/desk.hpp"
#include "tests/db/postgres_fixture.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {

using Nothing = asio::awaitable<void>;
using domain::Refusal;
using domain::Rejection;
using server::SaleDesk;

inline SteadyTime patient() { return steady_now() + std::chrono::seconds{20}; }

/// Stands still unless a test moves it, near the present: Redis has a clock of its own.
class HeldClock final : public server::Clock {
public:
    domain::Instant now() noexcept override { return now_; }
    void pass(milliseconds time) { now_.ms += time.count(); }

private:
    domain::Instant now_ = server::SystemClock().now();
};

inline domain::IdempotencyKey order_key(int number) {
    domain::IdempotencyKey key;
    key.value.bytes.fill(0x5a);
    key.value.bytes[0] = static_cast<std::uint8_t>(number >> 8);
    key.value.bytes[1] = static_cast<std::uint8_t>(number);
    return key;
}

/// Nobody is so slow that a test on a busy machine goes past the gate by accident.
inline server::SaleDeskOptions unhurried() {
    server::SaleDeskOptions options;
    options.gate.command_max = milliseconds{5'000};
    options.gate.lease = milliseconds{10'000};
    options.build_wait = milliseconds{5'000};
    options.memory.believed = milliseconds{60'000};
    options.reconciler.pause = milliseconds{20};
    return options;
}

struct Buy {
    Buy(std::string its_user, int its_key, std::int64_t its_quantity = 1)
        : user(std::move(its_user)), key(its_key), quantity(its_quantity) {}

    std::string user;
    int key = 0;
    std::int64_t quantity = 1;
};

/// One server, as far as sales go: its Redis client, its desk and a lane.
class Shop {
public:
    Shop(asio::any_io_executor executor, std::string redis_socket, db::Store& store,
         server::Clock& clock, server::SaleDeskOptions options)
        : clock_(clock),
          redis(executor, client_options(std::move(redis_socket)), [] { return 1U << 31U; }),
          desk(executor, &redis, store, clock, std::move(options)),
          lane_(executor, store, clock, server::LaneOptions()),
          tasks_(executor) {
        tasks_.spawn(redis.run());
        tasks_.spawn(desk.run());
        tasks_.spawn(lane_.run());
    }

    Nothing close() {
        tasks_.cancel();
        bool const ended = co_await tasks_.join(patient());
        BOOST_CHECK(ended);
    }

    asio::awaitable<Result<domain::Outcome>> submit(domain::Command command, int key) {
        domain::Envelope envelope;
        envelope.organization = domain::default_organization;
        domain::KeyUse use;
        use.key = order_key(key);
        envelope.key_use = use;
        envelope.request_id = "request";
        envelope.nonce = next_nonce();
        envelope.command = std::move(command);
        co_return co_await lane_.submit(std::move(envelope), patient());
    }

    asio::awaitable<SaleDesk::Verdict> admit(domain::Product product, Buy buy) {
        auto shared = std::make_shared<domain::Product const>(std::move(product));
        co_return co_await desk.admit(std::move(shared), order_key(buy.key), buy.user, buy.quantity,
                                      patient());
    }
    asio::awaitable<Result<domain::Outcome>> place(domain::Product product, Buy buy,
                                                   std::optional<domain::Instant> at) {
        domain::PlaceOrder order;
        order.product = product.id;
        order.user = buy.user;
        order.quantity = buy.quantity;
        order.admitted_at = at;
        co_return co_await submit(domain::Command(std::move(order)), buy.key);
    }

    /// What the route of an order does.
    asio::awaitable<Result<domain::Outcome>> buy(domain::Product product, Buy buy) {
        auto verdict = co_await admit(product, buy);
        if (auto* refusal = std::get_if<Refusal>(&verdict))
            co_return domain::Outcome(std::move(*refusal));
        auto& ticket = std::get<SaleDesk::Ticket>(verdict);
        auto outcome = co_await place(product, buy, ticket.at());
        ticket.settle(outcome);
        co_return outcome;
    }

    /// A server that dies after the commit: nobody says anything to the gate.
    asio::awaitable<domain::Outcome> buy_and_die(domain::Product product, Buy buy) {
        auto const verdict = co_await admit(product, buy);
        BOOST_REQUIRE(std::holds_alternative<SaleDesk::Ticket>(verdict));
        auto const outcome = co_await place(product, buy, std::get<SaleDesk::Ticket>(verdict).at());
        BOOST_REQUIRE(outcome.has_value());
        co_return *outcome;
    }

    asio::awaitable<domain::Order> cancel(domain::Product product, domain::Order order, int key) {
        domain::CancelOrder command;
        command.product = product.id;
        command.original = order;
        auto const outcome = co_await submit(domain::Command(std::move(command)), key);
        auto const& receipt = std::get<domain::Receipt>(*outcome);
        auto const cancelled = std::get<domain::Order>(receipt.what);
        desk.cancelled(product, cancelled);
        co_return cancelled;
    }

    asio::awaitable<domain::Product> restock(domain::Product product, std::int64_t quantity,
                                             int key) {
        domain::RestockProduct command;
        command.product = product.id;
        command.quantity = quantity;
        auto const outcome = co_await submit(domain::Command(std::move(command)), key);
        auto const& receipt = std::get<domain::Receipt>(*outcome);
        auto const stocked = std::get<domain::Offered>(receipt.what).product;
        desk.restocked(stocked);
        co_return stocked;
    }

    Nothing told() { co_await desk.flush(patient()); }

    static cache::RedisClientOptions client_options(std::string socket) {
        cache::RedisClientOptions options;
        options.address.socket_path = std::move(socket);
        options.patience = milliseconds{5'000};
        options.connection.backoff = {milliseconds{2}, milliseconds{10}, milliseconds{10}};
        return options;
    }

private:
    static std::uint64_t next_nonce() {
        static std::uint64_t nonce = 0;
        return ++nonce;
    }

    server::Clock& clock_;

public:
    cache::RedisClient redis;
    SaleDesk desk;

private:
    server::Lane lane_;
    reactor::TaskGroup tasks_;
};

inline bool is_accepted(Result<domain::Outcome> const& outcome) {
    return outcome && std::holds_alternative<domain::Receipt>(*outcome);
}
inline bool is_refused(Result<domain::Outcome> const& outcome, Rejection code) {
    if (!outcome) return false;
    auto const* refusal = std::get_if<Refusal>(&*outcome);
    return refusal != nullptr && refusal->code == code;
}
inline bool is_refused(SaleDesk::Verdict const& verdict, Rejection code) {
    auto const* refusal = std::get_if<Refusal>(&verdict);
    return refusal != nullptr && refusal->code == code;
}
inline bool is_replayed(Result<domain::Outcome> const& outcome) {
    return is_accepted(outcome) && std::get<domain::Receipt>(*outcome).replayed;
}
inline domain::Order order_of(Result<domain::Outcome> const& outcome) {
    BOOST_REQUIRE(is_accepted(outcome));
    return std::get<domain::Order>(std::get<domain::Receipt>(*outcome).what);
}

/// The servers, what they share, and what a test asks about it.
class Market {
public:
    Market(asio::any_io_executor its_executor, db::Store& its_store)
        : executor(its_executor), store(its_store) {}

    Shop& open(server::SaleDeskOptions options, std::string socket) {
        return *shops_.emplace_back(
            std::make_unique<Shop>(executor, std::move(socket), store, clock, std::move(options)));
    }
    Shop& open(server::SaleDeskOptions options = unhurried()) {
        return open(std::move(options), redis.socket_path());
    }
    asio::awaitable<Shop*> open_connected(server::SaleDeskOptions options = unhurried()) {
        auto& shop = open(std::move(options));
        bool const up = co_await shop.redis.up_before(patient());
        BOOST_REQUIRE(up);
        co_return &shop;
    }
    Nothing close() {
        for (auto& shop : shops_) co_await shop->close();
    }

    /// A product that is on sale from now on.
    asio::awaitable<domain::Product> offer(Shop& shop, std::int64_t stock, std::int64_t limit = 1,
                                           std::optional<milliseconds> lasts = std::nullopt) {
        domain::CreateProduct command;
        command.draft.name = "thing";
        command.draft.price = 100;
        command.draft.stock = stock;
        command.draft.per_user_limit = limit;
        command.draft.starts_at = clock.now();
        if (lasts) command.draft.ends_at = domain::Instant{clock.now().ms + lasts->count()};
        co_return co_await offer(shop, std::move(command));
    }
    asio::awaitable<domain::Product> offer(Shop& shop, domain::CreateProduct command) {
        auto const outcome = co_await shop.submit(domain::Command(std::move(command)), next_key--);
        BOOST_REQUIRE(is_accepted(outcome));
        auto const& receipt = std::get<domain::Receipt>(*outcome);
        co_return std::get<domain::Offered>(receipt.what).product;
    }

    asio::awaitable<domain::Product> now(domain::Product product) {
        std::vector<domain::ProductId> ids;
        ids.push_back(product.id);
        auto const found = co_await store.find_products(std::move(ids), patient());
        BOOST_REQUIRE((found && found->size() == 1));
        co_return found->front();
    }
    asio::awaitable<std::set<domain::OrderId>> orders(domain::Product product) {
        auto const sold = co_await store.list_sold(product.id, std::nullopt, 100'000, patient());
        BOOST_REQUIRE(sold.has_value());
        std::set<domain::OrderId> ids;
        for (auto const& order : *sold) ids.insert(order.id);
        co_return ids;
    }

    asio::awaitable<server::SaleReconciliation> reconcile(Shop& shop) {
        auto const report = co_await shop.desk.reconcile(domain::default_organization, patient());
        BOOST_REQUIRE(report.has_value());
        BOOST_REQUIRE(report->size() == 1U);
        co_return report->front();
    }

    /// All is told and settled: the gate has what the store has.
    Nothing check_agreement(domain::Product product, Shop& shop) {
        for (auto& each : shops_) co_await each->told();
        auto const row = co_await reconcile(shop);
        auto const truth = co_await now(product);
        BOOST_TEST(row.stock == truth.stock);
        BOOST_TEST(row.sold == truth.sold);
        BOOST_TEST(row.drift == 0);
        BOOST_TEST(row.reserved == 0);
        BOOST_TEST(!row.repaired);
        BOOST_TEST(row.gate_remaining.value_or(-1) == truth.stock - truth.sold);
    }

    asio::any_io_executor executor;
    RedisServer redis;
    db::Store& store;
    HeldClock clock;
    int next_key = 0xFFFF;

private:
    std::list<std::unique_ptr<Shop>> shops_;
};

/// `body(market)`, then every server closes, whatever happened.
inline Nothing with_market(asio::any_io_executor executor, db::Store& store,
                           std::function<Nothing(Market&)> body) {
    Market market(executor, store);
    std::exception_ptr failure;
    try {
        co_await body(market);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await market.close();
    if (failure) std::rethrow_exception(failure);
}

/// On the store in memory.
inline void with_market(std::function<Nothing(Market&)> body) {
    asio::io_context context{1};
    db::MemoryStore store;
    auto main = [&]() -> Nothing { co_await with_market(context.get_executor(), store, body); };
    run(context, main, std::chrono::seconds{60});
}

/// On a database of its own.
inline void with_postgres_market(std::function<Nothing(Market&)> body) {
    MigratedDatabase database;
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), database.store_options());
    auto main = [&]() -> Nothing { co_await with_market(context.get_executor(), store, body); };
    run_beside(context, store, main);
}

}  // namespace penstock::tests
