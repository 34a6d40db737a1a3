// Rows that are older than their own transfers, after the books were lost: mended once, by whoever
// works on the ledger.
#include "server/hot/mend.hpp"

#include "db/pg/error.hpp"
#include "tests/server/hot/home.hpp"

using namespace penstock;
using namespace penstock::tests;

namespace {

server::MendOptions small_pages(std::size_t page = 2) {
    server::MendOptions options;
    options.page = page;
    options.pauses = {milliseconds{1}, milliseconds{2}, milliseconds{0}};
    return options;
}

/// Transfers came home, and no balance; then Redis lost everything.
Nothing lose_books(Home& home) {
    co_await home.post(3);
    auto& drain = home.drain();
    co_await eventually([&] { return home.drain_metrics.entries.get() == 4; });
    co_await home.stop(drain);
    home.talk("FLUSHALL");
    co_await home.open_epoch(4);
    home.asked = 0;
}

asio::awaitable<std::int64_t> unmended(Home& home) {
    auto const standing = co_await home.journal.look(home.till.ledger.id, patient());
    co_return standing.value().value().unmended;
}

Nothing check_is_mended(Home& home) {
    auto const alice = co_await home.in_store("alice");
    BOOST_TEST(alice.standing.balance == 997);
    BOOST_TEST(alice.standing.version == 4);
    auto const bob = co_await home.in_store("bob");
    BOOST_TEST(bob.standing.balance == 3);
    co_await home.check_not_ahead();
    BOOST_TEST(home.sync_metrics.mended.get() == 3U);
    auto const left = co_await unmended(home);
    BOOST_TEST(left == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_mend)

BOOST_AUTO_TEST_CASE(who_is_behind_is_written_whichever_page_he_is_on) {
    for (std::size_t const page : {1U, 2U, 5U, 6U, 100U}) {
        with_home([page](Home& home) -> Nothing {
            co_await lose_books(home);
            auto const before = co_await home.in_store("alice");
            BOOST_TEST(before.standing.version == 0);
            auto const base = co_await unmended(home);
            BOOST_TEST(base == home.epoch);
            co_await home.mend(small_pages(page));
            co_await check_is_mended(home);
        });
    }
}

BOOST_AUTO_TEST_CASE(what_was_mended_is_not_looked_at_again) {
    with_home([](Home& home) -> Nothing {
        co_await lose_books(home);
        co_await home.mend(small_pages());
        auto const asked = home.asked;
        co_await home.mend(small_pages());
        BOOST_TEST(home.asked == asked);
    });
}

BOOST_AUTO_TEST_CASE(new_books_of_a_ledger_that_was_never_drained_need_none) {
    with_home([](Home& home) -> Nothing {
        auto const base = co_await unmended(home);
        BOOST_TEST(base == 0);
        co_await home.mend(small_pages());
        BOOST_TEST(home.asked == 0);
    });
}

BOOST_AUTO_TEST_CASE(what_the_store_does_not_take_is_tried_again) {
    with_home([](Home& home) -> Nothing {
        co_await lose_books(home);
        int refusals = 3;
        home.refuse = [&](domain::Command const&) -> error_code {
            return refusals-- > 0 ? make_error_code(db::Errc::unavailable) : error_code();
        };
        co_await home.mend(small_pages());
        BOOST_TEST(home.sync_metrics.failures.get() == 3U);
        co_await check_is_mended(home);
    });
}

BOOST_AUTO_TEST_CASE(books_that_were_built_anew_meanwhile_are_not_said_to_be_mended) {
    with_home([](Home& home) -> Nothing {
        co_await lose_books(home);
        auto const base = co_await unmended(home);
        home.talk("FLUSHALL");
        co_await home.open_epoch(4);
        auto const ledger = home.till.ledger.id;
        auto const is_said = co_await home.schedule.mended(ledger, base, patient());
        BOOST_TEST((is_said && !*is_said));
        auto const left = co_await unmended(home);
        BOOST_TEST(left == home.epoch);
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_written_for_an_epoch_that_is_over) {
    with_home([](Home& home) -> Nothing {
        co_await lose_books(home);
        // Begun in the store, before the books are of it.
        domain::BeginEpoch later;
        later.ledger = home.till.ledger.id;
        co_await home.command(later);
        co_await home.mend(small_pages());
        BOOST_TEST(home.sync_metrics.mended.get() == 0U);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.version == 0);
        auto const left = co_await unmended(home);
        BOOST_TEST(left == home.epoch);
    });
}

BOOST_AUTO_TEST_SUITE_END()
