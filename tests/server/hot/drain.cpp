#include "server/hot/drain.hpp"

#include "tests/server/hot/home.hpp"

namespace penstock::tests {
namespace {

using What = HotNotice::What;

constexpr milliseconds long_pause{3'600'000};

/// The amount of a transfer among the entries that are to be booked.
bool books(domain::Command const& command, Amount amount) {
    auto const* book = std::get_if<BookJournal>(&command);
    if (book == nullptr) return false;
    for (auto const& entry : book->entries)
        for (auto const& item : entry.items)
            if (std::holds_alternative<Transfer>(item) && std::get<Transfer>(item).amount == amount)
                return true;
    return false;
}

Nothing come_home(Home& home, Drain& drain, std::int64_t position) {
    co_await eventually([&] { return drain.drained() >= position && home.length("journal") == 0; });
    auto const pending = home.talk("XPENDING", home.key("journal"), "drain");
    BOOST_TEST(pending.elements.at(0).number == 0);
}

/// Somebody else's bytes at the next position, which the books take for used.
void spoil(Home& home, std::string const& id, std::string const& field) {
    home.talk("XADD", home.key("journal"), id, field, "rubbish");
    if (!id.ends_with("-0")) return;
    auto line = home.talk("HGET", home.key("books"), "#").text;
    auto const begin = line.find(' ', line.find(' ') + 1) + 1;
    line.replace(begin, line.find(' ', begin) - begin, id.substr(0, id.size() - 2));
    home.talk("HSET", home.key("books"), "#", line);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_drain)

BOOST_AUTO_TEST_CASE(what_was_posted_comes_home_once_and_leaves_the_journal) {
    with_home([](Home& home) -> Nothing {
        auto& till = home.till;
        auto const bulk = bulk_of({1, 2, 3}, true);
        co_await till.perform(bulk, use_of(1));
        auto const answer = co_await till.perform(hold_of(60));
        domain::Command const capture = CaptureHold{till.ledger.id, placed(answer), 20};
        co_await till.perform(capture);
        co_await till.perform(movement_of(TransferKind::withdrawal, "alice", world_address, 4));
        auto& drain = home.drain();
        co_await come_home(home, drain, 7);
        co_await eventually([&] { return home.drain_metrics.entries.get() == 5U; });
        auto const entries = co_await home.history("alice");
        BOOST_TEST(entries.size() == 6U);
        BOOST_TEST(entries.front().from.balance_after == 970);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.held == 0);
        BOOST_TEST(alice.standing.version == 0);
        auto const holds = home.talk("HLEN", home.key("holds"));
        BOOST_TEST(holds.number == 1);
        BOOST_TEST(home.drain_metrics.dead_letters.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_full_batch_is_due_by_size_the_rest_by_age_and_all_of_it_where_nobody_waits) {
    with_home([](Home& home) -> Nothing {
        auto options = calm_drain();
        options.batch = {4, long_pause, 8, false};
        auto& by_size = home.drain(options, "by size");
        co_await home.post(4);
        co_await eventually([&] { return by_size.drained() == 4; });
        auto const& batches = home.drain_metrics.batches;
        BOOST_TEST(batches.batches_by_size.get() == 1U);
        // What is buffered comes home with the end of it.
        co_await eventually([&] {
            return home.talk("XPENDING", home.key("journal"), "drain").elements[0].number == 1;
        });
        co_await home.stop(by_size);
        BOOST_TEST(by_size.drained() == 5);
        BOOST_TEST((by_size.end() == HotEnd::cancelled));

        options.batch.delay_max = milliseconds{1};
        auto& by_age = home.drain(options, "by age");
        auto const before = batches.batches_by_age.get();
        co_await home.post();
        co_await come_home(home, by_age, 6);
        BOOST_TEST(batches.batches_by_age.get() == before + 1);
        co_await home.stop(by_age);

        options.batch = {4, long_pause, 8, true};
        auto& idle = home.drain(options);
        auto const by_idle = batches.batches_by_idle.get();
        co_await home.post();
        co_await come_home(home, idle, 7);
        BOOST_TEST(batches.batches_by_idle.get() == by_idle + 1);
    });
}

BOOST_AUTO_TEST_CASE(several_servers_drain_one_journal_in_its_order_and_each_entry_once) {
    with_home([](Home& home) -> Nothing {
        auto options = calm_drain();
        options.entries_at_once = 2;
        std::vector<Drain*> drains;
        for (auto const* const name : {"one", "two", "three"})
            drains.push_back(&home.drain(options, name));
        co_await home.post(200);
        co_await eventually([&] { return home.length("journal") == 0; });
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 200U);
        co_await eventually([&] { return home.drain_metrics.entries.get() == 201U; });
        BOOST_TEST(home.drain_metrics.lost.get() == 0U);
        co_await home.check_not_ahead();
    });
}

BOOST_AUTO_TEST_CASE(what_a_dead_server_was_given_is_taken_over) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        co_await home.journal.read(home.till.ledger.id, "dead", 2, patient());
        auto options = calm_drain();
        options.idle = milliseconds{20};
        auto& drain = home.drain(options);
        co_await come_home(home, drain, 4);
        BOOST_TEST(home.drain_metrics.taken_over.get() >= 2U);
        BOOST_TEST(home.drain_metrics.lost.get() == 0U);
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(what_a_server_was_given_in_a_reply_that_never_came_it_asks_for_again) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        co_await home.journal.read(home.till.ledger.id, "ours", 2, patient());
        auto& drain = home.drain();
        co_await come_home(home, drain, 4);
        BOOST_TEST(home.drain_metrics.taken_over.get() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(who_has_the_entries_before_is_waited_for_and_nothing_is_taken_for_lost) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        co_await home.journal.read(home.till.ledger.id, "slow", 2, patient());
        auto& fast = home.drain(calm_drain(), "fast");
        co_await eventually([&] { return home.drain_metrics.gaps.get() >= 5; });
        BOOST_TEST(fast.drained() == 0);
        // It asks the journal, and not the store again and again.
        BOOST_TEST(home.asked == 1);
        home.drain(calm_drain(), "slow");
        co_await come_home(home, fast, 4);
        BOOST_TEST(home.drain_metrics.lost.get() == 0U);
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(what_the_journal_has_no_more_is_passed_over_and_told) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(4);
        for (auto const* const id : {"2-0", "3-0"}) home.talk("XDEL", home.key("journal"), id);
        auto& drain = home.drain();
        co_await come_home(home, drain, 5);
        BOOST_TEST(home.drain_metrics.lost.get() == 2U);
        BOOST_REQUIRE(home.told(What::lost) == 1U);
        BOOST_TEST(home.notices.back().items == 2);
        BOOST_TEST(home.notices.back().member == "4-0");
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(what_is_no_entry_is_laid_aside_wherever_it_lies_and_the_others_come_home) {
    with_home([](Home& home) -> Nothing {
        spoil(home, "1-3", "entry");
        co_await home.post();
        spoil(home, "3-0", "entry");
        spoil(home, "4-0", "something");
        co_await home.post(2);
        spoil(home, "7-0", "entry");
        auto& drain = home.drain();
        co_await come_home(home, drain, 7);
        BOOST_TEST(home.length("dead") == 4);
        BOOST_TEST(home.drain_metrics.dead_letters.get() == 4U);
        BOOST_TEST(home.drain_metrics.lost.get() == 0U);
        BOOST_TEST(home.told(What::dead_letter) == 4U);
        BOOST_TEST(home.letter("1-3") == "no entry: entry\nrubbish");
        BOOST_TEST(home.letter("4-0") == "no entry: something\nrubbish");
        BOOST_TEST(home.letter("7-0") == "no entry: entry\nrubbish");
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(an_entry_that_does_not_fit_what_the_store_has_is_laid_aside) {
    with_home([](Home& home) -> Nothing {
        // The books have an account that the store never had.
        home.till.add("ghost", 100);
        domain::Command const hold = PlaceHold{home.till.ledger.id, "ghost", "bob", 5, {}};
        co_await home.till.perform(hold);
        home.till.rows.erase("ghost");
        co_await home.post();
        auto& drain = home.drain();
        co_await come_home(home, drain, 3);
        BOOST_TEST(home.length("dead") == 1);
        BOOST_TEST(home.letter("2-0").starts_with("it does not fit what the store has: entry\n"));
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(an_entry_that_the_database_refuses_is_found_and_laid_aside_alone) {
    with_home([](Home& home) -> Nothing {
        for (Amount amount = 10; amount < 20; ++amount) co_await home.post(1, amount);
        home.refuse = [](domain::Command const& command) {
            return books(command, 13) ? error_code(db::Errc::refused_by_database) : error_code();
        };
        auto& drain = home.drain();
        co_await come_home(home, drain, 11);
        BOOST_TEST(home.length("dead") == 1);
        BOOST_TEST(home.letter("5-0").starts_with("refused_by_database: entry\n"));
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 9U);
    });
}

BOOST_AUTO_TEST_CASE(a_database_that_refuses_everything_makes_no_dead_letters) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        home.refuse = [&](domain::Command const&) {
            return home.asked < 60 ? error_code(db::Errc::refused_by_database) : error_code();
        };
        auto& drain = home.drain();
        co_await come_home(home, drain, 4);
        BOOST_TEST(home.length("dead") == 0);
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(a_drain_rests_behind_a_batch_unless_too_much_waits) {
    with_home([](Home& home) -> Nothing {
        auto options = calm_drain();
        options.batch.items_max = 1;
        options.rests = 10'000'000;
        options.rests_up_to = 2;
        co_await home.post(4);
        auto& drain = home.drain(options);
        // Of the five that lie there, the deposit among them.
        co_await eventually([&] { return drain.drained() == 3; });
        auto const asked = home.asked;
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        BOOST_TEST(home.asked == asked);
        BOOST_TEST(drain.drained() == 3);
    });
}

BOOST_AUTO_TEST_CASE(a_lane_that_fails_is_left_alone_for_a_while_whoever_posts) {
    with_home([](Home& home) -> Nothing {
        auto options = calm_drain();
        options.pauses = {long_pause, long_pause, milliseconds{0}};
        home.refuse = [](domain::Command const&) { return error_code(db::Errc::unavailable); };
        auto& drain = home.drain(options);
        co_await eventually([&] { return home.told(What::failure) == 1; });
        for (int i = 0; i < 20; ++i) {
            co_await home.post();
        }
        BOOST_TEST(home.asked == 1);
        // What it has in hand comes home with its end, if the lane is there again.
        home.refuse = nullptr;
        co_await home.stop(drain);
        BOOST_TEST(drain.drained() == 1);
        BOOST_TEST(home.length("journal") == 20);
    });
}

BOOST_AUTO_TEST_CASE(a_commit_that_nobody_knows_the_end_of_is_asked_for_again) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        // It was done, and the answer was lost.
        int lost = 0;
        auto& drain = home.drain();
        home.lose = [&](domain::Command const&) { return ++lost <= 2; };
        co_await come_home(home, drain, 4);
        BOOST_TEST(lost == 3);
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(one_that_is_stopped_in_mid_commit_waits_for_it_and_settles) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        home.is_held = true;
        auto& drain = home.drain();
        co_await eventually([&] { return home.asked == 1; });
        home.cancel(drain);
        BOOST_TEST(!drain.end());
        home.is_held = false;
        co_await home.stop(drain);
        BOOST_TEST(drain.drained() == 4);
        BOOST_TEST(home.length("journal") == 0);
    });
}

BOOST_AUTO_TEST_CASE(another_epoch_ends_it_and_the_next_drain_has_everything) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(2);
        home.is_held = true;
        auto& late = home.drain();
        co_await eventually([&] { return home.asked == 1; });
        co_await home.open_epoch(0);
        home.is_held = false;
        co_await eventually([&] { return late.end().has_value(); });
        BOOST_TEST((late.end() == HotEnd::superseded));
        BOOST_TEST(late.drained() == 0);
        auto& drain = home.drain();
        co_await come_home(home, drain, 3);
        auto const entries = co_await home.history("bob");
        BOOST_TEST(entries.size() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(books_that_are_gone_or_overwritten_end_it) {
    with_home([](Home& home) -> Nothing {
        auto& gone = home.drain();
        home.talk("FLUSHALL");
        co_await eventually([&] { return gone.end().has_value(); });
        BOOST_TEST((gone.end() == HotEnd::superseded));
        home.talk("SET", home.key("journal"), "rubbish");
        auto& overwritten = home.drain();
        co_await eventually([&] { return overwritten.end().has_value(); });
        BOOST_TEST((overwritten.end() == HotEnd::superseded));
    });
}

BOOST_AUTO_TEST_CASE(a_ledger_that_was_removed_ends_it) {
    with_home([](Home& home) -> Nothing {
        DeleteLedger removal;
        removal.ledger = home.till.ledger.id;
        removal.epoch = home.epoch;
        auto const removed = co_await home.command(std::move(removal));
        BOOST_TEST(refusal_of(removed) == "");
        auto& drain = home.drain();
        co_await eventually([&] { return drain.end().has_value(); });
        BOOST_TEST((drain.end() == HotEnd::removed));
    });
}

BOOST_AUTO_TEST_CASE(bulks_that_weigh_more_than_any_queue_come_home) {
    with_home([](Home& home) -> Nothing {
        auto const bulk = bulk_of(std::vector<Amount>(100, 1), false);
        // All that alice has; of a bulk of which nothing can be done the journal says nothing.
        for (int i = 0; i < 10; ++i) co_await home.till.perform(bulk);
        auto options = calm_drain();
        options.batch = {50, milliseconds{0}, 100, true};
        auto& drain = home.drain(options);
        co_await come_home(home, drain, 1'001);
        auto const entries = co_await home.history("alice");
        BOOST_TEST(entries.size() == 1'001U);
    });
}

BOOST_AUTO_TEST_CASE(a_read_asks_for_what_fits_into_a_reply) {
    server::ReadSize size(512, 1'000);
    BOOST_TEST(size.next() == 8U);
    size.brought(8, 80);
    BOOST_TEST(size.next() == 16U);
    size.brought(3, 30);  // there were no more
    BOOST_TEST(size.next() == 16U);
    for (int i = 0; i < 10; ++i) size.brought(size.next(), 0);
    BOOST_TEST(size.next() == 512U);
    size.brought(5, 1'250);
    BOOST_TEST(size.next() == 4U);
    size.brought(1, 5'000);
    BOOST_TEST(size.next() == 1U);
    size.brought(1, 10);
    BOOST_TEST(size.next() == 2U);
    size.brought(0, 0);
    size.failed();
    BOOST_TEST(size.next() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
