#include "cache/hot_journal.hpp"

#include "tests/cache/till.hpp"

namespace penstock::tests {
namespace {

using Entries = std::optional<std::vector<ReadEntry>>;

constexpr milliseconds at_once{0};

/// A till with alice and bob, and two servers that read its journal.
struct Drained {
    explicit Drained(Till& its_till)
        : till(its_till), journal(its_till.client, its_till.books.options().database) {}

    Nothing open() {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
    }
    asio::awaitable<Entries> read(std::string consumer, std::size_t limit = 100) {
        auto const entries =
            co_await journal.read(till.ledger.id, std::move(consumer), limit, patient());
        co_return sure(entries);
    }
    asio::awaitable<Entries> take_over(std::string consumer) {
        auto const entries = co_await journal.take_over(till.ledger.id, std::move(consumer),
                                                        at_once, 100, patient());
        co_return sure(entries);
    }
    asio::awaitable<bool> settle(std::int64_t epoch, std::int64_t drained,
                                 std::vector<std::int64_t> entries,
                                 std::vector<HoldId> ended = {}) {
        auto const settled = co_await journal.settle(
            till.ledger.id, epoch, drained, std::move(entries), std::move(ended), patient());
        co_return sure(settled);
    }
    asio::awaitable<std::optional<HotStanding>> look() {
        auto const standing = co_await journal.look(till.ledger.id, patient());
        co_return sure(standing);
    }
    asio::awaitable<std::int64_t> length() {
        auto const reply = co_await till.say(cache::Command("XLEN", till.key("journal")));
        co_return reply.number;
    }

    Till& till;
    HotJournal journal;
};

void with_journal(std::function<Nothing(Drained&)> body) {
    with_till([&](Till& till) -> Nothing {
        Drained drained(till);
        co_await drained.open();
        co_await body(drained);
    });
}

std::vector<std::int64_t> positions(Entries const& entries) {
    std::vector<std::int64_t> all;
    for (auto const& entry : entries.value()) all.push_back(entry.position);
    return all;
}

std::vector<std::int64_t> const first{1};
std::vector<std::int64_t> const second{2};
std::vector<std::int64_t> const first_two{1, 2};
std::vector<std::int64_t> const first_three{1, 2, 3};

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_journal)

BOOST_AUTO_TEST_CASE(an_entry_is_handed_to_one_reader_and_reads_as_it_was_answered) {
    with_journal([](Drained& drained) -> Nothing {
        auto const answer = co_await drained.till.perform(to_bob(1), use_of(1));
        co_await drained.till.move("alice", "bob", 2);
        auto const ours = co_await drained.read("ours", 1);
        BOOST_TEST(positions(ours) == first);
        BOOST_TEST((ours->front().entry == std::get<HotPosted>(answer).entry));
        auto const theirs = co_await drained.read("theirs");
        BOOST_TEST(positions(theirs) == second);
        auto const nothing = co_await drained.read("ours");
        BOOST_TEST(nothing->empty());
    });
}

BOOST_AUTO_TEST_CASE(what_a_dead_reader_had_is_taken_over_until_it_is_settled) {
    with_journal([](Drained& drained) -> Nothing {
        for (int i = 0; i < 3; ++i) co_await drained.till.move("alice", "bob", 1);
        co_await drained.read("dead");
        auto const taken = co_await drained.take_over("ours");
        BOOST_TEST(positions(taken) == first_three);
        bool const settled = co_await drained.settle(1, 2, first_two);
        BOOST_TEST(settled);
        auto const rest = co_await drained.take_over("theirs");
        BOOST_TEST(rest->size() == 1U);
        BOOST_TEST(rest->front().position == 3);
    });
}

BOOST_AUTO_TEST_CASE(only_what_the_store_has_is_trimmed) {
    with_journal([](Drained& drained) -> Nothing {
        for (int i = 0; i < 3; ++i) co_await drained.till.move("alice", "bob", 1);
        co_await drained.read("ours");
        co_await drained.settle(1, 1, first);
        auto length = co_await drained.length();
        BOOST_TEST(length == 2);
        auto standing = co_await drained.look();
        BOOST_TEST(standing->position == 3);
        BOOST_TEST(standing->drained == 1);
        BOOST_TEST((standing->oldest_entry == noon));
        // Late news of less than is known changes nothing.
        co_await drained.settle(1, 3, first_three);
        co_await drained.settle(1, 2, second);
        standing = co_await drained.look();
        BOOST_TEST(standing->drained == 3);
        BOOST_TEST(!standing->oldest_entry);
        length = co_await drained.length();
        BOOST_TEST(length == 0);
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_settled_for_an_earlier_epoch_and_all_is_handed_out_again) {
    with_journal([](Drained& drained) -> Nothing {
        for (int i = 0; i < 3; ++i) co_await drained.till.move("alice", "bob", 1);
        co_await drained.read("ours");
        co_await drained.till.open(2, 1);
        bool const settled = co_await drained.settle(1, 3, first_three);
        BOOST_TEST(!settled);
        auto const again = co_await drained.read("theirs");
        BOOST_TEST(again->size() == 2U);
        auto const standing = co_await drained.look();
        BOOST_TEST(standing->epoch == 2);
        BOOST_TEST(standing->drained == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_hold_that_ended_leaves_the_books_with_its_entry_and_is_not_loaded_as_open) {
    with_journal([](Drained& drained) -> Nothing {
        auto& till = drained.till;
        auto const answer = co_await till.perform(hold_of(60));
        auto const hold = placed(answer);
        domain::Command const giving_up = VoidHold{till.ledger.id, hold};
        co_await till.say(cache::Command("HDEL", till.key("holds"), hold.id.to_string()));
        auto const cold = co_await till.perform(giving_up);
        auto const token = std::get<HotCold>(cold).token;
        std::vector<Hold> const open{hold};
        co_await till.load_holds(token, open);
        co_await till.perform(giving_up);
        std::vector<HoldId> const ended{hold.id};
        co_await drained.settle(1, 2, first_two, ended);
        auto const late = co_await till.load_holds(token, open);
        BOOST_TEST((late == HotLoaded::stale));
        auto const kept = co_await till.say(cache::Command("HLEN", till.key("holds")));
        BOOST_TEST(kept.number == 1);
    });
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_entry_are_read_as_such_and_laid_aside) {
    with_journal([](Drained& drained) -> Nothing {
        auto& till = drained.till;
        co_await till.say(
            cache::Command("XADD", till.key("journal"), "1-0", "entry", "0 1 2 3\nrubbish"));
        auto const entries = co_await drained.read("ours");
        BOOST_REQUIRE(entries->size() == 1U);
        BOOST_TEST(!entries->front().entry);
        BOOST_TEST(entries->front().text == "0 1 2 3\nrubbish");
        auto const entry = entries->front();
        auto const buried =
            co_await drained.journal.bury(till.ledger.id, entry, "no entry", noon, patient());
        BOOST_TEST(sure(buried));
        auto const standing = co_await drained.look();
        BOOST_TEST(standing->dead_letters == 1);
    });
}

BOOST_AUTO_TEST_CASE(where_too_much_was_laid_aside_the_journal_keeps_what_it_has) {
    with_journal([](Drained& drained) -> Nothing {
        auto& till = drained.till;
        co_await till.move("alice", "bob", 1);
        constexpr char const* fill =
            "for i = 1, 10000 do redis.call('XADD', KEYS[1], '*', 'at', '1') end";
        co_await till.say(cache::Command("EVAL", fill, 1, till.key("dead")));
        auto const entries = co_await drained.read("ours");
        auto const entry = entries->front();
        auto const refused =
            co_await drained.journal.bury(till.ledger.id, entry, "refused", noon, patient());
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().text.starts_with("FULL"));
        auto length = co_await drained.length();
        BOOST_TEST(length == 1);
        co_await till.say(cache::Command("XTRIM", till.key("dead"), "MAXLEN", 9'999));
        auto const buried =
            co_await drained.journal.bury(till.ledger.id, entry, "refused", noon, patient());
        BOOST_TEST(sure(buried));
        length = co_await drained.length();
        BOOST_TEST(length == 0);
    });
}

BOOST_AUTO_TEST_CASE(thousands_of_entries_are_settled_at_once) {
    with_journal([](Drained& drained) -> Nothing {
        auto& till = drained.till;
        constexpr std::int64_t count = 9'000;
        constexpr char const* fill =
            "for i = 1, 9000 do redis.call('XADD', KEYS[1], i .. '-0', 'entry', 'one') end";
        co_await till.say(cache::Command("EVAL", fill, 1, till.key("journal")));
        auto const entries = co_await drained.read("ours", count);
        BOOST_REQUIRE(entries->size() == static_cast<std::size_t>(count));
        bool const settled = co_await drained.settle(1, count, positions(entries));
        BOOST_TEST(settled);
        auto const length = co_await drained.length();
        BOOST_TEST(length == 0);
        auto const pending =
            co_await till.say(cache::Command("XPENDING", till.key("journal"), "drain"));
        BOOST_REQUIRE(!pending.elements.empty());
        BOOST_TEST(pending.elements.front().number == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_journal_without_its_group_says_so) {
    with_journal([](Drained& drained) -> Nothing {
        co_await drained.till.say(cache::Command("FLUSHALL"));
        auto const entries = co_await drained.read("ours");
        BOOST_TEST(!entries);
        auto const taken = co_await drained.take_over("ours");
        BOOST_TEST(!taken);
        auto const standing = co_await drained.look();
        BOOST_TEST(!standing);
        bool const settled = co_await drained.settle(1, 1, first);
        BOOST_TEST(!settled);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
