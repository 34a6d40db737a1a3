// Does one ledger whose rows cannot be ended keep any other ledger's rows waiting?
#include "server/expiry.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

#include "db/pg/error.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::domain;
using namespace penstock::server;

namespace {

class FixedClock final : public Clock {
public:
    Instant now() noexcept override { return {1'800'000'000'000}; }
};

/// Every byte the same: a pause is none with 0, the longest one with 255.
class OneByte final : public IdSource {
public:
    void fill(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, byte); }
    std::uint8_t byte = 0xff;
};

LedgerId ledger(std::uint64_t n) { return {make_uuid7({1}, 0, n)}; }

/// Due rows of some ledgers, the longest overdue first, and lanes that the test may jam.
struct Fixture {
    Expiry& expiry() {
        if (!expiry_) {
            auto submit = [this](Envelope envelope,
                                 SteadyTime) -> asio::awaitable<Result<Outcome>> {
                return end(std::get<ExpireHolds>(envelope.command));
            };
            auto told = [this](LedgerId of, error_code error) {
                failures.push_back(of);
                BOOST_TEST((error == db::Errc::unavailable));
            };
            expiry_ = std::make_unique<Expiry>(submit, clock, ids, options, told);
        }
        return *expiry_;
    }

    void add(std::uint64_t of, int holds) {
        Hold hold;
        hold.ledger = ledger(of);
        for (int i = 0; i < holds; ++i) {
            hold.id = {make_uuid7({2}, 0, ++made)};
            due.push_back(hold);
        }
    }

    /// What a round says that it ended.
    Result<std::size_t> round() {
        Result<std::size_t> ended = std::size_t{0};
        auto body = [&]() -> asio::awaitable<void> {
            auto const list = [this](db::DuePage page, SteadyTime) { return listed(page); };
            auto const deadline = steady_now() + std::chrono::seconds{20};
            ended = co_await expiry().run_once<ExpireHolds>(list, deadline);
        };
        tests::run(body);
        return ended;
    }

    asio::awaitable<Result<std::vector<Hold>>> listed(db::DuePage page) {
        without = page.without;
        if (list_error) co_return list_error;
        std::vector<Hold> rows;
        for (auto const& hold : due) {
            bool const left_out = std::ranges::find(without, hold.ledger) != without.end();
            if (!left_out && rows.size() < page.limit) rows.push_back(hold);
        }
        co_return rows;
    }

    asio::awaitable<Result<Outcome>> end(ExpireHolds command) {
        asked.push_back(command.ledger);
        if (jammed.contains(command.ledger)) co_return db::Errc::unavailable;
        for (auto const& original : command.originals)
            std::erase_if(due, [&](Hold const& hold) { return hold.id == original.id; });
        Receipt receipt;
        receipt.what = Done{command.originals.size()};
        co_return Outcome(receipt);
    }

    FixedClock clock;
    OneByte ids;
    ExpiryOptions options;
    std::vector<Hold> due;
    std::set<LedgerId> jammed;
    std::vector<LedgerId> asked;     ///< in the order of their commands
    std::vector<LedgerId> failures;  ///< that somebody was told of
    std::vector<LedgerId> without;   ///< of the last list
    error_code list_error;
    std::uint64_t made = 0;

private:
    std::unique_ptr<Expiry> expiry_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(expiry_rounds, Fixture)

BOOST_AUTO_TEST_CASE(a_round_ends_what_is_due_with_one_command_per_ledger) {
    add(1, 3);
    add(2, 2);
    add(1, 1);
    auto const ended = round();
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(*ended == 6u);
    BOOST_TEST(asked.size() == 2u);
    BOOST_TEST(due.empty());
    auto const again = round();
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(*again == 0u);
}

BOOST_AUTO_TEST_CASE(a_ledger_that_fails_makes_way_for_those_behind_it) {
    options.batch = 4;
    options.pauses = {std::chrono::hours{1}, std::chrono::hours{1}, milliseconds{0}};
    add(1, 100);
    add(2, 3);
    jammed.insert(ledger(1));
    auto const nothing = round();
    BOOST_REQUIRE(nothing.has_value());
    BOOST_TEST(*nothing == 0u);
    BOOST_TEST((failures == std::vector{ledger(1)}));
    auto const ended = round();
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(*ended == 3u);
    BOOST_TEST((without == std::vector{ledger(1)}));
    BOOST_TEST(expiry().metrics().left_out.get() == 1u);
    BOOST_TEST(expiry().metrics().failures.get() == 1u);
}

BOOST_AUTO_TEST_CASE(a_failure_in_the_middle_of_a_round_stops_nobody_elses) {
    for (std::uint64_t of = 1; of <= 5; ++of) add(of, 2);
    jammed = {ledger(2), ledger(4)};
    auto const ended = round();
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(*ended == 6u);
    BOOST_TEST(asked.size() == 5u);
    BOOST_TEST(failures.size() == 2u);
}

BOOST_AUTO_TEST_CASE(after_its_pause_a_ledger_is_tried_again_behind_the_others) {
    ids.byte = 0;  // the pause is none at all
    add(1, 2);
    jammed.insert(ledger(1));
    round();
    add(2, 1);
    asked.clear();
    round();
    BOOST_TEST(without.empty());
    BOOST_TEST((asked == std::vector{ledger(2), ledger(1)}));
    jammed.clear();
    auto const ended = round();
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(*ended == 2u);
    BOOST_TEST(failures.size() == 2u);
    // Its success forgot the failures: it comes first again.
    add(1, 1);
    add(2, 1);
    asked.clear();
    round();
    BOOST_TEST((asked == std::vector{ledger(1), ledger(2)}));
}

BOOST_AUTO_TEST_CASE(of_too_many_that_fail_the_latest_are_left_out) {
    options.left_out_max = 3;
    options.pauses = {std::chrono::hours{1}, std::chrono::hours{1}, milliseconds{0}};
    for (std::uint64_t of = 1; of <= 5; ++of) {
        add(of, 1);
        jammed.insert(ledger(of));
    }
    round();
    round();
    BOOST_TEST(without.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_list_that_fails_is_the_failure_of_the_round) {
    add(1, 1);
    list_error = db::Errc::unavailable;
    auto const ended = round();
    BOOST_TEST(!ended.has_value());
    BOOST_TEST(asked.empty());
}

BOOST_AUTO_TEST_SUITE_END()
