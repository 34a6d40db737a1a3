#include "cache/gate.hpp"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cache/redis_client.hpp"
#include "reactor/deadline.hpp"
#include "tests/cache/support.hpp"

using namespace penstock;
using namespace penstock::cache;
using namespace penstock::tests;

namespace {

using Nothing = asio::awaitable<void>;
using Kind = GateNote::Kind;
using domain::Instant;

domain::ProductId const sale{{{1, 2, 3}}};
std::string const prefix = "ps:{" + domain::Uuid().to_string() + ":" + sale.to_string() + "}:";
std::vector<std::string> const parts{"gate", "orders", "users", "leases"};

std::vector<GateNote> const nothing;

constexpr Instant starts{1'000};
constexpr Instant ends{2'000};
constexpr milliseconds lease{300};

domain::IdempotencyKey key_of(int number) {
    domain::IdempotencyKey key;
    key.value.bytes.fill(0xab);
    key.value.bytes[0] = static_cast<std::uint8_t>(number >> 16);
    key.value.bytes[1] = static_cast<std::uint8_t>(number >> 8);
    key.value.bytes[2] = static_cast<std::uint8_t>(number);
    return key;
}

Attempt attempt_of(int key, std::string user = "alice", std::int64_t quantity = 1,
                   Instant at = starts) {
    return {key_of(key), std::move(user), quantity, at};
}

constexpr Instant after(std::int64_t ms) { return {ms}; }

GateRules rules_of(std::int64_t limit) { return {starts, ends, limit}; }

GateOptions unhurried() {
    GateOptions options;
    options.command_max = milliseconds{5'000};
    options.build_lease = milliseconds{60'000};
    options.lease = lease;
    return options;
}

RedisClientOptions client_options(RedisServer const& server) {
    RedisClientOptions options;
    options.address = on_socket(server.socket_path());
    options.patience = milliseconds{5'000};
    return options;
}

/// A gate whose failures fail the test, and the client behind it.
struct Scene {
    Scene(RedisClient& its_client, GateOptions options)
        : client(its_client), gate(client, options) {}

    asio::awaitable<GateJudgement> admit(Attempt attempt) {
        auto const judgement = co_await gate.admit(sale, std::move(attempt), patient());
        co_return sure(judgement);
    }
    asio::awaitable<GateAnswer> ask(Attempt attempt) {
        auto const judgement = co_await admit(std::move(attempt));
        co_return judgement.answer;
    }
    asio::awaitable<GateTold> tell(std::vector<GateNote> notes, Instant now = starts,
                                   std::string generation = "") {
        auto const told =
            co_await gate.record(sale, std::move(notes), now, std::move(generation), patient());
        co_return sure(told);
    }
    asio::awaitable<GateTold> tell(Kind kind, int key, std::string user = "alice",
                                   std::int64_t quantity = 1, Instant now = starts) {
        std::vector<GateNote> notes;
        notes.push_back({kind, key_of(key), std::move(user), quantity});
        co_return co_await tell(std::move(notes), now);
    }
    asio::awaitable<std::optional<GateView>> look() {
        auto const view = co_await gate.look(sale, std::nullopt, 1'000, patient());
        co_return sure(view);
    }
    asio::awaitable<GateBegun> begin(GateRules rules, std::string seen) {
        auto const begun = co_await gate.begin(sale, rules, std::move(seen), patient());
        co_return sure(begun);
    }
    asio::awaitable<GateTold> finish(std::string generation, std::int64_t stock,
                                     std::int64_t version = 0,
                                     std::optional<Instant> goes_at = std::nullopt) {
        auto const told =
            co_await gate.finish(sale, std::move(generation), stock, version, goes_at, patient());
        co_return sure(told);
    }
    /// A ready gate without orders; its generation.
    asio::awaitable<std::string> build(std::int64_t stock, std::int64_t limit) {
        auto const begun = co_await begin(rules_of(limit), "");
        BOOST_REQUIRE((begun.state == GateBegun::State::begun));
        auto const told = co_await finish(begun.generation, stock);
        BOOST_REQUIRE((told == GateTold::recorded));
        co_return begun.generation;
    }
    asio::awaitable<Reply> raw(Command command) {
        auto const answer = co_await client.command(std::move(command), patient());
        co_return sure(answer);
    }

    template <class T>
    static T sure(Answer<T> const& answer) {
        if (!answer) {
            std::ostringstream text;
            text << answer.error();
            throw std::runtime_error(text.str());
        }
        return *answer;
    }

    RedisClient& client;
    Gate gate;
};

void with_scene(RedisServer& server, GateOptions options, std::function<Nothing(Scene&)> body) {
    with_client(client_options(server), [&](RedisClient& client) -> Nothing {
        Scene scene(client, options);
        co_await body(scene);
    });
}

void with_scene(std::function<Nothing(Scene&)> body) {
    RedisServer server;
    with_scene(server, unhurried(), std::move(body));
}

// ---- the model ---------------------------------------------------------------------------------

struct ModelOrder {
    char state = 'r';
    std::int64_t quantity = 0;
    std::string user;
    std::int64_t lease_end = 0;
};

/// What a gate ought to be: everything is counted anew from its orders.
struct Model {
    std::int64_t taken() const {
        return count([](auto const& order) { return order.state != 'x'; });
    }
    std::int64_t reserved() const {
        return count([](auto const& order) { return order.state == 'r'; });
    }
    std::int64_t bought(std::string const& user) const {
        return count([&](auto const& order) { return order.state != 'x' && order.user == user; });
    }
    std::int64_t remaining() const { return stock - taken(); }

    GateAnswer admit(int key, std::string const& user, std::int64_t quantity, std::int64_t now) {
        if (auto const place = orders.find(key); place != orders.end()) {
            if (place->second.state != 'r') return GateAnswer::known;
            place->second.lease_end = now + lease.count();
            return GateAnswer::again;
        }
        if (now >= ends.ms) return GateAnswer::sale_ended;
        if (now < starts.ms) return GateAnswer::sale_not_started;
        if (remaining() <= 0) return GateAnswer::sold_out;
        if (bought(user) + quantity > limit) return GateAnswer::purchase_limit_reached;
        if (quantity > remaining()) return GateAnswer::sold_out;
        orders[key] = {'r', quantity, user, now + lease.count()};
        return GateAnswer::admitted;
    }

    void hear(Kind kind, int key, std::string const& user, std::int64_t quantity,
              std::int64_t now) {
        auto const place = orders.find(key);
        bool const known = place != orders.end();
        char const state = known ? place->second.state : '-';
        switch (kind) {
            case Kind::confirm:
                if (state == '-' || state == 'r') orders[key] = {'c', quantity, user, 0};
                break;
            case Kind::cancel:
                if (state != 'x') orders[key] = {'x', quantity, user, 0};
                break;
            case Kind::release:
                if (state == 'r') orders.erase(place);
                break;
            case Kind::expire:
                if (state == 'r' && place->second.lease_end <= now) orders.erase(place);
                break;
            case Kind::doubt:
                if (!known) orders[key] = {'r', quantity, user, now + lease.count()};
                break;
        }
    }

    template <class Which>
    std::int64_t count(Which which) const {
        std::int64_t sum = 0;
        for (auto const& [key, order] : orders)
            if (which(order)) sum += order.quantity;
        return sum;
    }

    std::int64_t stock = 0;
    std::int64_t version = 0;
    std::int64_t limit = 1;
    std::map<int, ModelOrder> orders;
};

std::set<domain::IdempotencyKey> reservations(Model const& model) {
    std::set<domain::IdempotencyKey> keys;
    for (auto const& [key, order] : model.orders)
        if (order.state == 'r') keys.insert(key_of(key));
    return keys;
}

std::string any_user() {
    return *rc::gen::element<std::string>("alice", "b:o:b", std::string("c\n\0\xff", 4),
                                          "x:1:mallory");
}
int any_key() { return *rc::gen::inRange(0, 12); }
std::int64_t any_quantity() { return *rc::gen::inRange(1, 4); }
Instant any_instant() { return {*rc::gen::element(999, 1'000, 1'200, 1'500, 1'999, 2'000)}; }
Kind any_kind() {
    return *rc::gen::element(Kind::confirm, Kind::cancel, Kind::release, Kind::expire, Kind::doubt);
}

GateNote any_note() { return {any_kind(), key_of(any_key()), any_user(), any_quantity()}; }

int number_of(domain::IdempotencyKey const& key) { return key.value.bytes[2]; }

/// One gate and its model under the same random events.
struct Duel {
    Duel(Scene& its_scene) : scene(its_scene) {}

    Nothing build() {
        model.limit = *rc::gen::inRange(1, 6);
        auto const begun = co_await scene.begin(rules_of(model.limit), generation);
        generation = begun.generation;
        RC_ASSERT((begun.state == GateBegun::State::begun));
        // The store's orders are what the gate must have heard of by now; what happens while it
        // is read is told as well, before or after.
        Model const store = model;
        model.orders.clear();
        bool const early = *rc::gen::arbitrary<bool>();
        if (early) co_await tell();
        std::vector<GateNote> rows;
        for (auto const& [key, order] : store.orders)
            rows.push_back({order.state == 'x' ? Kind::cancel : Kind::confirm, key_of(key),
                            order.user, order.quantity});
        hear(rows, starts);
        auto const told = co_await scene.tell(rows, starts, generation);
        RC_ASSERT((told == GateTold::recorded));
        if (!early) co_await tell();
        auto const judgement = co_await scene.admit(attempt_of(any_key()));
        RC_ASSERT((judgement.answer == GateAnswer::building));
        auto const stock = *rc::gen::inRange(0, 12);
        auto const version = model.version + *rc::gen::inRange(0, 3);
        if (*rc::gen::inRange(0, 3) == 0) co_await restock();
        bool const newer = version > restocked_at;
        if (newer) model.stock = stock;
        model.version = std::max<std::int64_t>(version, model.version);
        auto const opened = co_await scene.finish(generation, stock, version);
        RC_ASSERT((opened == GateTold::recorded));
        restocked_at = model.version;
    }

    Nothing restock() {
        auto const stock = *rc::gen::inRange(0, 20);
        auto const version = *rc::gen::inRange<std::int64_t>(0, model.version + 4);
        auto const reply = co_await scene.gate.restock(sale, stock, version, patient());
        RC_ASSERT(reply.has_value());
        if (version <= restocked_at) co_return;
        model.stock = stock;
        restocked_at = version;
        model.version = std::max<std::int64_t>(model.version, version);
    }

    Nothing admit() {
        auto const key = any_key();
        auto const user = any_user();
        auto const quantity = any_quantity();
        auto const at = any_instant();
        auto const before = model.remaining();
        auto const expected = model.admit(key, user, quantity, at.ms);
        auto const seen = co_await scene.admit(attempt_of(key, user, quantity, at));
        RC_ASSERT((seen.answer == expected));
        RC_ASSERT(seen.remaining == model.remaining());
        RC_ASSERT(seen.reserved == model.reserved());
        if (expected != GateAnswer::admitted) co_return;
        RC_ASSERT(before >= quantity);
        RC_ASSERT(model.bought(user) <= model.limit);
    }

    Nothing tell() {
        std::vector<GateNote> notes;
        for (int i = *rc::gen::inRange(1, 4); i > 0; --i) notes.push_back(any_note());
        // What was told once may be told again.
        if (!told_before.empty() && *rc::gen::arbitrary<bool>())
            notes.push_back(*rc::gen::elementOf(told_before));
        auto const now = any_instant();
        hear(notes, now);
        for (auto const& note : notes) told_before.push_back(note);
        auto const heard = co_await scene.tell(notes, now);
        RC_ASSERT((heard == GateTold::recorded));
    }

    void hear(std::vector<GateNote> const& notes, Instant now) {
        for (auto const& note : notes)
            model.hear(note.kind, number_of(note.key), note.user, note.quantity, now.ms);
    }

    Nothing compare() {
        auto const view = co_await scene.look();
        RC_ASSERT(view.has_value());
        RC_ASSERT(view->ready);
        RC_ASSERT(view->stock == model.stock);
        RC_ASSERT(view->version == model.version);
        RC_ASSERT(view->taken == model.taken());
        RC_ASSERT(view->remaining() == model.remaining());
        RC_ASSERT(view->reserved == model.reserved());
        std::set<domain::IdempotencyKey> const held(view->reservations.begin(),
                                                    view->reservations.end());
        RC_ASSERT((held == reservations(model)));
        RC_ASSERT(view->changes >= changes);
        changes = view->changes;
        std::map<std::string, std::int64_t> bought;
        for (auto const& [key, order] : model.orders)
            if (order.state != 'x') bought[order.user] += order.quantity;
        auto const users = co_await scene.raw(Command("HGETALL", prefix + "users"));
        std::map<std::string, std::int64_t> kept;
        for (std::size_t i = 0; i < users.elements.size(); i += 2)
            if (!users.elements[i].text.empty())
                kept[users.elements[i].text] = std::stoll(users.elements[i + 1].text);
        RC_ASSERT((kept == bought));
    }

    Scene& scene;
    Model model;
    std::string generation;
    std::int64_t restocked_at = -1;
    std::int64_t changes = 0;
    std::vector<GateNote> told_before;
};

Nothing fight(Scene& scene) {
    co_await scene.raw(Command("FLUSHALL"));
    Duel duel(scene);
    co_await duel.build();
    for (int i = *rc::gen::inRange(1, 40); i > 0; --i) {
        auto const what = *rc::gen::inRange(0, 20);
        if (what < 10) co_await duel.admit();
        if (what >= 10 && what < 17) co_await duel.tell();
        if (what >= 17 && what < 19) co_await duel.restock();
        if (what == 19) {
            duel.changes = 0;
            duel.restocked_at = -1;
            co_await duel.build();
        }
        co_await duel.compare();
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(
    whatever_is_told_in_whatever_order_what_is_left_is_the_stock_less_what_is_taken) {
    RedisServer server;
    BOOST_TEST(rc::check([&] { with_scene(server, unhurried(), fight); }));
}

BOOST_AUTO_TEST_CASE(an_attempt_is_judged_by_key_then_window_then_stock_then_limit_then_quantity) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(3, 2);
        struct Row {
            char const* what;
            Attempt attempt;
            GateAnswer expected;
        };
        Row const rows[] = {
            {"a millisecond early", attempt_of(1, "a", 1, {999}), GateAnswer::sale_not_started},
            {"the first moment", attempt_of(1, "a", 1, {1'000}), GateAnswer::admitted},
            {"its key again", attempt_of(1, "a", 1, {1'000}), GateAnswer::again},
            {"its key again after the end", attempt_of(1, "a", 1, {2'000}), GateAnswer::again},
            {"over the limit", attempt_of(2, "a", 2), GateAnswer::purchase_limit_reached},
            {"over the limit and the stock", attempt_of(2, "a", 9),
             GateAnswer::purchase_limit_reached},
            {"not enough left", attempt_of(3, "b", 3), GateAnswer::purchase_limit_reached},
            {"the last moment", attempt_of(3, "b", 2, {1'999}), GateAnswer::admitted},
            {"nothing left, whoever asks", attempt_of(4, "a", 2), GateAnswer::sold_out},
            {"the end", attempt_of(4, "a", 2, {2'000}), GateAnswer::sale_ended},
        };
        for (auto const& row : rows) {
            auto const answer = co_await scene.ask(row.attempt);
            BOOST_TEST(answer == row.expected, row.what << ": " << answer);
        }
    });
}

BOOST_AUTO_TEST_CASE(not_enough_left_for_the_quantity_is_sold_out_and_not_final) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(3, 5);
        co_await scene.ask(attempt_of(1, "a", 2));
        auto const too_many = co_await scene.admit(attempt_of(2, "b", 2));
        BOOST_TEST(too_many.answer == GateAnswer::sold_out);
        BOOST_TEST(too_many.remaining == 1);
        BOOST_TEST(!too_many.is_final());
        auto const last = co_await scene.ask(attempt_of(3, "b", 1));
        BOOST_TEST(last == GateAnswer::admitted);
        auto const reserved = co_await scene.admit(attempt_of(4, "c", 1));
        BOOST_TEST(!reserved.is_final());
        co_await scene.tell(Kind::confirm, 1, "a", 2);
        co_await scene.tell(Kind::confirm, 3, "b", 1);
        auto const sold = co_await scene.admit(attempt_of(4, "c", 1));
        BOOST_TEST(sold.is_final());
        auto const known = co_await scene.ask(attempt_of(1, "a", 2));
        BOOST_TEST(known == GateAnswer::known);
    });
}

BOOST_AUTO_TEST_CASE(without_a_gate_nobody_is_admitted_and_nothing_is_kept) {
    with_scene([](Scene& scene) -> Nothing {
        auto const answer = co_await scene.ask(attempt_of(1));
        BOOST_TEST(answer == GateAnswer::missing);
        auto const told = co_await scene.tell(Kind::confirm, 1);
        BOOST_TEST((told == GateTold::missing));
        auto const restocked = co_await scene.gate.restock(sale, 5, 1, patient());
        BOOST_TEST(restocked->number == 0);
        auto const view = co_await scene.look();
        BOOST_TEST(!view);
        auto const keys = co_await scene.raw(Command("DBSIZE"));
        BOOST_TEST(keys == Reply::of(0));
    });
}

BOOST_AUTO_TEST_CASE(
    a_gate_of_which_a_key_is_lost_or_overwritten_is_missing_and_can_be_built_anew) {
    with_scene([](Scene& scene) -> Nothing {
        for (auto const& part : parts) {
            auto const name = prefix + part;
            std::vector<Command> harms;
            harms.emplace_back("DEL", name);
            harms.emplace_back("SET", name, "garbage");
            harms.emplace_back("SADD", name, "garbage");
            if (part == "gate") harms.emplace_back("HSET", name, "taken", "many");
            for (std::size_t i = 0; i < harms.size(); ++i) {
                co_await scene.raw(Command("FLUSHALL"));
                auto const generation = co_await scene.build(5, 5);
                co_await scene.ask(attempt_of(1));
                bool const of_another_type = i == 2;
                if (of_another_type) co_await scene.raw(Command("DEL", name));
                co_await scene.raw(harms[i]);
                auto const answer = co_await scene.ask(attempt_of(2));
                BOOST_TEST(answer == GateAnswer::missing);
                auto const told = co_await scene.tell(Kind::confirm, 1);
                BOOST_TEST((told == GateTold::missing));
                auto const view = co_await scene.look();
                BOOST_TEST(!view);
                auto const begun = co_await scene.begin(rules_of(5), generation);
                BOOST_TEST((begun.state == GateBegun::State::begun));
                auto const opened = co_await scene.finish(begun.generation, 5);
                BOOST_TEST((opened == GateTold::recorded));
                auto const healed = co_await scene.ask(attempt_of(2));
                BOOST_TEST(healed == GateAnswer::admitted);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(after_a_flush_in_the_middle_the_gate_is_missing_until_it_is_built_again) {
    with_scene([](Scene& scene) -> Nothing {
        auto const generation = co_await scene.build(2, 1);
        co_await scene.ask(attempt_of(1, "a"));
        co_await scene.raw(Command("FLUSHALL"));
        auto const told = co_await scene.tell(Kind::confirm, 1, "a");
        BOOST_TEST((told == GateTold::missing));
        auto const answer = co_await scene.ask(attempt_of(2, "b"));
        BOOST_TEST(answer == GateAnswer::missing);
        auto const begun = co_await scene.begin(rules_of(1), "");
        BOOST_TEST(begun.generation != generation);
        std::vector<GateNote> rows;
        rows.push_back({Kind::confirm, key_of(1), "a", 1});
        co_await scene.tell(rows, starts, begun.generation);
        co_await scene.finish(begun.generation, 2);
        auto const repeated = co_await scene.ask(attempt_of(1, "a"));
        BOOST_TEST(repeated == GateAnswer::known);
        auto const view = co_await scene.look();
        BOOST_TEST(view->remaining() == 1);
    });
}

BOOST_AUTO_TEST_CASE(of_two_builders_one_builds_and_a_dead_one_is_followed_by_another) {
    RedisServer server;
    auto options = unhurried();
    options.build_lease = milliseconds{1'500};
    with_scene(server, options, [](Scene& scene) -> Nothing {
        auto const first = co_await scene.begin(rules_of(1), "");
        auto const second = co_await scene.begin(rules_of(1), "");
        BOOST_TEST((second.state == GateBegun::State::building));
        BOOST_TEST(second.generation == first.generation);
        // The first one dies here.
        GateBegun third = second;
        for (auto const limit = patient(); steady_now() < limit;) {
            third = co_await scene.begin(rules_of(1), "");
            if (third.state == GateBegun::State::begun) break;
            co_await reactor::sleep_until(in(milliseconds{5}));
        }
        BOOST_TEST((third.state == GateBegun::State::begun));
        // … and was only slow.
        auto const late = co_await scene.tell(nothing, starts, first.generation);
        BOOST_TEST((late == GateTold::taken_over));
        auto const finished = co_await scene.finish(first.generation, 99);
        BOOST_TEST((finished == GateTold::taken_over));
        auto const opened = co_await scene.finish(third.generation, 7);
        BOOST_TEST((opened == GateTold::recorded));
        auto const again = co_await scene.finish(third.generation, 99);
        BOOST_TEST((again == GateTold::taken_over));
        auto const view = co_await scene.look();
        BOOST_TEST(view->stock == 7);
        // Who wants another gate in place of one that is gone already gets the present one.
        auto const stale = co_await scene.begin(rules_of(1), first.generation);
        BOOST_TEST((stale.state == GateBegun::State::ready));
    });
}

BOOST_AUTO_TEST_CASE(each_page_keeps_an_unfinished_gate_alive_and_its_own_end_limits_a_ready_one) {
    with_scene([](Scene& scene) -> Nothing {
        auto const begun = co_await scene.begin(rules_of(1), "");
        for (auto const& part : parts) {
            auto const left = co_await scene.raw(Command("PTTL", prefix + part));
            BOOST_TEST(left.number > 0);
            co_await scene.raw(Command("PEXPIRE", prefix + part, 20'000));
        }
        co_await scene.tell(nothing, starts, begun.generation);
        for (auto const& part : parts) {
            auto const left = co_await scene.raw(Command("PTTL", prefix + part));
            BOOST_TEST(left.number > 20'000);
        }
        Instant const far{4'102'444'800'000};
        co_await scene.finish(begun.generation, 1, 0, far);
        for (auto const& part : parts) {
            auto const at = co_await scene.raw(Command("PEXPIRETIME", prefix + part));
            BOOST_TEST(at.number == far.ms);
        }
        auto const endless = co_await scene.begin(rules_of(1), begun.generation);
        co_await scene.finish(endless.generation, 1);
        for (auto const& part : parts) {
            auto const at = co_await scene.raw(Command("PEXPIRETIME", prefix + part));
            BOOST_TEST(at.number == -1);
        }
    });
}

BOOST_AUTO_TEST_CASE(the_largest_stock_is_counted_exactly) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(gate_units_max, gate_units_max);
        auto const most = co_await scene.admit(attempt_of(1, "a", gate_units_max - 1));
        BOOST_TEST(most.answer == GateAnswer::admitted);
        BOOST_TEST(most.remaining == 1);
        BOOST_TEST(most.reserved == gate_units_max - 1);
        auto const too_many = co_await scene.ask(attempt_of(2, "b", 2));
        BOOST_TEST(too_many == GateAnswer::sold_out);
        auto const last = co_await scene.admit(attempt_of(3, "b", 1));
        BOOST_TEST(last.answer == GateAnswer::admitted);
        BOOST_TEST(last.reserved == gate_units_max);
        // Another server's orders that this gate never saw: far too many is still sold out.
        co_await scene.tell(Kind::confirm, 4, "c", gate_units_max);
        auto const none = co_await scene.ask(attempt_of(5, "d", 1));
        BOOST_TEST(none == GateAnswer::sold_out);
        co_await scene.tell(Kind::cancel, 4, "c", gate_units_max);
        co_await scene.tell(Kind::release, 1);
        auto const view = co_await scene.look();
        BOOST_TEST(view->remaining() == gate_units_max - 1);
    });
}

BOOST_AUTO_TEST_CASE(what_was_committed_counts_and_not_what_was_reserved) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(10, 9);
        // The key was reserved for one request, and another one with the same key was decided.
        co_await scene.ask(attempt_of(1, "a", 2));
        co_await scene.tell(Kind::confirm, 1, "b", 5);
        auto const view = co_await scene.look();
        BOOST_TEST(view->taken == 5);
        BOOST_TEST(view->reserved == 0);
        auto const first = co_await scene.ask(attempt_of(2, "a", 5));
        BOOST_TEST(first == GateAnswer::admitted);
    });
}

BOOST_AUTO_TEST_CASE(only_leases_that_are_over_are_listed_and_expire) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(10, 9);
        co_await scene.ask(attempt_of(1, "a", 1, after(1'000)));
        co_await scene.ask(attempt_of(2, "b", 1, after(1'100)));
        co_await scene.ask(attempt_of(3, "c", 1, after(1'100)));
        auto const over = co_await scene.gate.look(sale, after(1'300), 10, patient());
        std::vector<domain::IdempotencyKey> const only_first{key_of(1)};
        BOOST_TEST(((*over)->reservations == only_first));
        auto const two = co_await scene.gate.look(sale, after(9'999), 2, patient());
        BOOST_TEST((*two)->reservations.size() == 2U);
        // The request is tried again: its lease begins anew.
        co_await scene.ask(attempt_of(1, "a", 1, after(1'200)));
        co_await scene.tell(Kind::expire, 1, "", 0, after(1'499));
        auto const kept = co_await scene.look();
        BOOST_TEST(kept->reserved == 3);
        co_await scene.tell(Kind::expire, 1, "", 0, after(1'500));
        auto const gone = co_await scene.look();
        BOOST_TEST(gone->reserved == 2);
    });
}

BOOST_AUTO_TEST_CASE(all_known_keys_are_listed_for_the_moment_that_was_asked_for) {
    with_scene([](Scene& scene) -> Nothing {
        auto const begun = co_await scene.begin(rules_of(1), "");
        std::vector<GateNote> rows;
        for (int key = 0; key < 3'000; ++key)
            rows.push_back({key % 2 == 0 ? Kind::confirm : Kind::cancel, key_of(key),
                            "user " + std::to_string(key), 1});
        co_await scene.tell(rows, starts, begun.generation);
        co_await scene.finish(begun.generation, 1'500);
        auto const seen = co_await scene.admit(attempt_of(5'000));
        BOOST_TEST(seen.is_final());
        auto const known = co_await scene.gate.known_keys(sale, seen, 3'000, patient());
        BOOST_REQUIRE((known && *known));
        BOOST_TEST((*known)->size() == 3'000U);
        BOOST_TEST((*known)->contains(key_of(2'999)));
        auto const too_many = co_await scene.gate.known_keys(sale, seen, 2'999, patient());
        BOOST_TEST((too_many && !*too_many));
        co_await scene.tell(Kind::cancel, 0);
        auto const past = co_await scene.gate.known_keys(sale, seen, 3'000, patient());
        BOOST_TEST((past && !*past));
    });
}

BOOST_AUTO_TEST_CASE(a_lost_reply_leaves_a_reservation_that_the_next_attempt_finds) {
    RedisServer server;
    auto options = unhurried();
    options.command_max = milliseconds{1'000};
    with_scene(server, options, [&](Scene& scene) -> Nothing {
        co_await scene.build(2, 1);
        co_await scene.ask(attempt_of(9, "z"));
        server.freeze();
        auto const lost = co_await scene.gate.admit(sale, attempt_of(1, "a"), patient());
        server.thaw();
        BOOST_TEST((!lost && lost.error().code == reactor::Errc::deadline_exceeded));
        auto const pong = co_await scene.raw(Command("PING"));
        auto const other = co_await scene.ask(attempt_of(2, "b"));
        BOOST_TEST(other == GateAnswer::sold_out);
        auto const again = co_await scene.ask(attempt_of(1, "a"));
        BOOST_TEST(again == GateAnswer::again);
    });
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_costs_a_few_attempts_the_wait_and_the_rest_nothing) {
    RedisServer server;
    auto options = unhurried();
    options.command_max = milliseconds{20};
    with_scene(server, options, [&](Scene& scene) -> Nothing {
        co_await scene.build(1'000, 1'000);
        server.freeze();
        auto const began = steady_now();
        int late = 0;
        for (int key = 0; key < 200; ++key) {
            auto const answer = co_await scene.gate.admit(sale, attempt_of(key), patient());
            if (!answer && answer.error().code == reactor::Errc::deadline_exceeded) ++late;
        }
        // Those who found it out, and a probe after each pause.
        BOOST_TEST(late >= 3);
        BOOST_TEST(late <= 3 + (steady_now() - began) / options.breaker.cool_down_first);
        BOOST_TEST(scene.gate.metrics().breaker_openings.get() >= 1U);
        server.thaw();
        bool works = false;
        for (auto const limit = patient(); !works && steady_now() < limit;) {
            auto const answer = co_await scene.gate.admit(sale, attempt_of(999), patient());
            works = answer.has_value();
            co_await reactor::sleep_until(in(milliseconds{5}));
        }
        BOOST_TEST(works);
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_reserves_nothing_by_halves) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(10, 10);
        co_await scene.raw(Command("CONFIG", "SET", "maxmemory", "1"));
        auto const refused = co_await scene.gate.admit(sale, attempt_of(1), patient());
        BOOST_TEST(!refused.has_value());
        co_await scene.raw(Command("CONFIG", "SET", "maxmemory", "0"));
        auto const view = co_await scene.look();
        BOOST_TEST(view->taken == 0);
        BOOST_TEST(view->reservations.empty());
        auto const fresh = co_await scene.ask(attempt_of(1));
        BOOST_TEST(fresh == GateAnswer::admitted);
    });
}

BOOST_AUTO_TEST_CASE(two_databases_on_one_redis_do_not_see_each_others_gates) {
    with_scene([](Scene& scene) -> Nothing {
        co_await scene.build(1, 1);
        auto options = unhurried();
        options.database.bytes[5] = 1;
        Scene other(scene.client, options);
        auto const missing = co_await other.ask(attempt_of(1));
        BOOST_TEST(missing == GateAnswer::missing);
        auto const here = co_await scene.ask(attempt_of(1));
        BOOST_TEST(here == GateAnswer::admitted);
    });
}

BOOST_AUTO_TEST_CASE(every_script_stays_within_one_slot_of_a_cluster) {
    RedisServer server({"--cluster-enabled", "yes", "--cluster-node-timeout", "500"});
    with_scene(server, unhurried(), [](Scene& scene) -> Nothing {
        co_await scene.raw(Command("CLUSTER", "ADDSLOTSRANGE", 0, 16'383));
        for (auto const limit = patient(); steady_now() < limit;) {
            auto const info = co_await scene.raw(Command("CLUSTER", "INFO"));
            if (info.text.find("cluster_state:ok") != info.text.npos) break;
            co_await reactor::sleep_until(in(milliseconds{20}));
        }
        auto const generation = co_await scene.build(5, 5);
        auto const answer = co_await scene.admit(attempt_of(1));
        BOOST_TEST(answer.answer == GateAnswer::admitted);
        co_await scene.tell(Kind::confirm, 1);
        co_await scene.gate.restock(sale, 9, 1, patient());
        auto const view = co_await scene.look();
        BOOST_TEST(view->remaining() == 8);
        auto const begun = co_await scene.begin(rules_of(1), generation);
        BOOST_TEST((begun.state == GateBegun::State::begun));
        std::set<std::int64_t> slots;
        for (auto const& part : parts) {
            auto const slot = co_await scene.raw(Command("CLUSTER", "KEYSLOT", prefix + part));
            slots.insert(slot.number);
        }
        BOOST_TEST(slots.size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(an_order_costs_redis_a_few_hundred_bytes) {
    with_scene([](Scene& scene) -> Nothing {
        constexpr int orders = 20'000;
        auto const begun = co_await scene.begin(rules_of(1), "");
        std::vector<GateNote> rows;
        for (int key = 0; key < orders; ++key) {
            rows.push_back({Kind::confirm, key_of(key), "user-" + std::to_string(key), 1});
            if (rows.size() < 1'000) continue;
            co_await scene.tell(rows, starts, begun.generation);
            rows.clear();
        }
        std::int64_t bytes = 0;
        for (auto const& part : parts) {
            auto const used =
                co_await scene.raw(Command("MEMORY", "USAGE", prefix + part, "SAMPLES", 0));
            bytes += used.number;
        }
        BOOST_TEST_MESSAGE("bytes of Redis per order: " << bytes / orders);
        BOOST_TEST(bytes / orders < 300);
    });
}

BOOST_AUTO_TEST_SUITE_END()
