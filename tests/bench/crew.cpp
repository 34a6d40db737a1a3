// Is every piece of a set-up done once, by as many connections as there may be, and does a failure
// end it?
#include "bench/crew.hpp"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/mock_server.hpp"
#include "tests/support/run.hpp"

namespace penstock::bench {
namespace {

using tests::MockServer;

struct Seen {
    std::multiset<std::uint64_t> pieces;
    std::set<Client*> clients;
    std::vector<std::uint64_t> progress;
    std::string failure;
};

/// Each piece asks the server something; `failing` throws instead.
Seen work(CrewPlan plan, std::optional<std::uint64_t> failing = {}) {
    MockServer const server;
    Seen seen;
    plan.progress = [&](std::uint64_t done) { seen.progress.push_back(done); };
    Piece const piece = [&](Client& client, std::uint64_t number) -> asio::awaitable<void> {
        seen.pieces.insert(number);
        seen.clients.insert(&client);
        if (number == failing) throw Unusable("piece " + std::to_string(number));
        co_await client.get_ok("/healthz");
    };
    auto const target = Target::parse(server.url());
    auto body = [&]() -> asio::awaitable<void> {
        try {
            co_await work_through(*target, plan, piece);
        } catch (Unusable const& error) {
            seen.failure = error.what();
        }
    };
    tests::run(body);
    return seen;
}

BOOST_AUTO_TEST_SUITE(crew)

BOOST_AUTO_TEST_CASE(every_piece_is_done_once_over_all_connections) {
    CrewPlan plan;
    plan.pieces = 500;
    plan.connections = 8;
    auto const seen = work(plan);
    BOOST_TEST(seen.failure == "");
    BOOST_TEST(seen.pieces.size() == 500U);
    BOOST_TEST(std::set(seen.pieces.begin(), seen.pieces.end()).size() == 500U);
    BOOST_TEST(*seen.pieces.rbegin() == 499U);
    BOOST_TEST(seen.clients.size() == 8U);
    BOOST_TEST_REQUIRE(seen.progress.size() == 500U);
    for (std::uint64_t i = 0; i < 500; ++i) BOOST_TEST(seen.progress[i] == i + 1);
}

BOOST_AUTO_TEST_CASE(there_are_no_more_connections_than_pieces) {
    CrewPlan plan;
    plan.pieces = 3;
    plan.connections = 64;
    auto const few = work(plan);
    BOOST_TEST(few.pieces.size() == 3U);
    BOOST_TEST(few.clients.size() <= 3U);
    plan.pieces = 0;
    BOOST_TEST(work(plan).pieces.empty());
}

BOOST_AUTO_TEST_CASE(no_piece_begins_after_one_that_failed) {
    CrewPlan plan;
    plan.pieces = 500;
    plan.connections = 4;
    auto const seen = work(plan, 100);
    BOOST_TEST(seen.failure == "piece 100");
    BOOST_TEST(seen.pieces.contains(100));
    // Those under way have ended.
    BOOST_TEST(seen.progress.size() == seen.pieces.size() - 1);
    BOOST_TEST(*seen.pieces.rbegin() <= 104U);
}

BOOST_AUTO_TEST_CASE(a_set_up_that_takes_too_long_says_how_far_it_came) {
    CrewPlan plan;
    plan.pieces = 5;
    plan.time_max = std::chrono::seconds{-1};
    auto const seen = work(plan);
    BOOST_TEST(seen.pieces.empty());
    BOOST_TEST(seen.failure == "the set-up is not done in time: 0 of 5 pieces");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::bench
