#include "server/hot/sync.hpp"

#include "tests/server/hot/home.hpp"

namespace penstock::tests {
namespace {

using What = HotNotice::What;

constexpr milliseconds long_pause{3'600'000};

bool writes(domain::Command const& command, std::string_view address) {
    auto const* sync = std::get_if<SyncBalances>(&command);
    return sync != nullptr && std::ranges::count(sync->balances, address, &HotBalance::address) > 0;
}

Nothing settle_down(Home& home) {
    co_await eventually(
        [&] { return home.length("journal") == 0 && home.due() == 0 && home.claimed() == 0; });
    co_await home.check_is_home();
}

/// What is posted is in the store, and all of the journal: only the balances lack.
Nothing drained(Home& home) {
    auto& drain = home.drain();
    co_await eventually([&] { return home.length("journal") == 0; });
    co_await home.stop(drain);
}

/// Claims what is due for somebody who never releases it.
asio::awaitable<std::size_t> claim_for_others(Home& home, std::size_t limit) {
    auto const claims =
        co_await home.schedule.claim(home.till.ledger.id, home.epoch, "theirs", home.clock.now(),
                                     home.clock.now(), limit, long_pause, patient());
    auto const all = sure(claims);
    co_return all.value().items.size();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_sync)

BOOST_AUTO_TEST_CASE(a_balance_comes_home_once_the_drain_has_passed_it) {
    with_home([](Home& home) -> Nothing {
        co_await home.post(3);
        auto& sync = home.sync();
        co_await eventually([&] { return home.sync_metrics.waits.get() > 0; });
        home.clock.pass(milliseconds{40});
        auto const before = co_await home.in_store("alice");
        BOOST_TEST(before.standing.version == 0);
        BOOST_TEST(home.asked == 0);
        home.drain();
        co_await settle_down(home);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.balance == 997);
        BOOST_TEST(alice.standing.version == 4);
        co_await eventually([&] { return home.sync_metrics.clean.get() == 3U; });
        BOOST_TEST(sync.last_flush_at().value().ms == noon.ms + 40);
    });
}

BOOST_AUTO_TEST_CASE(what_drained_says_in_redis_is_not_believed) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        home.talk("HSET", home.key("books"), "#drained", "1000");
        home.sync();
        co_await eventually([&] { return home.asked >= 3; });
        auto const before = co_await home.in_store("alice");
        BOOST_TEST(before.standing.version == 0);
        home.talk("HSET", home.key("books"), "#drained", "0");
        home.drain();
        co_await settle_down(home);
    });
}

BOOST_AUTO_TEST_CASE(a_batch_is_due_by_size_or_by_age_and_no_more_than_one_is_claimed) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await home.till.move("alice", "carol", 1);
        co_await drained(home);
        auto options = calm_sync();
        options.batch = {2, long_pause, 2, false};
        auto& sync = home.sync(options);
        // Counted when Redis has answered, a moment after it did it.
        co_await eventually([&] { return home.sync_metrics.clean.get() == 4U; });
        BOOST_TEST(home.due() == 0);
        BOOST_TEST(home.claimed() == 0);
        BOOST_TEST(home.sync_metrics.batches.batches_by_size.get() == 2U);
        // Nobody drains: what waits for that takes all the room.
        co_await home.post();
        co_await home.till.move("alice", "dave", 1);
        co_await eventually([&] { return home.claimed() == 2; });
        BOOST_TEST(home.due() == 1);
        co_await home.stop(sync);
        BOOST_TEST(home.claimed() == 0);
        BOOST_TEST(home.due() == 3);
        options.batch = {100, milliseconds{1}, 100, false};
        home.drain();
        home.sync(options);
        co_await settle_down(home);
        BOOST_TEST(home.sync_metrics.batches.batches_by_age.get() > 0U);
    });
}

BOOST_AUTO_TEST_CASE(a_value_that_changed_between_claim_and_removal_is_synced_again) {
    with_home([](Home& home) -> Nothing {
        home.drain();
        co_await home.post();
        home.sync();
        co_await settle_down(home);
        // The drain is at rest, so whatever is asked next is the sync's.
        home.is_held = true;
        home.asked = 0;
        home.talk("ZADD", home.key("due"), noon.ms, "alice");
        auto line = home.talk("HGET", home.key("books"), "alice").text;
        line.front() = 'd';
        home.talk("HSET", home.key("books"), "alice", line);
        co_await eventually([&] { return home.asked == 1; });
        co_await home.post(2);
        home.is_held = false;
        co_await settle_down(home);
        BOOST_TEST(home.sync_metrics.changed.get() > 0U);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.balance == 997);
    });
}

BOOST_AUTO_TEST_CASE(a_lock_that_expires_in_mid_flush_does_no_harm) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        auto options = calm_sync();
        options.lease = milliseconds{60'000};
        // The first one's flush is still on its way when others have claimed, written and
        // released newer states of the same accounts.
        home.is_held = true;
        home.asked = 0;
        home.held_to = 1;
        auto& slow = home.sync(options);
        co_await eventually([&] { return home.asked == 1; });
        co_await home.post(5);
        home.clock.pass(options.lease);
        home.drain();
        home.sync(options);
        co_await eventually(
            [&] { return home.length("journal") == 0 && home.due() == 0 && home.claimed() == 0; });
        auto const newer = co_await home.in_store("alice");
        BOOST_TEST(newer.standing.balance == 994);
        BOOST_TEST(!slow.last_flush_at().has_value());
        home.is_held = false;
        co_await eventually([&] { return slow.last_flush_at().has_value(); });
        co_await settle_down(home);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.balance == 994);
    });
}

BOOST_AUTO_TEST_CASE(locked_accounts_at_the_head_hide_nobody) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        auto const locked = co_await claim_for_others(home, 100);
        BOOST_TEST(locked == 3U);
        home.clock.pass(milliseconds{1});
        co_await home.till.perform(movement_of(TransferKind::transfer, "bob", "carol", 1));
        auto options = calm_sync();
        options.batch = {1, milliseconds{0}, 1, false};
        home.drain();
        home.sync(options);
        co_await eventually([&] { return home.due() == 0 && home.claimed() == 3; });
        auto const carol = co_await home.in_store("carol");
        BOOST_TEST(carol.standing.balance == 1);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.version == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_claim_that_waits_is_renewed_and_one_that_was_lost_is_let_go) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        auto options = calm_sync();
        options.lease = milliseconds{40};
        home.sync(options);
        co_await eventually([&] { return home.claimed() == 3; });
        home.clock.pass(milliseconds{30});
        auto const ends = std::to_string(noon.ms + 70);
        co_await eventually(
            [&] { return home.talk("ZSCORE", home.key("claimed"), "alice").text == ends; });
        BOOST_TEST(home.sync_metrics.claims_lost.get() == 0U);
        home.talk("HSET", home.key("owners"), "alice", "theirs");
        co_await eventually([&] { return home.sync_metrics.claims_lost.get() == 1; });
        home.drain();
        co_await eventually([&] { return home.claimed() == 1 && home.due() == 0; });
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.version == 0);
        auto const bob = co_await home.in_store("bob");
        BOOST_TEST(bob.standing.version == 1);
    });
}

BOOST_AUTO_TEST_CASE(an_address_without_an_account_or_with_rubbish_is_a_dead_letter) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        home.talk("ZADD", home.key("due"), 1, "ghost");
        home.talk("HSET", home.key("books"), "bob", "rubbish");
        home.drain();
        home.sync();
        co_await eventually([&] { return home.due() == 0 && home.claimed() == 0; });
        BOOST_TEST(home.length("dead") == 2);
        BOOST_TEST(home.letter("ghost") == "no account: ");
        BOOST_TEST(home.letter("bob") == "no account: rubbish");
        BOOST_TEST(home.sync_metrics.dead_letters.get() == 2U);
        BOOST_TEST(home.told(What::dead_letter) == 2U);
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.version == 2);
    });
}

BOOST_AUTO_TEST_CASE(an_account_that_the_database_refuses_is_found_and_laid_aside_alone) {
    with_home([](Home& home) -> Nothing {
        for (auto const* const to : {"bob", "carol", "dave"})
            co_await home.till.move("alice", to, 10);
        co_await drained(home);
        home.refuse = [](domain::Command const& command) {
            return writes(command, "carol") ? error_code(db::Errc::refused_by_database)
                                            : error_code();
        };
        home.sync();
        co_await eventually([&] { return home.due() == 0 && home.claimed() == 0; });
        BOOST_TEST(home.length("dead") == 1);
        BOOST_TEST(home.letter("carol").starts_with("refused_by_database: d 10 "));
        for (auto const* const address : {"bob", "dave"}) {
            auto const account = co_await home.in_store(address);
            BOOST_TEST(account.standing.balance == 10);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_database_that_refuses_everything_makes_no_dead_letters_of_accounts) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        home.asked = 0;
        home.refuse = [&](domain::Command const&) {
            return home.asked < 60 ? error_code(db::Errc::refused_by_database) : error_code();
        };
        home.sync();
        co_await settle_down(home);
        BOOST_TEST(home.length("dead") == 0);
    });
}

BOOST_AUTO_TEST_CASE(who_has_nothing_in_hand_looks_as_often_as_he_should_and_no_more) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        auto options = calm_sync();
        // Claims were to be renewed long ago, if there were any.
        options.lease = milliseconds{2};
        options.polls = {long_pause, long_pause, milliseconds{0}};
        home.sync(options);
        co_await eventually([&] { return home.sync_metrics.clean.get() == 3U; });
        auto const looks = [&] {
            auto const said = home.talk("INFO", "commandstats").text;
            auto const at = said.find("cmdstat_evalsha:calls=");
            return said.substr(at, said.find(',', at) - at);
        };
        co_await reactor::sleep_until(steady_now() + milliseconds{20});
        auto const before = looks();
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        BOOST_TEST(looks() == before);
    });
}

BOOST_AUTO_TEST_CASE(a_sync_rests_behind_a_batch) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        auto options = calm_sync();
        options.batch.items_max = 1;
        options.rests = 10'000'000;
        home.asked = 0;
        home.sync(options);
        co_await eventually([&] { return home.sync_metrics.clean.get() == 1U; });
        co_await reactor::sleep_until(steady_now() + milliseconds{50});
        BOOST_TEST(home.asked == 1);
        BOOST_TEST(home.due() == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_flush_that_failed_keeps_its_accounts_and_does_not_spin) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        auto options = calm_sync();
        options.pauses = {long_pause, long_pause, milliseconds{0}};
        home.refuse = [](domain::Command const&) { return error_code(db::Errc::unavailable); };
        home.asked = 0;
        auto& sync = home.sync(options);
        co_await eventually([&] { return home.told(What::failure) == 1; });
        for (int i = 0; i < 20; ++i) {
            co_await home.till.move("alice", "carol", 1);
        }
        BOOST_TEST(home.asked == 1);
        BOOST_TEST(home.claimed() == 3);
        // The end is one more attempt; what cannot be written is nobody's.
        co_await home.stop(sync);
        BOOST_TEST(home.asked == 2);
        BOOST_TEST(home.claimed() == 0);
        BOOST_TEST(home.talk("HLEN", home.key("owners")).number == 0);
        BOOST_TEST(home.due() == 4);
    });
}

BOOST_AUTO_TEST_CASE(one_that_is_stopped_in_mid_flush_writes_it_and_leaves_no_lock_behind) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        co_await drained(home);
        home.asked = 0;
        home.is_held = true;
        auto& sync = home.sync();
        co_await eventually([&] { return home.asked == 1; });
        BOOST_TEST(home.claimed() == 3);
        home.cancel(sync);
        home.is_held = false;
        co_await home.stop(sync);
        BOOST_TEST((sync.end() == HotEnd::cancelled));
        co_await home.check_is_home();
    });
}

BOOST_AUTO_TEST_CASE(another_epoch_ends_a_sync_and_its_claims) {
    with_home([](Home& home) -> Nothing {
        co_await home.post();
        auto& sync = home.sync();
        co_await eventually([&] { return home.claimed() == 3; });
        co_await home.open_epoch(0);
        co_await eventually([&] { return sync.end().has_value(); });
        BOOST_TEST((sync.end() == HotEnd::superseded));
        BOOST_TEST(home.claimed() == 0);
        BOOST_TEST(home.due() == 3);
        // One that is late is refused by the store.
        co_await drained(home);
        home.is_held = true;
        home.asked = 0;
        auto& late = home.sync();
        co_await eventually([&] { return home.asked == 1; });
        co_await home.open_epoch(2);
        home.is_held = false;
        co_await eventually([&] { return late.end().has_value(); });
        BOOST_TEST((late.end() == HotEnd::superseded));
        auto const alice = co_await home.in_store("alice");
        BOOST_TEST(alice.standing.version == 0);
        home.sync();
        co_await settle_down(home);
    });
}

BOOST_AUTO_TEST_CASE(a_schedule_that_was_overwritten_ends_it) {
    with_home([](Home& home) -> Nothing {
        home.talk("SET", home.key("due"), "rubbish");
        auto& sync = home.sync();
        co_await eventually([&] { return sync.end().has_value(); });
        BOOST_TEST((sync.end() == HotEnd::superseded));
    });
}

/// Servers that come, are stopped in the middle of what they do, and go without a word.
BOOST_AUTO_TEST_CASE(whoever_joins_or_dies_nothing_is_lost_doubled_or_ahead) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        with_home([seed](Home& home) -> Nothing {
            BOOST_TEST_CONTEXT("seed " << seed) {
                std::uint64_t state = seed * 0x9e3779b97f4a7c15U;
                auto const draw = [&](std::uint64_t below) {
                    state = state * 6364136223846793005U + 1442695040888963407U;
                    return (state >> 33U) % below;
                };
                std::vector<std::string> const names{"alice", "bob", "carol", "dave"};
                auto drain_options = calm_drain();
                drain_options.idle = milliseconds{5};
                drain_options.entries_at_once = 4;
                auto sync_options = calm_sync();
                sync_options.lease = milliseconds{10};
                sync_options.batch.items_max = 2;
                drain_options.stop_max = sync_options.stop_max = milliseconds{0};
                std::vector<std::pair<Drain*, Sync*>> servers;
                std::int64_t posted = 1;
                for (int round = 0; round < 60; ++round) {
                    if (servers.size() < 3 && draw(2) == 0)
                        servers.emplace_back(
                            &home.drain(drain_options, "server " + std::to_string(round)),
                            &home.sync(sync_options));
                    for (auto posts = draw(8); posts > 0; --posts) {
                        auto const& from = names[draw(4)];
                        auto const& to = names[draw(4)];
                        auto const said = co_await home.till.move(from, to, 1);
                        posted += said == "posted" ? 1 : 0;
                    }
                    home.clock.pass(milliseconds{3});
                    co_await home.check_not_ahead();
                    if (servers.empty() || draw(4) != 0) continue;
                    auto const [drain, sync] = servers.back();
                    servers.pop_back();
                    home.cancel(*drain);
                    home.cancel(*sync);
                }
                home.drain(drain_options, "the last");
                home.sync(sync_options);
                co_await eventually([&] {
                    home.clock.pass(milliseconds{1});
                    return home.length("journal") == 0 && home.due() == 0 && home.claimed() == 0;
                });
                co_await home.check_is_home();
                std::size_t legs = 0;
                for (auto const& name : names) {
                    auto const entries = co_await home.history(name);
                    legs += entries.size();
                }
                // The deposit has one leg among these, each other transfer two.
                BOOST_TEST(legs == 2 * static_cast<std::size_t>(posted) - 1);
                BOOST_TEST(home.drain_metrics.lost.get() == 0U);
                BOOST_TEST(home.length("dead") == 0);
            }
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
