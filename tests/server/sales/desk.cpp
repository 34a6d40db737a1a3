// Who goes on to the lane, and what the gate makes of what came of it: with a real Redis.
#include "server/sales/desk.hpp"

#include <boost/test/unit_test.hpp>

#include "db/pg/error.hpp"
#include "tests/server/sales/market.hpp"

namespace penstock::tests {
namespace {

using Outcome = Result<domain::Outcome>;

using Shops = std::vector<Shop*>;

/// What a crowd came to.
struct Crowd {
    int accepted = 0;
    int replayed = 0;
    std::map<Rejection, int> refused;
    int failed = 0;
    std::set<domain::OrderId> orders;

    void count(Outcome const& outcome) {
        if (!outcome) {
            ++failed;
            return;
        }
        if (auto const* refusal = std::get_if<Refusal>(&*outcome)) {
            ++refused[refusal->code];
            return;
        }
        ++(is_replayed(outcome) ? replayed : accepted);
        orders.insert(order_of(outcome).id);
    }
};

Nothing buy_and_count(Shop& shop, domain::Product product, Buy buy, Crowd& crowd) {
    auto const outcome = co_await shop.buy(std::move(product), std::move(buy));
    crowd.count(outcome);
}

/// All at once, in turn at each of the shops.
Nothing rush(Market& market, Shops shops, domain::Product product, std::vector<Buy> buys,
             Crowd& crowd) {
    reactor::TaskGroup group(market.executor);
    for (std::size_t i = 0; i < buys.size(); ++i)
        group.spawn(buy_and_count(*shops[i % shops.size()], product, buys[i], crowd));
    bool const done = co_await group.join(patient());
    BOOST_REQUIRE(done);
}

std::vector<Buy> part(std::vector<Buy> const& buys, std::size_t from, std::size_t to) {
    return {buys.begin() + static_cast<std::ptrdiff_t>(from),
            buys.begin() + static_cast<std::ptrdiff_t>(to)};
}

std::vector<Buy> distinct_users(int count) {
    std::vector<Buy> buys;
    for (int i = 0; i < count; ++i) buys.push_back({"user " + std::to_string(i), i});
    return buys;
}

Nothing crowd_buys_the_stock_and_no_more(Market& market) {
    auto& here = *co_await market.open_connected();
    auto& there = *co_await market.open_connected();
    Shops const both{&here, &there};
    auto const product = co_await market.offer(here, 20);
    Crowd crowd;
    co_await rush(market, both, product, distinct_users(200), crowd);
    BOOST_TEST(crowd.accepted == 20);
    BOOST_TEST(crowd.refused[Rejection::sold_out] == 180);
    auto const truth = co_await market.now(product);
    BOOST_TEST(truth.sold == 20);
    co_await market.check_agreement(product, here);
    // One of the two built it, and the other waited.
    BOOST_TEST(here.desk.builder_metrics()->failures.get() == 0U);
    BOOST_TEST(there.desk.metrics().alone_building.get() == 0U);
    BOOST_TEST(here.desk.metrics().admitted.get() + there.desk.metrics().admitted.get() == 20U);
}

Nothing one_user_gets_one(Market& market) {
    auto& here = *co_await market.open_connected();
    auto& there = *co_await market.open_connected();
    Shops const both{&here, &there};
    auto const product = co_await market.offer(here, 20);
    std::vector<Buy> buys;
    for (int key = 0; key < 50; ++key) buys.emplace_back("greedy", key);
    Crowd crowd;
    co_await rush(market, both, product, buys, crowd);
    BOOST_TEST(crowd.accepted == 1);
    BOOST_TEST(crowd.refused[Rejection::purchase_limit_reached] == 49);
    co_await market.check_agreement(product, there);
}

/// Redis loses everything in the middle of a crowd.
Nothing flush_in_the_middle(Market& market) {
    auto& here = *co_await market.open_connected();
    auto& there = *co_await market.open_connected();
    Shops const both{&here, &there};
    Shops const crossed{&there, &here};
    auto const product = co_await market.offer(here, 30, 2);
    RedisTalk talk(market.redis.socket_path());
    Crowd crowd;
    reactor::TaskGroup group(market.executor);
    auto const buys = distinct_users(300);
    for (std::size_t i = 0; i < buys.size(); ++i) {
        group.spawn(buy_and_count(i % 2 == 0 ? here : there, product, buys[i], crowd));
        if (i % 60 != 59) continue;
        co_await reactor::sleep_until(steady_now() + milliseconds{3});
        talk("FLUSHALL");
    }
    bool const done = co_await group.join(patient());
    BOOST_REQUIRE(done);
    BOOST_TEST(crowd.accepted == 30);
    BOOST_TEST(crowd.refused[Rejection::sold_out] == 270);
    // Who repeats what was accepted is told so, whatever Redis has forgotten.
    Crowd again;
    co_await rush(market, crossed, product, buys, again);
    BOOST_TEST(again.failed == 0);
    BOOST_TEST(again.refused[Rejection::sold_out] == 270);
    BOOST_TEST(again.replayed == 30);
    BOOST_TEST(again.accepted == 0);
    BOOST_TEST((again.orders == crowd.orders));
    co_await market.check_agreement(product, here);
}

/// Redis is killed while a crowd buys, and comes back empty.
Nothing redis_dies_and_comes_back(Market& market) {
    auto& here = *co_await market.open_connected();
    auto& there = *co_await market.open_connected();
    Shops const both{&here, &there};
    Shops const crossed{&there, &here};
    auto const product = co_await market.offer(here, 20, 1);
    auto const buys = distinct_users(60);
    Crowd crowd;
    co_await rush(market, both, product, part(buys, 0, 10), crowd);
    market.redis.kill();
    co_await rush(market, both, product, part(buys, 10, 15), crowd);
    BOOST_TEST(crowd.accepted == 15);
    BOOST_TEST(here.desk.metrics().alone_down.get() + here.desk.metrics().alone_late.get() > 0U);
    market.redis.start();
    for (auto* shop : both) {
        bool const up = co_await shop->redis.up_before(patient());
        BOOST_REQUIRE(up);
    }
    co_await rush(market, both, product, part(buys, 15, buys.size()), crowd);
    BOOST_TEST(crowd.accepted == 20);
    Crowd again;
    co_await rush(market, crossed, product, buys, again);
    BOOST_TEST(again.replayed == 20);
    BOOST_TEST(again.accepted == 0);
    co_await market.check_agreement(product, there);
}

/// A market whose second shop reaches Redis through a proxy.
struct Divided {
    explicit Divided(Market& market)
        : socket(market.redis.socket_path() + ".proxy"),
          proxy(FaultProxy::Place::unix_socket(socket),
                FaultProxy::Place::unix_socket(market.redis.socket_path())) {}

    /// Cuts the shop off, and returns when it knows.
    Nothing cut(Shop& shop) {
        proxy.refuse();
        proxy.cut_all();
        co_await eventually([&] { return !shop.redis.up(); });
    }
    Nothing heal(Shop& shop) {
        proxy.heal();
        bool const up = co_await shop.redis.up_before(patient());
        BOOST_REQUIRE(up);
    }

    std::string socket;
    FaultProxy proxy;
};

asio::awaitable<Shop*> open_behind(Market& market, Divided& divided,
                                   server::SaleDeskOptions options = unhurried()) {
    auto& shop = market.open(std::move(options), divided.socket);
    bool const up = co_await shop.redis.up_before(patient());
    BOOST_REQUIRE(up);
    co_return &shop;
}

/// The last units are sold by a server that Redis does not hear.
Nothing the_gate_hears_later_what_the_lane_decided_alone(Market& market) {
    Divided divided(market);
    auto& here = *co_await market.open_connected();
    auto& far = *co_await open_behind(market, divided);
    auto const product = co_await market.offer(here, 4, 1);
    auto const first = co_await here.buy(product, Buy("a", 1));
    BOOST_TEST(is_accepted(first));
    co_await here.told();
    co_await divided.cut(far);
    for (int key : {2, 3}) {
        auto const alone = co_await far.buy(product, Buy("user " + std::to_string(key), key));
        BOOST_TEST(is_accepted(alone));
    }
    auto const last = co_await here.buy(product, Buy("d", 4));
    BOOST_TEST(is_accepted(last));
    // The gate has some left; the lane has not, and gives back what was reserved for nothing.
    auto const late = co_await here.buy(product, Buy("e", 5));
    BOOST_TEST(is_refused(late, Rejection::sold_out));
    co_await divided.heal(far);
    co_await far.told();
    Shops const each{&far, &here};
    for (auto* shop : each) {
        for (int key : {2, 3}) {
            auto const again = co_await shop->buy(product, Buy("user " + std::to_string(key), key));
            BOOST_TEST(is_replayed(again));
        }
        auto const other = co_await shop->buy(product, Buy("f", 6));
        BOOST_TEST(is_refused(other, Rejection::sold_out));
    }
    co_await market.check_agreement(product, here);
    BOOST_TEST(far.desk.builder_metrics()->builds.get() == 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sale_desk)

BOOST_AUTO_TEST_CASE(a_crowd_at_two_servers_buys_the_stock_and_no_more) {
    with_market(crowd_buys_the_stock_and_no_more);
    with_postgres_market(crowd_buys_the_stock_and_no_more);
}

BOOST_AUTO_TEST_CASE(a_user_who_tries_fifty_times_at_once_gets_one) {
    with_market(one_user_gets_one);
    with_postgres_market(one_user_gets_one);
}

BOOST_AUTO_TEST_CASE(a_redis_that_forgets_everything_again_and_again_sells_nothing_twice) {
    with_market(flush_in_the_middle);
    with_postgres_market(flush_in_the_middle);
}

BOOST_AUTO_TEST_CASE(without_redis_the_lane_decides_alone_and_afterwards_the_gate_knows) {
    with_market(redis_dies_and_comes_back);
    with_postgres_market(redis_dies_and_comes_back);
}

BOOST_AUTO_TEST_CASE(a_gate_hears_later_what_the_lane_decided_without_it) {
    with_market(the_gate_hears_later_what_the_lane_decided_alone);
    with_postgres_market(the_gate_hears_later_what_the_lane_decided_alone);
}

BOOST_AUTO_TEST_CASE(until_the_gate_has_heard_it_its_refusals_are_not_believed_here) {
    with_market([](Market& market) -> Nothing {
        Divided divided(market);
        auto& far = *co_await open_behind(market, divided);
        auto const product = co_await market.offer(far, 1, 1);
        auto const first = co_await far.buy(product, Buy("a", 1));
        auto const order = order_of(first);
        co_await far.told();
        co_await divided.cut(far);
        co_await far.cancel(product, order, 2);
        auto const second = co_await far.buy(product, Buy("b", 3));
        BOOST_TEST(is_accepted(second));
        // Back, but the gate still thinks that the first one has it: whoever is quicker than the
        // notes must not be refused for that.
        divided.proxy.heal();
        auto const again = co_await far.buy(product, Buy("b", 3));
        BOOST_TEST(is_replayed(again));
        co_await eventually([&] { return far.redis.up(); });
        co_await market.check_agreement(product, far);
    });
}

BOOST_AUTO_TEST_CASE(too_much_to_be_told_later_means_a_new_gate) {
    with_market([](Market& market) -> Nothing {
        Divided divided(market);
        auto options = unhurried();
        options.notes.unsent_max = 3;
        auto& here = *co_await market.open_connected();
        auto& far = *co_await open_behind(market, divided, options);
        auto const product = co_await market.offer(here, 20, 1);
        auto const first = co_await here.buy(product, Buy("first", 100));
        BOOST_TEST(is_accepted(first));
        co_await here.told();
        co_await divided.cut(far);
        for (auto const& buy : distinct_users(10)) {
            auto const alone = co_await far.buy(product, buy);
            BOOST_TEST(is_accepted(alone));
        }
        co_await divided.heal(far);
        co_await far.told();
        BOOST_TEST(far.desk.notes_metrics()->dropped.get() == 1U);
        BOOST_TEST(far.desk.builder_metrics()->builds.get() == 1U);
        co_await market.check_agreement(product, here);
    });
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_costs_a_few_orders_the_wait_and_what_it_missed_is_told) {
    with_market([](Market& market) -> Nothing {
        auto options = unhurried();
        options.gate.command_max = milliseconds{20};
        auto& shop = *co_await market.open_connected(options);
        auto const product = co_await market.offer(shop, 100, 1);
        auto const first = co_await shop.buy(product, Buy("first", 1'000));
        BOOST_TEST(is_accepted(first));
        co_await shop.told();
        auto const& metrics = shop.desk.metrics();
        auto const late_before = metrics.alone_late.get();
        auto const before = late_before + metrics.alone_down.get();
        market.redis.freeze();
        auto const began = steady_now();
        for (auto const& buy : distinct_users(30)) {
            auto const alone = co_await shop.buy(product, buy);
            BOOST_TEST(is_accepted(alone));
        }
        // Those who found it out, and a probe after each pause.
        auto const pauses = (steady_now() - began) / options.gate.breaker.cool_down_first;
        auto const late = metrics.alone_late.get() - late_before;
        BOOST_TEST(late >= 3U);
        BOOST_TEST(late <= static_cast<std::uint64_t>(3 + pauses));
        BOOST_TEST(metrics.alone_late.get() + metrics.alone_down.get() - before == 30U);
        market.redis.thaw();
        co_await eventually([&] { return shop.redis.up(); });
        co_await market.check_agreement(product, shop);
        auto const truth = co_await market.now(product);
        BOOST_TEST(truth.sold == 31);
    });
}

BOOST_AUTO_TEST_CASE(what_the_lane_refuses_comes_back_at_once) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 1, 1);
        for (int key = 1; key < 4; ++key) {
            auto verdict = co_await shop.admit(product, Buy("poor", key));
            BOOST_REQUIRE(std::holds_alternative<SaleDesk::Ticket>(verdict));
            auto const meanwhile = co_await shop.admit(product, Buy("other", 100));
            BOOST_TEST(is_refused(meanwhile, Rejection::sold_out));
            Outcome const refused = domain::Outcome(Refusal{Rejection::insufficient_funds});
            std::get<SaleDesk::Ticket>(verdict).settle(refused);
            co_await shop.told();
        }
        // Nothing was applied: the same.
        auto verdict = co_await shop.admit(product, Buy("unlucky", 4));
        std::get<SaleDesk::Ticket>(verdict).settle(
            Outcome(make_error_code(reactor::Errc::overloaded)));
        co_await shop.told();
        auto const last = co_await shop.buy(product, Buy("rich", 5));
        BOOST_TEST(is_accepted(last));
        co_await market.check_agreement(product, shop);
    });
}

BOOST_AUTO_TEST_CASE(what_may_have_been_committed_is_kept_until_the_store_says) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        error_code const codes[] = {make_error_code(db::Errc::commit_unknown),
                                    make_error_code(reactor::Errc::deadline_exceeded),
                                    make_error_code(cache::Errc::key_in_flight)};
        for (int key = 0; key < 3; ++key) {
            auto verdict = co_await shop.admit(product, Buy("user " + std::to_string(key), key));
            std::get<SaleDesk::Ticket>(verdict).settle(Outcome(codes[key]));
        }
        co_await shop.told();
        auto const none = co_await shop.buy(product, Buy("late", 500));
        BOOST_TEST(is_refused(none, Rejection::sold_out));
        BOOST_TEST(shop.desk.metrics().sold_out_by_memory.get() == 0U);
        market.clock.pass(milliseconds{10'000});
        auto const row = co_await market.reconcile(shop);
        BOOST_TEST(row.gate_remaining.value_or(-1) == 3);
    });
}

BOOST_AUTO_TEST_CASE(an_attempt_that_was_not_answered_is_repeated_with_the_units_it_has) {
    with_market([](Market& market) -> Nothing {
        auto& here = *co_await market.open_connected();
        auto& there = *co_await market.open_connected();
        auto const product = co_await market.offer(here, 1, 1);
        // It was committed, and the server died before it said so.
        auto const lost = co_await here.buy_and_die(product, Buy("a", 1));
        auto const again = co_await there.buy(product, Buy("a", 1));
        BOOST_TEST(is_replayed(again));
        BOOST_TEST((order_of(again).id == order_of(Outcome(lost)).id));
        BOOST_TEST(there.desk.metrics().again.get() == 1U);
        co_await market.check_agreement(product, there);
        BOOST_TEST(here.desk.reconciler().metrics().settled_confirmed.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_key_that_belongs_to_another_order_takes_nothing_from_it) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 5, 5);
        co_await shop.buy_and_die(product, Buy("a", 1, 2));
        // The same key for somebody else, while nobody knows what became of the first: the lane
        // refuses it for the fingerprint.
        auto verdict = co_await shop.admit(product, Buy("b", 1, 1));
        Outcome const reused = domain::Outcome(Refusal{Rejection::idempotency_key_reused});
        std::get<SaleDesk::Ticket>(verdict).settle(reused);
        co_await shop.told();
        auto const three = co_await shop.buy(product, Buy("c", 2, 3));
        BOOST_TEST(is_accepted(three));
        auto const none = co_await shop.buy(product, Buy("d", 3, 1));
        BOOST_TEST(is_refused(none, Rejection::sold_out));
    });
}

BOOST_AUTO_TEST_CASE(sold_out_is_answered_from_memory_but_not_to_those_who_have_bought) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        for (int key = 0; key < 3; ++key)
            co_await shop.buy(product, Buy("user " + std::to_string(key), key));
        co_await shop.told();
        auto const& metrics = shop.desk.metrics();
        for (int key = 100; metrics.sold_out_by_memory.get() < 10 && key < 10'000; ++key) {
            auto const refused = co_await shop.buy(product, Buy("late", key));
            BOOST_REQUIRE(is_refused(refused, Rejection::sold_out));
            co_await reactor::sleep_until(steady_now() + milliseconds{1});
        }
        BOOST_TEST(metrics.sold_out_by_memory.get() == 10U);
        for (int key = 0; key < 3; ++key) {
            auto const again = co_await shop.buy(product, Buy("user " + std::to_string(key), key));
            BOOST_TEST(is_replayed(again));
        }
    });
}

/// One order, and then refusals of three kinds.
Nothing refusals_cost_one_command_each(Market& market) {
    auto options = unhurried();
    options.memory.believed = milliseconds{0};
    auto& shop = *co_await market.open_connected(options);
    auto const product = co_await market.offer(shop, 2, 1, milliseconds{60'000});
    for (int key : {1, 2}) co_await shop.buy(product, Buy("user " + std::to_string(key), key));
    auto const limited = co_await market.offer(shop, 5, 1);
    co_await shop.buy(limited, Buy("a", 3));
    co_await shop.told();
    auto const* const postgres = dynamic_cast<db::PostgresStore const*>(&market.store);
    auto const statements = [&] {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; postgres != nullptr && i < postgres->readers().size(); ++i)
            sum += postgres->readers().session(i).metrics().statements.get();
        return sum;
    };
    auto const asked = shop.redis.metrics().commands.get();
    auto const read = statements();
    for (int key = 100; key < 120; ++key) {
        auto const late = co_await shop.admit(product, Buy("late", key));
        BOOST_TEST(is_refused(late, Rejection::sold_out));
        auto const greedy = co_await shop.admit(limited, Buy("a", key));
        BOOST_TEST(is_refused(greedy, Rejection::purchase_limit_reached));
    }
    market.clock.pass(milliseconds{60'000});
    for (int key = 100; key < 120; ++key) {
        auto const late = co_await shop.admit(product, Buy("late", key));
        BOOST_TEST(is_refused(late, Rejection::sale_ended));
    }
    BOOST_TEST(shop.redis.metrics().commands.get() - asked == 60U);
    BOOST_TEST(statements() == read);
}

BOOST_AUTO_TEST_CASE(a_refusal_costs_one_command_and_no_statement) {
    with_market(refusals_cost_one_command_each);
    with_postgres_market(refusals_cost_one_command_each);
}

/// Sold out, and known so from memory; the order that was sold last.
asio::awaitable<domain::Order> sell_out(Shop& shop, domain::Product product) {
    auto const sold = co_await shop.buy(product, Buy("first", 1));
    co_await shop.told();
    auto const& metrics = shop.desk.metrics();
    auto const before = metrics.sold_out_by_memory.get();
    for (int key = 100; metrics.sold_out_by_memory.get() == before && key < 10'000; ++key) {
        co_await shop.buy(product, Buy("late", key));
        co_await reactor::sleep_until(steady_now() + milliseconds{1});
    }
    BOOST_REQUIRE(metrics.sold_out_by_memory.get() > before);
    co_return order_of(sold);
}

BOOST_AUTO_TEST_CASE(a_refusal_from_memory_costs_no_command) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 1, 1);
        co_await sell_out(shop, product);
        auto const asked = shop.redis.metrics().commands.get();
        for (int key = 1'000; key < 1'050; ++key) {
            auto const refused = co_await shop.admit(product, Buy("late", key));
            BOOST_TEST(is_refused(refused, Rejection::sold_out));
        }
        BOOST_TEST(shop.redis.metrics().commands.get() == asked);
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_order_is_for_sale_again_at_once_here) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 1, 1);
        auto const order = co_await sell_out(shop, product);
        co_await shop.cancel(product, order, 2);
        auto const next = co_await shop.buy(product, Buy("next", 3));
        BOOST_TEST(is_accepted(next));
        // And the user who cancelled may try again, with another key.
        auto const again = co_await shop.buy(product, Buy("first", 4));
        BOOST_TEST(is_refused(again, Rejection::sold_out));
        co_await market.check_agreement(product, shop);
    });
}

BOOST_AUTO_TEST_CASE(what_was_restocked_is_for_sale_at_once_here) {
    with_market([](Market& market) -> Nothing {
        auto& here = *co_await market.open_connected();
        auto& there = *co_await market.open_connected();
        auto const product = co_await market.offer(here, 1, 1);
        co_await sell_out(here, product);
        co_await here.restock(product, 2, 2);
        auto const next = co_await here.buy(product, Buy("next", 3));
        BOOST_TEST(is_accepted(next));
        co_await here.told();
        auto const other = co_await there.buy(product, Buy("other", 4));
        BOOST_TEST(is_accepted(other));
        co_await market.check_agreement(product, here);
    });
}

BOOST_AUTO_TEST_CASE(before_the_start_and_long_after_the_end_redis_is_not_asked) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        domain::CreateProduct command;
        command.draft.stock = 1;
        command.draft.starts_at = domain::Instant{market.clock.now().ms + 60'000};
        command.draft.ends_at = domain::Instant{market.clock.now().ms + 120'000};
        auto const product = co_await market.offer(shop, command);
        auto const early = co_await shop.admit(product, Buy("a", 1));
        BOOST_TEST(is_refused(early, Rejection::sale_not_started));
        BOOST_TEST((std::get<Refusal>(early).starts_at == product.starts_at));
        BOOST_TEST(shop.redis.metrics().commands.get() == 0U);
        // In the last second the gate is asked, for another server's clock may be ahead.
        market.clock.pass(milliseconds{59'500});
        auto const soon = co_await shop.admit(product, Buy("a", 1));
        BOOST_TEST(is_refused(soon, Rejection::sale_not_started));
        BOOST_TEST((std::get<Refusal>(soon).starts_at == product.starts_at));
        BOOST_TEST(shop.redis.metrics().commands.get() > 0U);
        market.clock.pass(milliseconds{500});
        auto const bought = co_await shop.buy(product, Buy("a", 1));
        BOOST_TEST(is_accepted(bought));
        market.clock.pass(milliseconds{60'000});
        auto const after = co_await shop.buy(product, Buy("b", 2));
        BOOST_TEST(is_refused(after, Rejection::sale_ended));
        auto const again = co_await shop.buy(product, Buy("a", 1));
        BOOST_TEST(is_replayed(again));
        market.clock.pass(std::chrono::hours{26});
        auto const asked = shop.redis.metrics().commands.get();
        auto const long_ago = co_await shop.admit(product, Buy("a", 1));
        BOOST_TEST(is_refused(long_ago, Rejection::sale_ended));
        BOOST_TEST(shop.redis.metrics().commands.get() == asked);
    });
}

BOOST_AUTO_TEST_CASE(without_any_redis_every_attempt_goes_to_the_lane) {
    asio::io_context context{1};
    db::MemoryStore store;
    HeldClock clock;
    run(context, [&]() -> Nothing {
        SaleDesk desk(context.get_executor(), nullptr, store, clock, unhurried());
        domain::Product product;
        product.stock = 0;
        auto const shared = std::make_shared<domain::Product const>(product);
        auto verdict = co_await desk.admit(shared, order_key(1), "a", 1, patient());
        BOOST_REQUIRE(std::holds_alternative<SaleDesk::Ticket>(verdict));
        BOOST_TEST(!std::get<SaleDesk::Ticket>(verdict).at());
        desk.cancelled(product, domain::Order());
        desk.restocked(product);
        co_await desk.flush(patient());
    });
}

BOOST_AUTO_TEST_CASE(a_gate_of_which_a_part_was_lost_is_built_again_before_it_admits) {
    with_market([](Market& market) -> Nothing {
        auto& shop = *co_await market.open_connected();
        auto const product = co_await market.offer(shop, 3, 1);
        co_await shop.buy(product, Buy("a", 1));
        co_await shop.told();
        RedisTalk talk(market.redis.socket_path());
        for (auto const* part : {"gate", "orders", "users", "leases"}) {
            auto const name =
                "ps:{" + domain::Uuid().to_string() + ":" + product.id.to_string() + "}:" + part;
            talk("DEL", name);
            talk("SET", name, "garbage");
            auto const again = co_await shop.buy(product, Buy("a", 1));
            BOOST_TEST(is_replayed(again));
            auto const more = co_await shop.buy(product, Buy("a", 2));
            BOOST_TEST(is_refused(more, Rejection::purchase_limit_reached));
        }
        BOOST_TEST(shop.desk.builder_metrics()->builds.get() == 5U);
        co_await market.check_agreement(product, shop);
    });
}

BOOST_AUTO_TEST_CASE(a_gate_is_built_from_any_number_of_orders) {
    with_market([](Market& market) -> Nothing {
        auto options = unhurried();
        options.builder.orders_at_once = 7;
        auto& shop = *co_await market.open_connected(options);
        auto const product = co_await market.offer(shop, 40, 1);
        Shops const one{&shop};
        Crowd crowd;
        co_await rush(market, one, product, distinct_users(21), crowd);
        auto const order = co_await shop.buy(product, Buy("back", 50));
        co_await shop.cancel(product, order_of(order), 51);
        co_await shop.told();
        RedisTalk talk(market.redis.socket_path());
        talk("FLUSHALL");
        auto const next = co_await shop.buy(product, Buy("back", 52));
        BOOST_TEST(is_accepted(next));
        auto const cancelled = co_await shop.buy(product, Buy("back", 50));
        BOOST_TEST(is_replayed(cancelled));
        co_await market.check_agreement(product, shop);
        auto const truth = co_await market.now(product);
        BOOST_TEST(truth.sold == 22);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
