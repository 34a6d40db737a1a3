// What the watchers of a sale are told, and when.
#include <sys/resource.h>

#include <algorithm>

#include "tests/e2e/shop.hpp"
#include "tests/support/event_stream.hpp"

namespace penstock::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string events_of(std::string const& product) { return Shop::sale(product) + "/events"; }

/// The states as they come until `until` holds of one of them; fails when it never does.
template <class Until>
std::vector<json::value> watch(EventStream& stream, Until until) {
    std::vector<json::value> states;
    auto const deadline = Clock::now() + 20s;
    while (Clock::now() < deadline) {
        auto const event = stream.next();
        BOOST_REQUIRE_MESSAGE(event, "the stream has ended, or says nothing");
        BOOST_TEST(event->name == "sale");
        states.push_back(event->document());
        if (until(states.back())) return states;
    }
    BOOST_FAIL("what was waited for did not come");
    return states;
}

auto has_remaining(std::int64_t remaining) {
    return [remaining](json::value const& state) {
        return state.at("remaining").as_int64() == remaining;
    };
}

/// For a socket per watcher here; the server sees to itself.
void allow_descriptors(rlim_t wanted) {
    rlimit limit{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    BOOST_REQUIRE(limit.rlim_max >= wanted);
    limit.rlim_cur = std::max(limit.rlim_cur, wanted);
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/// Many who watch one sale, each on a connection of its own, and have been told how it stands.
class Watchers {
public:
    Watchers(ServerProcess const& server, std::string const& product, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            streams_.push_back(std::make_unique<EventStream>(server.port(), events_of(product)));
        for (auto& stream : streams_) BOOST_REQUIRE(bool(stream->next()));
    }

    /// How many states each was told, up to the one in which nothing is left; 0: never that one.
    std::vector<std::size_t> watch_until_sold_out() {
        constexpr std::size_t readers = 10;
        std::vector<std::size_t> told(streams_.size());
        std::vector<std::jthread> threads;
        for (std::size_t first = 0; first < readers; ++first)
            threads.emplace_back([this, first, &told] {
                for (auto i = first; i < streams_.size(); i += readers) told[i] = watch(i);
            });
        threads.clear();
        return told;
    }
    void leave() { streams_.clear(); }

private:
    std::size_t watch(std::size_t number) {
        for (std::size_t told = 1;; ++told) {
            auto const event = streams_[number]->next();
            if (!event) return 0;
            if (event->document().at("remaining").as_int64() == 0) return told;
        }
    }

    std::vector<std::unique_ptr<EventStream>> streams_;
};

BOOST_AUTO_TEST_SUITE(sale_events)

BOOST_AUTO_TEST_CASE(a_watcher_is_told_the_sale_at_once_and_every_change) {
    ServerProcess server({});
    Shop shop(server);
    auto const product = shop.new_product(5);
    EventStream stream(server.port(), events_of(product));
    BOOST_TEST(stream.head().starts_with("HTTP/1.1 200 "));
    for (auto const* line : {"Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n"})
        BOOST_TEST(stream.head().find(line) != std::string::npos, stream.head());
    auto const first = stream.next();
    BOOST_TEST_REQUIRE(bool(first));
    auto sale = shop.sale_of(product).as_object();
    auto told = first->document().as_object();
    sale.erase("server_time");
    told.erase("server_time");
    BOOST_TEST(json::serialize(told) == json::serialize(sale));
    auto const ordered = shop.order(product, "ann");
    watch(stream, has_remaining(4));
    shop.cancel(product, ordered);
    watch(stream, has_remaining(5));
    shop.restock(product, 3);
    watch(stream, has_remaining(8));
}

BOOST_AUTO_TEST_CASE(start_and_end_are_told_by_the_clock_alone) {
    ServerProcess server({});
    Shop shop(server);
    auto const has_ended = [](json::value const& state) {
        return text_of(state, "status") == "ended";
    };
    in_time(700, [&](std::int64_t ms) {
        auto const product = shop.new_product(5, ",\"ends_at\":" + in_ms(2 * ms), in_ms(ms));
        EventStream stream(server.port(), events_of(product));
        auto const states = watch(stream, has_ended);
        BOOST_TEST(states.size() <= 3U);
        if (states.size() < 3U) return false;
        BOOST_TEST(text_of(states[0], "status") == "upcoming");
        BOOST_TEST(text_of(states[1], "status") == "active");
        for (auto const& state : {states[1], states[2]}) {
            bool const starts = text_of(state, "status") == "active";
            auto const edge = text_of(state, starts ? "starts_at" : "ends_at");
            auto const told_at = text_of(state, "server_time");
            BOOST_TEST(*server::parse_instant(told_at) >= *server::parse_instant(edge));
        }
        return true;
    });
}

BOOST_AUTO_TEST_CASE(a_watcher_is_told_at_most_ten_times_a_second_and_the_last_state_in_the_end) {
    ServerProcess server({});
    Shop shop(server);
    auto const product = shop.new_product(300);
    EventStream stream(server.port(), events_of(product));
    BOOST_TEST_REQUIRE(bool(stream.next()));
    auto const began = Clock::now();
    std::jthread const buyer([&] {
        Shop other(server);
        for (int i = 0; i < 300; ++i) other.order(product, "user-" + std::to_string(i));
    });
    auto const states = watch(stream, has_remaining(0));
    auto const elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    BOOST_TEST(static_cast<double>(states.size()) <= elapsed * 10 + 1);
    BOOST_TEST(text_of(states.back(), "status") == "sold_out");
    std::int64_t before = 300;
    for (auto const& state : states) {
        BOOST_TEST(state.at("remaining").as_int64() < before);
        before = state.at("remaining").as_int64();
    }
}

BOOST_AUTO_TEST_CASE(who_comes_back_with_the_last_id_is_told_only_what_is_new) {
    ServerProcess server({"--sale-heartbeat-ms", "100"});
    Shop shop(server);
    auto const product = shop.new_product(5);
    std::string last_id;
    {
        EventStream stream(server.port(), events_of(product));
        auto const event = stream.next();
        BOOST_TEST_REQUIRE(bool(event));
        last_id = event->id;
    }
    EventStream unchanged(server.port(), events_of(product), {{"Last-Event-ID", last_id}});
    auto const greeting = unchanged.next_block();
    BOOST_TEST_REQUIRE(bool(greeting));
    BOOST_TEST(greeting->starts_with("retry: "));
    BOOST_TEST(greeting->find("data: ") == std::string::npos);
    // Silence is filled with comments.
    auto const beat = unchanged.next_block();
    BOOST_TEST_REQUIRE(bool(beat));
    BOOST_TEST(beat->starts_with(": "));
    shop.order(product, "ann");
    auto const change = unchanged.next();
    BOOST_TEST_REQUIRE(bool(change));
    BOOST_TEST(change->id != last_id);
    EventStream behind(server.port(), events_of(product), {{"Last-Event-ID", last_id}});
    auto const missed = behind.next();
    BOOST_TEST_REQUIRE(bool(missed));
    BOOST_TEST(missed->id == change->id);
    BOOST_TEST(missed->document().at("remaining").as_int64() == 4);
}

BOOST_AUTO_TEST_CASE(watchers_of_two_servers_see_the_same_change) {
    Database database;
    ServerProcess one({"--database-url", url_of(database)});
    ServerProcess two({"--database-url", url_of(database)});
    Shop shop(one);
    auto const product = shop.new_product(5);
    EventStream here(one.port(), events_of(product));
    EventStream there(two.port(), events_of(product));
    watch(here, has_remaining(5));
    watch(there, has_remaining(5));
    shop.order(product, "ann");
    auto const seen_here = watch(here, has_remaining(4));
    auto const seen_there = watch(there, has_remaining(4));
    // A watcher who loses one server goes on where he was at the other.
    Shop at_two(two);
    at_two.order(product, "bob");
    watch(here, has_remaining(3));
    watch(there, has_remaining(3));
}

BOOST_AUTO_TEST_CASE(each_of_a_thousand_watchers_is_told_ten_times_a_second_and_the_last_state) {
    allow_descriptors(1'500);
    Database database;
    ServerProcess server({"--database-url", url_of(database)});
    Shop shop(server);
    constexpr int units = 100;
    auto const product = shop.new_product(units);
    Watchers watchers(server, product, 1'000);
    BOOST_TEST(metric(shop, "penstock_sale_watchers") == 1'000.0);
    // One feed on each of the two event loops at most.
    BOOST_TEST(metric(shop, "penstock_sale_feeds") <= 2.0);
    auto const began = Clock::now();
    auto const reads = metric(shop, "penstock_sale_feed_reads_total");
    std::jthread const buyer([&] {
        Shop other(server);
        for (int i = 0; i < units; ++i) other.order(product, "user-" + std::to_string(i));
    });
    auto const told = watchers.watch_until_sold_out();
    auto const elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    BOOST_TEST(std::ranges::min(told) > 0U, "somebody was not told the end");
    BOOST_TEST(static_cast<double>(std::ranges::max(told)) <= elapsed * 10 + 1);
    // However many watch: what they are told was read once on each event loop.
    auto const read = metric(shop, "penstock_sale_feed_reads_total") - reads;
    auto const passed = std::chrono::duration<double>(Clock::now() - began).count();
    BOOST_TEST(read <= 2 * (passed * 10 + 1));
    watchers.leave();
    await_that([&] { return metric(shop, "penstock_sale_watchers") == 0; }, "the last farewell");
    await_that([&] { return metric(shop, "penstock_sale_feeds") == 0; }, "the last feed's end");
}

BOOST_AUTO_TEST_CASE(a_watcher_too_many_is_told_so) {
    // The embedded store serves all clients on one thread.
    ServerProcess server({"--sale-watchers-max", "1"});
    Shop shop(server);
    auto const product = shop.new_product(5);
    EventStream first(server.port(), events_of(product));
    BOOST_TEST(bool(first.next()));
    auto const refused = shop.get(events_of(product));
    BOOST_TEST(refused.status == 503U);
    BOOST_TEST(refused.code() == "overloaded");
    BOOST_TEST(refused.header("retry-after") == "1");
    auto const head = shop.http().request("HEAD", Shop::sale(product));
    BOOST_TEST(head.status == 200U);
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_ends_its_streams_in_order) {
    ServerProcess server({});
    Shop shop(server);
    auto const product = shop.new_product(5);
    EventStream stream(server.port(), events_of(product));
    BOOST_TEST(bool(stream.next()));
    server.terminate();
    BOOST_TEST(!stream.next());
    // A drain that cuts it off has no word for that.
    BOOST_TEST(stream.is_ended_in_order());
    BOOST_TEST(server.exit_code().value_or(-1) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
