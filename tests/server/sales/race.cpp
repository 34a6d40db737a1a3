// Whatever happens to servers and to Redis, in whatever order: the stock is sold once, what was
// acknowledged stays, and in the end the gate has what the store has.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>

#include "tests/server/sales/market.hpp"

namespace penstock::tests {
namespace {

constexpr int shops_count = 3;
constexpr int users = 8;
constexpr int workers = 4;
constexpr int deeds = 40;

/// Whether Redis falls back into earlier states, as a replica does that takes over.
enum class Memory { keeps, falls_back };

/// One seed's sale: three servers, one of them behind a network that breaks.
class Race {
public:
    Race(Market& market, unsigned seed, Memory memory)
        : market_(market),
          random_(seed),
          memory_(memory),
          socket_(market.redis.socket_path() + ".proxy"),
          proxy_(FaultProxy::Place::unix_socket(socket_),
                 FaultProxy::Place::unix_socket(market.redis.socket_path())),
          talk_(market.redis.socket_path()) {}

    Nothing run() {
        auto options = unhurried();
        options.gate.command_max = milliseconds{50};
        options.notes.unsent_max = 8;
        options.builder.orders_at_once = 3;
        options.memory.believed = milliseconds{5};
        for (int i = 0; i < shops_count; ++i) {
            auto const& socket = i == 0 ? socket_ : market_.redis.socket_path();
            shops_.push_back(&market_.open(options, socket));
            bool const up = co_await shops_.back()->redis.up_before(patient());
            BOOST_REQUIRE(up);
        }
        limit_ = pick(1, 3);
        product_ = co_await market_.offer(*shops_[1], pick(3, 20), limit_);
        reactor::TaskGroup group(market_.executor);
        for (int i = 0; i < workers; ++i) group.spawn(work());
        bool const done = co_await group.join(steady_now() + std::chrono::seconds{50});
        BOOST_REQUIRE(done);
        co_await settle();
    }

private:
    int pick(int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(random_);
    }
    /// A key says who buys how much, and where: that is where it is repeated as well.
    static Buy buy_of(int key) {
        return Buy("user " + std::to_string(key % users), key, 1 + key / 7 % 2);
    }
    Shop& shop_of(int key) { return *shops_[static_cast<std::size_t>(key % shops_count)]; }

    Nothing work() {
        for (int i = 0; i < deeds; ++i) {
            int const what = pick(0, 99);
            if (what < 45) co_await buy(next_key_++);
            if (what >= 45 && what < 60) co_await buy(pick(0, next_key_));
            if (what >= 60 && what < 68) co_await die(next_key_++);
            if (what >= 68 && what < 74) co_await abandon(next_key_++);
            if (what >= 74 && what < 84) co_await cancel();
            if (what >= 84 && what < 88) co_await restock();
            if (what >= 88 && what < 91) forget();
            if (what >= 91 && what < 95) cut_or_heal();
            if (what >= 95) co_await reconcile();
            co_await reactor::sleep_until(steady_now() + milliseconds{pick(0, 2)});
        }
    }

    Nothing buy(int key) {
        bool const was_accepted = accepted_.contains(key);
        auto const outcome = co_await shop_of(key).buy(product_, buy_of(key));
        BOOST_REQUIRE(outcome.has_value());
        if (was_accepted) check_repetition(outcome, key);
        if (is_accepted(outcome)) accepted_.insert_or_assign(key, order_of(outcome));
    }

    /// The order is repeated. A gate that lost it may let it pass for one that has come too late.
    void check_repetition(Result<domain::Outcome> const& outcome, int key) {
        bool const late = memory_ == Memory::falls_back &&
                          (is_refused(outcome, Rejection::sold_out) ||
                           is_refused(outcome, Rejection::purchase_limit_reached));
        BOOST_TEST((late || is_replayed(outcome)), "key " << key << " was accepted");
    }

    /// After the commit: nobody tells the gate, and the client hears nothing.
    Nothing die(int key) {
        auto const verdict = co_await shop_of(key).admit(product_, buy_of(key));
        auto const* ticket = std::get_if<SaleDesk::Ticket>(&verdict);
        if (ticket != nullptr) co_await shop_of(key).place(product_, buy_of(key), ticket->at());
    }

    /// Before the lane hears of it.
    Nothing abandon(int key) { co_await shop_of(key).admit(product_, buy_of(key)); }

    Nothing cancel() {
        std::vector<int> open;
        for (auto const& [key, order] : accepted_)
            if (!cancelled_.contains(order.id)) open.push_back(key);
        if (open.empty()) co_return;
        auto const key = open[static_cast<std::size_t>(pick(0, static_cast<int>(open.size()) - 1))];
        auto const order = accepted_.at(key);
        cancelled_.insert(order.id);
        co_await shop_of(pick(0, 2)).cancel(product_, order, market_.next_key--);
    }

    Nothing restock() {
        co_await shop_of(pick(0, 2)).restock(product_, pick(1, 2), market_.next_key--);
    }

    void forget() {
        if (memory_ == Memory::keeps) {
            talk_("FLUSHALL");
        } else if (earlier_.empty()) {
            earlier_ = gate_as_it_is();
        } else {
            bring_back(std::exchange(earlier_, {}));
        }
    }
    std::vector<std::string> gate_keys() const {
        auto const name = "ps:{" + domain::Uuid().to_string() + ':' + product_.id.to_string();
        std::vector<std::string> keys;
        for (auto const* part : {"gate", "orders", "users", "leases"})
            keys.push_back(name + "}:" + part);
        return keys;
    }
    /// Its keys, all of one moment; empty while none is ready. One that is being built has a lease,
    /// which a copy would not have.
    std::vector<std::string> gate_as_it_is() {
        auto const keys = gate_keys();
        talk_("MULTI");
        talk_("HGET", keys.front(), "state");
        for (auto const& key : keys) talk_("DUMP", key);
        auto const replies = talk_("EXEC").elements;
        std::vector<std::string> parts;
        if (replies.size() != keys.size() + 1 || replies[0].text != "ready") return parts;
        for (std::size_t i = 1; i < replies.size(); ++i) parts.push_back(replies[i].text);
        if (std::ranges::find(parts, std::string()) != parts.end()) parts.clear();
        return parts;
    }
    void bring_back(std::vector<std::string> const& parts) {
        auto const keys = gate_keys();
        talk_("MULTI");
        for (std::size_t i = 0; i < keys.size(); ++i)
            talk_("RESTORE", keys[i], 0, parts[i], "REPLACE");
        talk_("EXEC");
    }

    void cut_or_heal() {
        if (cut_) {
            proxy_.heal();
        } else {
            proxy_.refuse();
            proxy_.cut_all();
        }
        cut_ = !cut_;
    }

    Nothing reconcile() {
        market_.clock.pass(milliseconds{pick(0, 6'000)});
        co_await shop_of(pick(0, 2)).desk.reconcile(domain::default_organization, patient());
    }

    Nothing settle() {
        proxy_.heal();
        for (auto* shop : shops_) {
            bool const up = co_await shop->redis.up_before(patient());
            BOOST_REQUIRE(up);
            co_await shop->told();
        }
        market_.clock.pass(milliseconds{10'000});
        // What a gate has lost shows here at the latest, and is built anew.
        if (memory_ == Memory::falls_back) co_await market_.reconcile(*shops_[1]);
        co_await market_.check_agreement(product_, *shops_[1]);
        auto const truth = co_await market_.now(product_);
        auto const sold =
            co_await market_.store.list_sold(product_.id, std::nullopt, 100'000, patient());
        std::map<std::string, std::int64_t> bought;
        std::set<domain::OrderId> there;
        std::int64_t total = 0;
        for (auto const& order : *sold) {
            there.insert(order.id);
            if (order.status != domain::OrderStatus::completed) continue;
            bought[order.user] += order.quantity;
            total += order.quantity;
        }
        BOOST_TEST(total == truth.sold);
        BOOST_TEST(truth.sold <= truth.stock);
        for (auto const& [user, quantity] : bought) BOOST_TEST(quantity <= limit_, user);
        for (auto const& [key, order] : accepted_) BOOST_TEST(there.contains(order.id));
        for (auto const& [key, order] : accepted_) co_await buy(key);
    }

    Market& market_;
    std::mt19937 random_;
    Memory memory_;
    std::string socket_;
    FaultProxy proxy_;
    RedisTalk talk_;
    std::vector<Shop*> shops_;
    domain::Product product_;
    std::int64_t limit_ = 1;
    int next_key_ = 0;
    bool cut_ = false;
    std::vector<std::string> earlier_;  ///< the gate as it was once, if that was kept
    std::map<int, domain::Order> accepted_;
    std::set<domain::OrderId> cancelled_;
};

void race(unsigned seed, void (*with)(std::function<Nothing(Market&)>),
          Memory memory = Memory::keeps) {
    BOOST_TEST_CONTEXT("seed " << seed) {
        with([seed, memory](Market& market) -> Nothing {
            Race one(market, seed, memory);
            co_await one.run();
        });
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sale_race)

BOOST_AUTO_TEST_CASE(whatever_happens_nothing_is_sold_twice_and_the_gate_ends_where_the_store_is) {
    for (unsigned seed = 1; seed <= 12; ++seed) race(seed, with_market);
}

BOOST_AUTO_TEST_CASE(the_same_on_a_database) {
    for (unsigned seed = 101; seed <= 104; ++seed) race(seed, with_postgres_market);
}

BOOST_AUTO_TEST_CASE(a_redis_that_falls_back_into_earlier_states_oversells_nothing_either) {
    for (unsigned seed = 201; seed <= 208; ++seed) race(seed, with_market, Memory::falls_back);
    race(209, with_postgres_market, Memory::falls_back);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
