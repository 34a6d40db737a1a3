#include "server/product_reads.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "reactor/pulse.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using domain::Instant;
using domain::Product;
using domain::ProductId;
using server::look_again_in;

constexpr domain::OrganizationId ours{{{1}}};
constexpr domain::OrganizationId theirs{{{2}}};

class StillClock final : public server::Clock {
public:
    Instant now() noexcept override { return {1'000}; }
};

ProductId id_of(std::uint8_t number) {
    ProductId id;
    id.value.bytes[15] = number;
    return id;
}

/// Holds products, counts how often it is asked, and answers when the test lets it.
class CountingStore final : public db::MemoryStore {
public:
    explicit CountingStore(asio::any_io_executor executor) : gate(std::move(executor)) {
        for (std::uint8_t number = 1; number <= 3; ++number) {
            Product product;
            product.id = id_of(number);
            product.organization = number == 3 ? theirs : ours;
            product.stock = 10;
            products.push_back(product);
        }
    }
    db::Store::Listed<Product> find_products(std::vector<ProductId> wanted, SteadyTime) override {
        ++statements;
        asked += wanted.size();
        // What the answer shows is what stands when the statement begins.
        std::vector<Product> found;
        for (auto const& product : products)
            if (std::find(wanted.begin(), wanted.end(), product.id) != wanted.end())
                found.push_back(product);
        if (waits) co_await gate.wait(steady_now() + 10s);
        if (fails) co_return error_code(asio::error::broken_pipe);
        co_return found;
    }
    db::Store::Listed<Product> list_products(domain::OrganizationId organization,
                                             std::optional<ProductId>, std::size_t limit,
                                             SteadyTime) override {
        ++statements;
        std::vector<Product> found;
        for (auto place = products.rbegin(); place != products.rend(); ++place)
            if (place->organization == organization && found.size() < limit)
                found.push_back(*place);
        co_return found;
    }

    std::vector<Product> products;
    reactor::Pulse gate;
    int statements = 0;
    std::size_t asked = 0;
    bool waits = false;
    bool fails = false;
};

struct Reading {
    Reading()
        : store(context.get_executor()),
          reads(context.get_executor(), store, clock, server::FeedLimits()),
          background(context.get_executor()),
          readers(context.get_executor()) {}

    template <class Body>
    void go(Body body) {
        auto const whole = [this, &body]() -> asio::awaitable<void> {
            reads.spawn(background);
            co_await body();
            co_await readers.join();
            background.cancel();
            co_await background.join();
        };
        run(context, whole);
    }
    /// A request beside the others; what it saw is noted.
    void ask(std::uint8_t number) { readers.spawn(ask_alone(number)); }
    asio::awaitable<void> ask_alone(std::uint8_t number) {
        auto const found = co_await reads.find(ours, id_of(number), steady_now() + 10s);
        stocks.push_back(found && *found ? (*found)->stock : -1);
        failures += found.has_error();
    }

    asio::io_context context{1};
    CountingStore store;
    StillClock clock;
    server::ProductReads reads;
    reactor::TaskGroup background;
    reactor::TaskGroup readers;
    std::vector<std::int64_t> stocks;
    int failures = 0;
};

BOOST_AUTO_TEST_SUITE(product_reads)

BOOST_AUTO_TEST_CASE(a_crowd_that_asks_for_one_product_costs_one_statement) {
    Reading reading;
    reading.go([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 500; ++i) reading.ask(i % 2 == 0 ? 1 : 2);
        co_await reading.readers.join();
    });
    BOOST_TEST(reading.stocks.size() == 500U);
    BOOST_TEST(reading.store.statements == 1);
    BOOST_TEST(reading.store.asked == 2U);
}

BOOST_AUTO_TEST_CASE(nobody_is_shown_a_state_from_before_he_asked) {
    Reading reading;
    reading.store.waits = true;
    reading.go([&]() -> asio::awaitable<void> {
        reading.ask(1);
        while (reading.store.statements == 0)
            co_await asio::post(reading.context, reactor::as_result);
        // The first read is under way with the old state; who asks now must not join it.
        reading.store.products.front().stock = 11;
        reading.ask(1);
        reading.store.waits = false;
        reading.store.gate.notify();
        co_await reading.readers.join();
    });
    BOOST_TEST(reading.stocks == (std::vector<std::int64_t>{10, 11}),
               boost::test_tools::per_element());
    BOOST_TEST(reading.store.statements == 2);
}

BOOST_AUTO_TEST_CASE(what_never_changes_is_read_once) {
    Reading reading;
    reading.go([&]() -> asio::awaitable<void> {
        auto const deadline = steady_now() + 10s;
        for (int i = 0; i < 10; ++i) {
            auto const found = co_await reading.reads.find_fixed(ours, id_of(1), deadline);
            BOOST_TEST((found && *found && (*found)->id == id_of(1)));
            auto const foreign = co_await reading.reads.find_fixed(theirs, id_of(1), deadline);
            BOOST_TEST((foreign && !*foreign));
        }
        BOOST_TEST(reading.store.statements == 1);
        // What is not there may be made later: nothing is remembered of it.
        for (int i = 0; i < 2; ++i) {
            auto const none = co_await reading.reads.find_fixed(ours, id_of(9), deadline);
            BOOST_TEST((none && !*none));
        }
        BOOST_TEST(reading.store.statements == 3);
    });
}

BOOST_AUTO_TEST_CASE(another_organizations_product_is_not_found) {
    Reading reading;
    reading.go([&]() -> asio::awaitable<void> {
        reading.ask(3);
        reading.ask(9);
        co_return;
    });
    BOOST_TEST(reading.stocks == (std::vector<std::int64_t>{-1, -1}),
               boost::test_tools::per_element());
    BOOST_TEST(reading.failures == 0);
}

BOOST_AUTO_TEST_CASE(the_newest_product_is_one_statement_for_all_who_ask) {
    Reading reading;
    reading.go([&]() -> asio::awaitable<void> {
        auto const ask = [&]() -> asio::awaitable<void> {
            auto const newest = co_await reading.reads.find_newest(ours, steady_now() + 10s);
            BOOST_TEST((newest && *newest && (*newest)->id == id_of(2)));
        };
        for (int i = 0; i < 50; ++i) reading.readers.spawn(ask());
        co_await reading.readers.join();
    });
    BOOST_TEST(reading.store.statements == 1);
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_fails_for_all_who_asked) {
    Reading reading;
    reading.store.fails = true;
    reading.go([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 5; ++i) reading.ask(1);
        co_return;
    });
    BOOST_TEST(reading.failures == 5);
}

BOOST_AUTO_TEST_CASE(a_sale_is_looked_at_again_when_it_may_be_another) {
    Product product;
    product.stock = 1;
    product.starts_at = {10'000};
    product.ends_at = Instant{20'000};
    BOOST_TEST((look_again_in(product, {0}) == 500ms));
    // At the moment of its start and of its end.
    BOOST_TEST((look_again_in(product, {9'800}) == 200ms));
    BOOST_TEST((look_again_in(product, {9'999}) == 1ms));
    BOOST_TEST((look_again_in(product, {10'000}) == 100ms));
    BOOST_TEST((look_again_in(product, {19'950}) == 50ms));
    BOOST_TEST((look_again_in(product, {20'000}) == 500ms));
    product.sold = 1;
    BOOST_TEST((look_again_in(product, {10'000}) == 500ms));
    product.ends_at.reset();
    product.sold = 0;
    BOOST_TEST((look_again_in(product, {1'000'000}) == 100ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
