#include "cache/edge.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "reactor/deadline.hpp"
#include "reactor/turn.hpp"
#include "tests/cache/support.hpp"

using namespace penstock;
using namespace penstock::cache;
using namespace penstock::tests;

namespace {

using Nothing = asio::awaitable<void>;

domain::OrganizationId const organization{{{7, 7, 7}}};

/// Key number `key`, asked for with body number `body`.
domain::KeyUse use_of(int key, int body = 1) {
    domain::KeyUse use;
    use.key.value.bytes.fill(static_cast<std::uint8_t>(key));
    use.fingerprint.fill(static_cast<std::uint8_t>(body));
    return use;
}

std::string redis_key_of(int key) {
    constexpr char const* digits = "0123456789abcdef";
    std::string text = "ps:idem:" + organization.to_string() + ":";
    for (int i = 0; i < 16; ++i) {
        text += digits[key / 16];
        text += digits[key % 16];
    }
    return text;
}

std::string mark_of(std::uint64_t owner, std::uint64_t number) {
    return encode(EdgeMark{owner, number});
}

/// Nobody is so slow that a test on a busy machine goes past the edge by accident.
EdgeOptions unhurried() {
    EdgeOptions options;
    options.command_max = milliseconds{5'000};
    return options;
}

/// A server as Redis sees it: a client and its edge.
struct House {
    House(asio::any_io_executor executor, RedisServer const& server, EdgeOptions options,
          std::uint64_t owner)
        : client(std::move(executor), client_options(server), half),
          edge(&client, options, owner) {}

    static RedisClientOptions client_options(RedisServer const& server) {
        RedisClientOptions options;
        options.address = on_socket(server.socket_path());
        options.patience = milliseconds{5'000};
        return options;
    }

    asio::awaitable<Edge::Entry> enter(domain::KeyUse use) {
        return edge.enter(organization, use, patient());
    }
    asio::awaitable<Reply> raw(Command command) {
        auto const answer = co_await client.command(std::move(command), patient());
        BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error());
        co_return *answer;
    }
    EdgeMetrics const& metrics() const { return edge.metrics(); }

    RedisClient client;
    Edge edge;
};

Nothing live(House& first, House& second) {
    auto const executor = co_await asio::this_coro::executor;
    reactor::TaskGroup tasks(executor);
    tasks.spawn(first.client.run());
    tasks.spawn(second.client.run());
    tasks.spawn(first.edge.run());
    tasks.spawn(second.edge.run());
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await reactor::sleep_until(never);
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    tasks.cancel();
    co_await tasks.join(patient());
}

/// `body(here, there)`: two servers on one Redis, both connected.
void with_houses(RedisServer& server, EdgeOptions options,
                 std::function<Nothing(House&, House&)> body) {
    asio::io_context context{1};
    House here(context.get_executor(), server, options, 1);
    House there(context.get_executor(), server, options, 2);
    auto main = [&]() -> Nothing {
        auto inner = [&]() -> Nothing {
            bool const up = co_await here.client.up_before(patient());
            bool const both = co_await there.client.up_before(patient());
            BOOST_REQUIRE((up && both));
            co_await body(here, there);
        };
        co_await beside(live(here, there), inner);
    };
    run(context, main);
}

bool is_ticket(Edge::Entry const& entry) { return std::holds_alternative<Edge::Ticket>(entry); }
bool is_in_flight(Edge::Entry const& entry) {
    return std::holds_alternative<Edge::InFlight>(entry);
}
bool is_reused(Edge::Entry const& entry) { return std::holds_alternative<Edge::Reused>(entry); }
bool is_replay(Edge::Entry const& entry, unsigned status, std::string const& body) {
    auto const* replay = std::get_if<Edge::Replay>(&entry);
    return replay != nullptr && replay->status == status && replay->body == body;
}

void finish(Edge::Entry& entry, unsigned status, std::string const& body) {
    BOOST_REQUIRE(is_ticket(entry));
    std::get<Edge::Ticket>(entry).finish(status, body);
}

/// Until the key is free for this server.
Nothing until_free(House& house, domain::KeyUse use) {
    bool free = false;
    for (auto const limit = in(milliseconds{20'000}); !free && steady_now() < limit;) {
        auto const entry = co_await house.enter(use);
        free = is_ticket(entry);
        co_await reactor::sleep_until(in(milliseconds{2}));
    }
    BOOST_TEST(free);
}

Nothing wait_until(std::function<bool()> condition) {
    auto const limit = patient();
    while (!condition() && steady_now() < limit) co_await reactor::sleep_until(in(milliseconds{2}));
    BOOST_TEST(condition());
}

/// `count` requests with one key at once; they arrive in `entries` as they are answered.
struct Crowd {
    Crowd(asio::any_io_executor executor, Edge& its_edge) : edge(its_edge), tasks(executor) {}

    void add(domain::KeyUse use, int count) {
        for (int i = 0; i < count; ++i) tasks.spawn(one(use));
    }
    Nothing one(domain::KeyUse use) {
        auto entry = co_await edge.enter(organization, use, patient());
        entries.push_back(std::move(entry));
    }
    Nothing all() {
        bool const joined = co_await tasks.join(patient());
        BOOST_TEST(joined);
    }
    template <class Kind>
    std::size_t count() const {
        return static_cast<std::size_t>(
            std::count_if(entries.begin(), entries.end(),
                          [](auto const& one) { return std::holds_alternative<Kind>(one); }));
    }

    Edge& edge;
    reactor::TaskGroup tasks;
    std::vector<Edge::Entry> entries;
};

/// An event loop with a lot to do.
void be_busy_for(milliseconds time) {
    auto const until = in(time);
    while (steady_now() < until) {
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(edge)

BOOST_AUTO_TEST_CASE(all_repetitions_of_a_finished_key_at_once_are_answered_in_one_round_trip) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House&) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        auto first = co_await here.enter(use_of(1));
        finish(first, 201, "done");
        co_await here.raw(Command("PING"));
        auto const before = here.client.metrics().commands.get();
        Crowd crowd(executor, here.edge);
        crowd.add(use_of(1), 50);
        crowd.add(use_of(1, 2), 3);
        co_await crowd.all();
        BOOST_TEST(crowd.count<Edge::Reused>() == 3U);
        BOOST_TEST(crowd.count<Edge::Replay>() == 50U);
        for (auto const& entry : crowd.entries)
            BOOST_TEST((is_reused(entry) || is_replay(entry, 201, "done")));
        BOOST_TEST(here.client.metrics().commands.get() == before + 1);
        BOOST_TEST(here.metrics().in_flight_here.get() == 0U);
        BOOST_TEST(here.metrics().replayed.get() + here.metrics().replayed_here.get() == 50U);
        BOOST_TEST(here.metrics().joined.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(who_waited_for_a_request_in_flight_gets_its_answer_here_and_there) {
    RedisServer server;
    auto options = unhurried();
    options.join_max = milliseconds{5'000};
    options.body_bytes_max = 100;
    with_houses(server, options, [](House& here, House& there) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        auto first = co_await here.enter(use_of(1));
        Crowd same(executor, here.edge);
        Crowd elsewhere(executor, there.edge);
        same.add(use_of(1), 5);
        elsewhere.add(use_of(1), 5);
        co_await wait_until([&] { return here.metrics().joined.get() == 5U; });
        finish(first, 201, "done");
        co_await same.all();
        co_await elsewhere.all();
        BOOST_TEST(same.count<Edge::Replay>() == 5U);
        BOOST_TEST(elsewhere.count<Edge::Replay>() == 5U);
        BOOST_TEST(there.metrics().in_flight_there.get() == 0U);
        // Too long for Redis, not for those who are here.
        auto longer = co_await here.enter(use_of(2));
        Crowd waiting(executor, here.edge);
        waiting.add(use_of(2), 2);
        co_await wait_until([&] { return here.metrics().joined.get() == 2U; });
        finish(longer, 200, std::string(101, 'x'));
        co_await waiting.all();
        BOOST_TEST(waiting.count<Edge::Replay>() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(without_redis_repetitions_are_answered_by_the_first_of_them) {
    run([]() -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        EdgeOptions options = unhurried();
        options.join_max = milliseconds{5'000};
        options.joined_max = 8;
        Edge edge(nullptr, options, 1);
        {
            // The database knows the answer; until it has said so nobody here does.
            auto first = co_await edge.enter(organization, use_of(1), patient());
            Crowd crowd(executor, edge);
            crowd.add(use_of(1), 6);
            crowd.add(use_of(1, 2), 2);
            co_await wait_until([&] { return edge.metrics().joined.get() == 8U; });
            // No more than so many wait.
            auto const one_more = co_await edge.enter(organization, use_of(1), patient());
            BOOST_TEST(is_in_flight(one_more));
            finish(first, 201, "again");
            co_await crowd.all();
            BOOST_TEST(crowd.count<Edge::Replay>() == 6U);
            BOOST_TEST(crowd.count<Edge::Reused>() == 2U);
        }
        BOOST_TEST(edge.metrics().replayed_here.get() == 6U);
        // Whose first use was rejected is free for the next of them.
        Crowd crowd(executor, edge);
        {
            auto const rejected = co_await edge.enter(organization, use_of(2), patient());
            BOOST_TEST(is_ticket(rejected));
            crowd.add(use_of(2), 3);
            co_await wait_until([&] { return edge.metrics().joined.get() == 3U; });
        }
        co_await wait_until([&] { return crowd.entries.size() == 1U; });
        finish(crowd.entries.front(), 201, "second");
        co_await crowd.all();
        BOOST_TEST(crowd.count<Edge::Replay>() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_redis_that_answered_in_time_is_not_blamed_by_a_loop_that_was_late) {
    constexpr unsigned rounds = 12;
    auto const marked_within = [](milliseconds patience) {
        RedisServer server;
        auto options = unhurried();
        options.command_max = patience;
        options.breaker.failures_in_a_row = 1;
        std::uint64_t marked = 0;
        with_houses(server, options, [&](House& here, House&) -> Nothing {
            auto const executor = co_await asio::this_coro::executor;
            for (unsigned round = 0; round < rounds; ++round) {
                Crowd crowd(executor, here.edge);
                crowd.add(use_of(static_cast<int>(round)), 1);
                // Busy before the question is written, after it, or with the answer in the socket.
                for (unsigned turn = 0; turn < round % 4; ++turn) co_await reactor::whole_turn();
                be_busy_for(5 * patience);
                co_await crowd.all();
            }
            marked = here.metrics().marked.get();
            bool const blamed = here.metrics().breaker_openings.get() > 0;
            BOOST_TEST(blamed == (marked < rounds));
        });
        return marked;
    };
    // On a busy machine Redis itself may be late, but not however long it is waited for.
    bool good = false;
    for (milliseconds patience{5}; !good && patience < milliseconds{500}; patience *= 4)
        good = marked_within(patience) == rounds;
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_is_found_out_by_a_busy_loop_too) {
    RedisServer server;
    auto options = unhurried();
    options.command_max = milliseconds{5};
    // No probe, however long a busy machine takes.
    options.breaker.cool_down_first = options.breaker.cool_down_max = milliseconds{60'000};
    with_houses(server, options, [&](House& here, House&) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        server.freeze();
        int key = 0;
        auto const limit = patient();
        while (here.metrics().bypassed_breaker.get() == 0 && steady_now() < limit) {
            Crowd crowd(executor, here.edge);
            crowd.add(use_of(++key), 1);
            be_busy_for(milliseconds{7});
            co_await crowd.all();
        }
        BOOST_TEST(here.metrics().breaker_openings.get() == 1U);
        BOOST_TEST(here.metrics().bypassed_late.get() == 3U);
        BOOST_TEST(key == 4);
        server.thaw();
    });
}

BOOST_AUTO_TEST_CASE(a_finished_answer_is_repeated_byte_for_byte_by_every_server) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House& there) -> Nothing {
        std::string const body("{\"id\":\"\0\xff\r\n\"}", 13);
        auto fresh = co_await here.enter(use_of(1));
        finish(fresh, 201, body);
        auto const same = co_await here.enter(use_of(1));
        BOOST_TEST(is_replay(same, 201, body));
        auto const elsewhere = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(elsewhere, 201, body));
        auto empty = co_await there.enter(use_of(2));
        finish(empty, 204, "");
        auto const nothing = co_await there.enter(use_of(2));
        BOOST_TEST(is_replay(nothing, 204, ""));
        BOOST_TEST(there.metrics().replayed.get() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(a_finished_key_refuses_another_request) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House& there) -> Nothing {
        auto fresh = co_await here.enter(use_of(1, 1));
        finish(fresh, 201, "{}");
        auto const other = co_await there.enter(use_of(1, 2));
        BOOST_TEST(is_reused(other));
        auto const first = co_await there.enter(use_of(1, 1));
        BOOST_TEST(is_replay(first, 201, "{}"));
    });
}

BOOST_AUTO_TEST_CASE(a_key_in_flight_is_refused_here_and_there_and_free_after_a_rejection) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House& there) -> Nothing {
        {
            auto const first = co_await here.enter(use_of(1));
            BOOST_TEST(is_ticket(first));
            auto const again = co_await here.enter(use_of(1));
            BOOST_TEST(is_in_flight(again));
            auto const elsewhere = co_await there.enter(use_of(1));
            BOOST_TEST(is_in_flight(elsewhere));
        }
        co_await here.raw(Command("PING"));
        auto const later = co_await there.enter(use_of(1));
        BOOST_TEST(is_ticket(later));
        BOOST_TEST(here.metrics().in_flight_here.get() == 1U);
        BOOST_TEST(there.metrics().in_flight_there.get() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(the_mark_of_a_request_that_takes_long_is_renewed) {
    RedisServer server;
    auto options = unhurried();
    // A third of it is what a busy machine may take before the mark is gone.
    options.lease = milliseconds{3'000};
    with_houses(server, options, [](House& here, House& there) -> Nothing {
        auto slow = co_await here.enter(use_of(1));
        // Without any of them the mark would have ended.
        auto const limit = in(milliseconds{20'000});
        while (here.metrics().renewed.get() < 4 && steady_now() < limit) {
            auto const entry = co_await there.enter(use_of(1));
            BOOST_REQUIRE(is_in_flight(entry));
            co_await reactor::sleep_until(in(milliseconds{10}));
        }
        finish(slow, 201, "late");
        co_await here.raw(Command("PING"));
        auto const entry = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(entry, 201, "late"));
        BOOST_TEST(here.metrics().renewed.get() >= 4U);
    });
}

BOOST_AUTO_TEST_CASE(a_crashed_server_blocks_its_key_for_the_lease_and_no_longer) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House&) -> Nothing {
        // Longer and longer, until a busy machine has met the mark before it ended.
        int key = 0;
        for (int lease = 250; here.metrics().in_flight_there.get() == 0; lease *= 2) {
            BOOST_REQUIRE(lease < 10'000);
            auto const set_at = steady_now();
            ++key;
            co_await here.raw(Command("SET", redis_key_of(key), mark_of(99, 1), "NX", "PX", lease));
            co_await until_free(here, use_of(key));
            // Redis counts whole milliseconds.
            BOOST_TEST((steady_now() - set_at >= milliseconds{lease - 1}));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_flush_between_the_check_and_the_write_changes_nothing) {
    RedisServer server;
    auto options = unhurried();
    options.lease = milliseconds{3'000};
    with_houses(server, options, [](House& here, House& there) -> Nothing {
        auto first = co_await here.enter(use_of(1));
        co_await here.raw(Command("FLUSHALL"));
        finish(first, 201, "done");
        co_await here.raw(Command("PING"));
        auto const repeated = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(repeated, 201, "done"));
        // A request that still runs marks its key again.
        auto const second = co_await here.enter(use_of(2));
        co_await here.raw(Command("FLUSHALL"));
        auto const renewed = here.metrics().renewed.get();
        co_await wait_until([&] { return here.metrics().renewed.get() > renewed; });
        co_await here.raw(Command("PING"));
        auto const meanwhile = co_await there.enter(use_of(2));
        BOOST_TEST(is_in_flight(meanwhile));
    });
}

BOOST_AUTO_TEST_CASE(what_is_no_record_of_ours_is_gone_past_and_replaced_by_the_answer) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House&) -> Nothing {
        auto const answer = encode_answer(use_of(9).fingerprint, 201, "{}");
        std::vector<Command> garbage;
        auto const key = redis_key_of(9);
        garbage.emplace_back("SET", key, "processing");
        garbage.emplace_back("SET", key, "");
        garbage.emplace_back("SET", key, std::string_view(answer).substr(0, answer.size() - 1));
        garbage.emplace_back("SETRANGE", key, 3, "garbage");
        garbage.emplace_back("LPUSH", key, "x");
        garbage.emplace_back("HSET", key, "x", "y");
        garbage.emplace_back("INCR", key);
        for (auto const& command : garbage) {
            co_await here.raw(Command("DEL", key));
            co_await here.raw(command);
            {
                // A rejection leaves alone what is not ours …
                auto const rejected = co_await here.enter(use_of(9));
                BOOST_TEST(is_ticket(rejected));
            }
            auto const kept = co_await here.raw(Command("EXISTS", key));
            BOOST_TEST(kept == Reply::of(1));
            auto accepted = co_await here.enter(use_of(9));
            finish(accepted, 201, "healed");
            auto const repeated = co_await here.enter(use_of(9));
            BOOST_TEST(is_replay(repeated, 201, "healed"));
        }
        BOOST_TEST(here.metrics().bypassed_malformed.get() == 10U);
        BOOST_TEST(here.metrics().bypassed_refused.get() == 4U);
        BOOST_TEST(here.metrics().breaker_openings.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(the_mark_of_another_server_is_not_released_but_an_answer_replaces_it) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House& there) -> Nothing {
        auto const set = [](int lease) {
            return Command("SET", redis_key_of(1), mark_of(99, 1), "PX", lease);
        };
        {
            auto const ours = co_await here.enter(use_of(1));
            auto const stolen = set(60'000);
            co_await here.raw(stolen);
        }
        co_await here.raw(Command("PING"));
        auto const theirs = co_await there.enter(use_of(1));
        BOOST_TEST(is_in_flight(theirs));

        co_await here.raw(Command("DEL", redis_key_of(1)));
        auto ours = co_await here.enter(use_of(1));
        auto const stolen = set(60'000);
        co_await here.raw(stolen);
        finish(ours, 201, "committed");
        co_await here.raw(Command("PING"));
        auto const repeated = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(repeated, 201, "committed"));
    });
}

BOOST_AUTO_TEST_CASE(a_mark_that_never_ends_or_is_our_own_blocks_nobody) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House& there) -> Nothing {
        auto const theirs = encode(EdgeMark{99, 1});
        co_await here.raw(Command("SET", redis_key_of(1), theirs));
        auto const eternal = co_await here.enter(use_of(1));
        BOOST_TEST(is_ticket(eternal));
        co_await here.raw(Command("SET", redis_key_of(2), theirs, "PX", 3'600'000));
        auto const too_long = co_await here.enter(use_of(2));
        BOOST_TEST(is_ticket(too_long));
        // Left by a request of this very event loop, which knows that it runs no more.
        co_await here.raw(Command("SET", redis_key_of(3), mark_of(1, 77), "PX", 60'000));
        {
            auto const own = co_await here.enter(use_of(3));
            BOOST_TEST(is_ticket(own));
        }
        co_await here.raw(Command("PING"));
        auto const released = co_await there.enter(use_of(3));
        BOOST_TEST(is_ticket(released));
    });
}

BOOST_AUTO_TEST_CASE(a_reply_that_comes_late_costs_the_wait_and_leaves_no_mark) {
    RedisServer server;
    auto options = unhurried();
    options.command_max = milliseconds{5};
    with_houses(server, options, [](House& here, House& there) -> Nothing {
        co_await there.raw(Command("CLIENT", "PAUSE", 60'000, "WRITE"));
        {
            auto const entry = co_await here.enter(use_of(1));
            BOOST_TEST(is_ticket(entry));
        }
        BOOST_TEST(here.metrics().bypassed_late.get() == 1U);
        // The mark is set when the pause ends, and released right behind it.
        auto const unset = co_await there.raw(Command("EXISTS", redis_key_of(1)));
        BOOST_TEST(unset == Reply::of(0));
        co_await there.raw(Command("CLIENT", "UNPAUSE"));
        co_await here.raw(Command("SET", "behind", "1"));
        auto const left = co_await here.raw(Command("EXISTS", redis_key_of(1)));
        BOOST_TEST(left == Reply::of(0));
    });
}

BOOST_AUTO_TEST_CASE(a_frozen_redis_costs_a_few_requests_the_wait_and_the_rest_nothing) {
    RedisServer server;
    auto options = unhurried();
    options.command_max = milliseconds{5};
    with_houses(server, options, [&](House& here, House&) -> Nothing {
        server.freeze();
        auto const began = steady_now();
        int key = 0;
        while (here.metrics().bypassed_breaker.get() < 50) {
            auto const entry = co_await here.enter(use_of(++key));
            BOOST_REQUIRE(is_ticket(entry));
        }
        // Those who found it out, and a probe after each pause.
        auto const pauses = (steady_now() - began) / options.breaker.cool_down_first;
        BOOST_TEST(here.metrics().bypassed_late.get() >= 3U);
        BOOST_TEST(here.metrics().bypassed_late.get() <= static_cast<std::uint64_t>(3 + pauses));
        BOOST_TEST(here.metrics().breaker_openings.get() >= 1U);
        server.thaw();
        auto const limit = patient();
        bool works = false;
        while (!works && steady_now() < limit) {
            auto const before = here.metrics().marked.get();
            auto const entry = co_await here.enter(use_of(200));
            works = here.metrics().marked.get() > before;
            co_await reactor::sleep_until(in(milliseconds{5}));
        }
        BOOST_TEST(works);
    });
}

BOOST_AUTO_TEST_CASE(without_redis_nobody_waits_and_what_could_not_be_told_is_told_later) {
    RedisServer server;
    auto options = unhurried();
    options.lease = milliseconds{30'000};
    with_houses(server, options, [&](House& here, House& there) -> Nothing {
        std::vector<Edge::Entry> open;
        for (int key : {1, 2}) open.push_back(co_await here.enter(use_of(key)));
        server.kill();
        co_await wait_until([&] { return !here.client.up() && !there.client.up(); });
        finish(open[0], 201, "told later");
        open.clear();
        auto const began = steady_now();
        for (int key = 10; key < 110; ++key) {
            auto const entry = co_await here.enter(use_of(key));
            BOOST_REQUIRE(is_ticket(entry));
        }
        // Two waits would have taken that long.
        BOOST_TEST((steady_now() - began < 2 * options.command_max));
        BOOST_TEST(here.metrics().bypassed_down.get() == 100U);

        server.start();
        bool const up = co_await here.client.up_before(patient());
        bool const both = co_await there.client.up_before(patient());
        BOOST_REQUIRE((up && both));
        // As if Redis had kept its data: the mark of the second one is still there.
        co_await here.raw(Command("SET", redis_key_of(2), mark_of(1, 2), "PX", 60'000));
        auto const any = co_await here.enter(use_of(5));
        BOOST_TEST(is_ticket(any));
        auto const first = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(first, 201, "told later"));
        auto const second = co_await there.enter(use_of(2));
        BOOST_TEST(is_ticket(second));
    });
}

BOOST_AUTO_TEST_CASE(a_full_redis_is_left_alone_after_a_few_refusals) {
    RedisServer server;
    with_houses(server, unhurried(), [](House& here, House&) -> Nothing {
        co_await here.raw(Command("CONFIG", "SET", "maxmemory", "1"));
        for (int key = 0; key < 100; ++key) {
            auto entry = co_await here.enter(use_of(key));
            finish(entry, 201, "{}");
        }
        BOOST_TEST(here.metrics().bypassed_refused.get() >= 3U);
        BOOST_TEST(here.metrics().bypassed_breaker.get() >= 50U);
        BOOST_TEST(here.metrics().marked.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_long_answer_is_left_to_the_database) {
    RedisServer server;
    auto options = unhurried();
    options.body_bytes_max = 100;
    with_houses(server, options, [](House& here, House& there) -> Nothing {
        auto longest = co_await here.enter(use_of(1));
        finish(longest, 200, std::string(100, 'x'));
        auto longer = co_await here.enter(use_of(2));
        finish(longer, 200, std::string(101, 'x'));
        co_await here.raw(Command("PING"));
        auto const kept = co_await there.enter(use_of(1));
        BOOST_TEST(is_replay(kept, 200, std::string(100, 'x')));
        auto const left = co_await there.enter(use_of(2));
        BOOST_TEST(is_ticket(left));
        BOOST_TEST(here.metrics().answers_too_large.get() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(two_databases_on_one_redis_do_not_see_each_others_keys) {
    RedisServer server;
    with_houses(server, unhurried(), [&](House& here, House&) -> Nothing {
        auto options = unhurried();
        options.database.bytes[3] = 1;
        Edge other(&here.client, options, 3);
        auto first = co_await here.enter(use_of(1));
        auto second = co_await other.enter(organization, use_of(1), patient());
        BOOST_TEST(is_ticket(second));
        finish(first, 201, "first");
        finish(second, 201, "second");
        auto const mine = co_await here.enter(use_of(1));
        BOOST_TEST(is_replay(mine, 201, "first"));
        auto const theirs = co_await other.enter(organization, use_of(1), patient());
        BOOST_TEST(is_replay(theirs, 201, "second"));
    });
}

BOOST_AUTO_TEST_CASE(where_there_is_no_redis_a_key_in_flight_here_is_still_refused) {
    run([]() -> Nothing {
        Edge edge(nullptr, EdgeOptions(), 1);
        {
            auto first = co_await edge.enter(organization, use_of(1), patient());
            BOOST_TEST(is_ticket(first));
            auto const again = co_await edge.enter(organization, use_of(1), patient());
            BOOST_TEST(is_in_flight(again));
            auto const other = co_await edge.enter(organization, use_of(2), patient());
            BOOST_TEST(is_ticket(other));
            finish(first, 201, "{}");
        }
        auto const later = co_await edge.enter(organization, use_of(1), patient());
        BOOST_TEST(is_ticket(later));
    });
}

BOOST_AUTO_TEST_SUITE_END()
