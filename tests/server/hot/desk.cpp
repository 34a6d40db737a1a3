// What is posted on a hot ledger, what has to be brought there first, and what is refused: with a
// real Redis.
#include "server/hot/desk.hpp"

#include "domain/ledger.hpp"
#include "tests/server/hot/counter.hpp"

namespace penstock::tests {
namespace {

using domain::CaptureHold;
using domain::VoidHold;

Nothing whoever_is_cold_is_loaded(HotCounter& at) {
    co_await at.set_up();
    auto const in = co_await at.ask(at.deposit("alice", 100));
    BOOST_TEST(is_done(in));
    BOOST_TEST(row_of<domain::Transfer>(in).to.balance_after == 100);
    auto const on = co_await at.ask(at.transfer("alice", "bob", 30));
    BOOST_TEST(row_of<domain::Transfer>(on).from.balance_after == 70);
    BOOST_TEST(row_of<domain::Transfer>(on).from.version == 2);
    auto const loads = at.desk.metrics().loads.get();
    BOOST_TEST(loads == 2U);
    // Nobody is cold any more: one round trip.
    auto const cold = at.desk.post_metrics()->cold.get();
    auto const back = co_await at.ask(at.transfer("bob", "alice", 30));
    BOOST_TEST(is_done(back));
    BOOST_TEST(at.desk.post_metrics()->cold.get() == cold);
    auto const alice = co_await at.account("alice");
    BOOST_TEST(alice.standing.balance == 100);
    BOOST_TEST(alice.standing.version == 3);
}

Nothing what_the_rules_refuse_is_refused(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.transfer("alice", "bob", 1));
    BOOST_TEST(refusal_of(outcome) == "insufficient_funds");
    outcome = co_await at.ask(at.transfer("alice", "alice", 1));
    BOOST_TEST(refusal_of(outcome) == "self_transfer /to");
    outcome = co_await at.ask(at.transfer("nobody", "bob", 1));
    BOOST_TEST(refusal_of(outcome) == "account_not_found /from");
    outcome = co_await at.ask(at.deposit("nobody", 1));
    BOOST_TEST(refusal_of(outcome) == "account_not_found /account");
    outcome = co_await at.ask(at.transfer("alice", "nobody", 1));
    BOOST_TEST(refusal_of(outcome) == "account_not_found /to");
    bool const opened = co_await at.has_account("nobody");
    BOOST_TEST(!opened);
}

Nothing what_no_hot_ledger_does_is_the_lanes(HotCounter& at) {
    co_await at.set_up();
    domain::MakePurchase purchase;
    purchase.ledger = at.ledger.id;
    purchase.buyer = "alice";
    purchase.author = "bob";
    purchase.price = 1;
    auto const bought = co_await at.ask(std::move(purchase), 1);
    BOOST_TEST(refusal_of(bought) == "unsupported_on_ledger");
    domain::RevertTransfer revert;
    revert.ledger = at.ledger.id;
    auto const reverted = co_await at.ask(revert, 2);
    BOOST_TEST(refusal_of(reverted) == "unsupported_on_ledger");
    domain::CreateAccount account;
    account.ledger = at.ledger.id;
    account.address = "carol";
    auto const opened = co_await at.ask(std::move(account), 3);
    BOOST_TEST(is_done(opened));
    auto const paid = co_await at.ask(at.deposit("carol", 5));
    BOOST_TEST(is_done(paid));
}

Nothing a_payee_opens_by_itself(HotCounter& at) {
    co_await at.set_up(AccountPolicy::implicit);
    auto outcome = co_await at.ask(at.deposit("carol", 10));
    BOOST_TEST(is_done(outcome));
    outcome = co_await at.ask(at.transfer("carol", "dave", 4));
    BOOST_TEST(is_done(outcome));
    BOOST_TEST(at.desk.metrics().accounts_opened.get() == 2U);
    // Nobody's account opens because he cannot pay, nor his payee's.
    outcome = co_await at.ask(at.transfer("erin", "frank", 1));
    BOOST_TEST(refusal_of(outcome) == "insufficient_funds");
    outcome = co_await at.ask(at.transfer("carol", "frank", 7));
    BOOST_TEST(refusal_of(outcome) == "insufficient_funds");
    outcome = co_await at.ask(at.transfer("alice", "frank", 1));
    BOOST_TEST(refusal_of(outcome) == "insufficient_funds");
    for (auto const* const name : {"erin", "frank"}) {
        bool const opened = co_await at.has_account(name);
        BOOST_TEST(!opened, name);
    }
    domain::PlaceHold hold{at.ledger.id, "carol", "grace", 2};
    outcome = co_await at.ask(std::move(hold));
    BOOST_TEST(is_done(outcome));
    bool const opened = co_await at.has_account("grace");
    BOOST_TEST(opened);
}

Nothing a_bulk_opens_its_payees(HotCounter& at) {
    co_await at.set_up(AccountPolicy::implicit);
    auto const in = co_await at.ask(at.deposit("alice", 10));
    BOOST_TEST(is_done(in));
    domain::MoveInBulk bulk{at.ledger.id, true, {}};
    bulk.items.push_back(domain::Movement{"alice", "carol", 6});
    bulk.items.push_back(domain::Movement{"carol", "dave", 5});
    bulk.items.push_back(domain::Movement{"dave", "erin", 4});
    auto const done = co_await at.ask(std::move(bulk), 1);
    BOOST_TEST_REQUIRE(is_done(done));
    BOOST_TEST(row_of<domain::BulkReceipt>(done).items.size() == 3U);
    auto const dave = co_await at.account("dave");
    BOOST_TEST(dave.standing.balance == 1);
    domain::MoveInBulk each{at.ledger.id, false, {}};
    each.items.push_back(domain::Movement{"nobody", "frank", 1});
    each.items.push_back(domain::Movement{"dave", "frank", 1});
    auto const mixed = co_await at.ask(std::move(each), 2);
    BOOST_TEST_REQUIRE(is_done(mixed));
    auto const& items = row_of<domain::BulkReceipt>(mixed).items;
    BOOST_TEST((std::get<domain::Refusal>(items[0]).code == Rejection::insufficient_funds));
    BOOST_TEST(std::holds_alternative<domain::Transfer>(items[1]));
}

Nothing thousands_of_cold_ones_are_loaded(HotCounter& at) {
    co_await at.set_up(AccountPolicy::implicit);
    auto const in = co_await at.ask(at.deposit("alice", 10'000));
    BOOST_TEST(is_done(in));
    domain::MoveInBulk bulk{at.ledger.id, false, {}};
    for (int i = 0; i < 5'000; ++i)
        bulk.items.push_back(domain::Movement{"alice", "payee-" + std::to_string(i), 1});
    auto const done = co_await at.ask(std::move(bulk), 1);
    BOOST_TEST_REQUIRE(is_done(done));
    auto const last = co_await at.account("payee-4999");
    BOOST_TEST(last.standing.balance == 1);
}

/// The same answer to the same request, from the journal and from the store.
Nothing a_repetition_is_answered_alike(HotCounter& at) {
    co_await at.set_up();
    auto const first = co_await at.ask(at.deposit("alice", 100), 1);
    BOOST_TEST(is_done(first));
    auto const held = co_await at.ask(at.hold(40), 2);
    BOOST_TEST(is_done(held));
    domain::MoveInBulk bulk{at.ledger.id, false, {}};
    bulk.items.push_back(domain::Movement{"alice", "bob", 6});
    bulk.items.push_back(domain::Movement{"alice", "bob", 6'000});
    domain::Command const moves = std::move(bulk);
    auto const mixed = co_await at.ask(moves, 3);
    auto const id = row_of<domain::Hold>(held).id;
    auto const captured = co_await at.ask(at.end<CaptureHold>(id), 4);
    BOOST_TEST(is_done(captured));
    for (bool const is_drained : {false, true}) {
        BOOST_TEST_CONTEXT("drained: " << is_drained) {
            auto again = co_await at.ask(at.deposit("alice", 100), 1);
            BOOST_TEST(is_replay(again));
            BOOST_TEST(at.body_of(again) == at.body_of(first));
            again = co_await at.ask(at.hold(40), 2);
            BOOST_TEST(is_replay(again));
            BOOST_TEST(at.body_of(again) == at.body_of(held));
            again = co_await at.ask(moves, 3);
            BOOST_TEST(is_replay(again));
            BOOST_TEST(at.body_of(again) == at.body_of(mixed));
            again = co_await at.ask(at.end<CaptureHold>(id), 4);
            BOOST_TEST(is_replay(again));
            BOOST_TEST(at.body_of(again) == at.body_of(captured));
            auto const other = co_await at.ask(at.deposit("alice", 101), 5);
            BOOST_TEST(is_done(other));
        }
        co_await at.drain();
    }
    BOOST_TEST(at.desk.metrics().keys_known.get() == 5U);
    auto const alice = co_await at.account("alice");
    BOOST_TEST(alice.standing.balance == 100 + 101 - 6 - 40);
}

/// A key of another use, on whichever ledger, is refused, also where the books cannot know it.
Nothing the_store_is_asked_for_older_keys(HotCounter& at) {
    // What was used before the books were built, only the store can know.
    co_await at.set_up(AccountPolicy::explicit_, at.clock.now());
    auto const durable =
        co_await at.make_ledger("durable", domain::Posting::durable, AccountPolicy::implicit);
    domain::MoveMoney elsewhere;
    elsewhere.ledger = durable.id;
    elsewhere.kind = TransferKind::deposit;
    elsewhere.movement = {domain::world_address, "alice", 5};
    auto const used = co_await at.decide(elsewhere, 1);
    BOOST_TEST(is_done(used));
    auto const reused = co_await at.ask(at.deposit("alice", 5), 1'001);
    BOOST_TEST(refusal_of(reused) == "idempotency_key_reused");
    auto const fresh = co_await at.ask(at.deposit("alice", 5), 2);
    BOOST_TEST(is_done(fresh));
    BOOST_TEST(!is_replay(fresh));
    BOOST_TEST(at.desk.metrics().keys_asked.get() == 2U);
    auto const again = co_await at.ask(at.deposit("alice", 5), 2);
    BOOST_TEST(is_replay(again));
    // The store has it, whatever became of the books.
    co_await at.drain();
    at.clock.pass(milliseconds{1});
    RedisTalk(at.redis.socket_path())("FLUSHALL");
    co_await at.open(at.clock.now());
    auto const later = co_await at.ask(at.deposit("alice", 5), 2);
    BOOST_TEST(is_replay(later));
    BOOST_TEST(at.body_of(later) == at.body_of(fresh));
}

Nothing holds_are_ended_wherever_they_are(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.deposit("alice", 100));
    outcome = co_await at.ask(at.hold(30));
    auto const first = row_of<domain::Hold>(outcome).id;
    outcome = co_await at.ask(at.hold(20));
    auto const second = row_of<domain::Hold>(outcome).id;
    auto alice = co_await at.account("alice");
    BOOST_TEST(alice.standing.held == 50);
    outcome = co_await at.ask(at.end<CaptureHold>(first), 1);
    BOOST_TEST(row_of<domain::Captured>(outcome).transfer.amount == 30);
    outcome = co_await at.ask(at.end<CaptureHold>(first));
    BOOST_TEST(refusal_of(outcome) == "illegal_transition");
    co_await at.drain();
    // The first one is only in the store now, and its end is final.
    outcome = co_await at.ask(at.end<VoidHold>(first));
    BOOST_TEST(refusal_of(outcome) == "illegal_transition");
    BOOST_TEST(std::get<domain::Refusal>(*outcome).detail ==
               "A hold that is captured cannot be voided.");
    domain::HoldId const nobodys{};
    outcome = co_await at.ask(at.end<VoidHold>(nobodys));
    BOOST_TEST(refusal_of(outcome) == "hold_not_found");
    // The second one is open, and the new books do not have it yet.
    RedisTalk(at.redis.socket_path())("FLUSHALL");
    co_await at.open();
    auto const read = co_await at.desk.find_hold(at.ledger.id, second, patient());
    BOOST_TEST((read->row->status == domain::HoldStatus::pending));
    BOOST_TEST(!read->is_stale);
    outcome = co_await at.ask(at.end<VoidHold>(second));
    BOOST_TEST((row_of<domain::Hold>(outcome).status == domain::HoldStatus::voided));
    auto const ended = co_await at.desk.find_hold(at.ledger.id, second, patient());
    BOOST_TEST((ended->row->status == domain::HoldStatus::voided));
    alice = co_await at.account("alice");
    BOOST_TEST(alice.standing.held == 0);
    BOOST_TEST(alice.standing.balance == 70);
}

asio::awaitable<std::size_t> expire(HotCounter& at, domain::LedgerId ledger,
                                    std::vector<domain::Hold> holds) {
    auto envelope = at.envelope(domain::ExpireHolds{ledger, std::move(holds)}, 0);
    auto const outcome = co_await at.desk.expire_holds(std::move(envelope), patient());
    BOOST_REQUIRE(is_done(outcome));
    co_return row_of<domain::Done>(outcome).items;
}

Nothing holds_that_are_due_end(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.deposit("alice", 100));
    outcome = co_await at.ask(at.hold(30, std::chrono::seconds{10}));
    auto const due = row_of<domain::Hold>(outcome);
    outcome = co_await at.ask(at.hold(20));
    auto const open = row_of<domain::Hold>(outcome);
    domain::Hold unknown = open;
    unknown.id = {};
    std::vector<domain::Hold> const all{due, open, unknown};
    std::size_t ended = co_await expire(at, at.ledger.id, all);
    BOOST_TEST(ended == 0U);
    at.clock.pass(milliseconds{10'000});
    ended = co_await expire(at, at.ledger.id, all);
    BOOST_TEST(ended == 1U);
    ended = co_await expire(at, at.ledger.id, all);
    BOOST_TEST(ended == 0U);
    co_await at.drain();
    ended = co_await expire(at, at.ledger.id, all);
    BOOST_TEST(ended == 0U);
    auto const alice = co_await at.account("alice");
    BOOST_TEST(alice.standing.held == 20);
    auto const row = co_await at.store.find_hold(at.ledger.id, due.id, patient());
    BOOST_TEST(((*row)->status == domain::HoldStatus::expired));
}

/// The lane ends those of every other ledger.
Nothing holds_of_durable_ledgers_are_the_lanes(HotCounter& at) {
    auto const made =
        co_await at.make_ledger("durable", domain::Posting::durable, AccountPolicy::implicit);
    at.ledger = made;
    auto outcome = co_await at.decide(at.deposit("alice", 100));
    outcome = co_await at.decide(at.hold(30, std::chrono::seconds{10}));
    std::vector<domain::Hold> const due{row_of<domain::Hold>(outcome)};
    at.clock.pass(milliseconds{10'000});
    std::size_t const ended = co_await expire(at, made.id, due);
    BOOST_TEST(ended == 1U);
}

Nothing ask_and_count(HotCounter& at, domain::Command command, int key, int& done) {
    auto const outcome = co_await at.ask(std::move(command), key);
    if (is_done(outcome)) ++done;
}

/// Five of 20 are what 100 pays for, whoever is cold at first; and nobody's version is lost.
Nothing a_crowd_spends_what_is_there(HotCounter& at) {
    co_await at.set_up();
    auto const in = co_await at.ask(at.deposit("alice", 100));
    BOOST_TEST(is_done(in));
    co_await at.drain();
    RedisTalk(at.redis.socket_path())("FLUSHALL");
    co_await at.open();
    int done = 0;
    reactor::TaskGroup crowd(co_await asio::this_coro::executor);
    for (int i = 1; i <= 50; ++i)
        crowd.spawn(ask_and_count(at, at.transfer("alice", "bob", 20), i, done));
    bool const ended = co_await crowd.join(patient());
    BOOST_REQUIRE(ended);
    BOOST_TEST(done == 5);
    auto const bob = co_await at.account("bob");
    BOOST_TEST(bob.standing.balance == 100);
    BOOST_TEST(bob.standing.version == 5);
}

/// Something leaves the books between the reading of a cold account and its loading.
Nothing what_was_read_too_early_is_read_again(HotCounter& at) {
    co_await at.set_up(AccountPolicy::implicit);
    auto const key = cache::HotKeys(at.desk.options().database).part(at.ledger.id, "books");
    int left = 3;
    at.before_lane = [&](domain::Envelope const& envelope) {
        if (!std::holds_alternative<domain::OpenAccounts>(envelope.command) || left-- <= 0) return;
        RedisTalk(at.redis.socket_path())("HINCRBY", key, "#removed", "1");
    };
    auto const outcome = co_await at.ask(at.deposit("carol", 10));
    BOOST_TEST(is_done(outcome));
    BOOST_TEST(at.desk.metrics().loads_stale.get() == 1U);
    auto const carol = co_await at.account("carol");
    BOOST_TEST(carol.standing.balance == 10);
}

Nothing a_post_waits_for_its_ledger_to_be_opened(HotCounter& at) {
    co_await at.set_up();
    RedisTalk(at.redis.socket_path())("FLUSHALL");
    auto const executor = co_await asio::this_coro::executor;
    reactor::TaskGroup keeper(executor);
    int asked = 0;
    at.desk.on_unready = [&](domain::LedgerId ledger) {
        BOOST_TEST((ledger == at.ledger.id));
        if (++asked == 1) keeper.spawn(at.open());
    };
    auto const outcome = co_await at.ask(at.deposit("alice", 10));
    BOOST_TEST(is_done(outcome));
    BOOST_TEST(asked > 0);
    BOOST_TEST(at.desk.metrics().open_waits.get() > 0U);
    bool const ended = co_await keeper.join(patient());
    BOOST_REQUIRE(ended);
}

Nothing nobody_opens_it(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.deposit("alice", 10));
    BOOST_TEST(is_done(outcome));
    co_await at.drain();
    outcome = co_await at.ask(at.deposit("alice", 10));
    RedisTalk(at.redis.socket_path())("FLUSHALL");
    outcome = co_await at.ask(at.deposit("alice", 10));
    BOOST_TEST(!outcome.has_value());
    BOOST_TEST((outcome.error() == cache::Errc::unavailable));
    // What the store has is shown, and that it may be old.
    domain::AccountName const name{at.ledger.id, "alice"};
    auto const read = co_await at.desk.find_account(name, patient());
    BOOST_TEST(read->is_stale);
    BOOST_TEST(read->row->standing.balance == 10);
    domain::HoldId const nobodys{};
    auto const hold = co_await at.desk.find_hold(at.ledger.id, nobodys, patient());
    BOOST_TEST(hold->is_stale);
    BOOST_TEST(!hold->row.has_value());
}

Nothing the_drain_is_too_far_behind(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.deposit("alice", 1), 1);
    outcome = co_await at.ask(at.deposit("alice", 1), 2);
    outcome = co_await at.ask(at.deposit("alice", 1), 3);
    BOOST_TEST(!outcome.has_value());
    BOOST_TEST((outcome.error() == reactor::Errc::overloaded));
    auto const again = co_await at.ask(at.deposit("alice", 1), 1);
    BOOST_TEST(is_replay(again));
    co_await at.drain();
    outcome = co_await at.ask(at.deposit("alice", 1), 3);
    BOOST_TEST(is_done(outcome));
}

Nothing posts_are_barred(HotCounter& at) {
    co_await at.set_up();
    at.desk.bar(server::HotBar::memory);
    auto outcome = co_await at.ask(at.deposit("alice", 1));
    BOOST_TEST((outcome.error() == reactor::Errc::overloaded));
    at.desk.bar(server::HotBar::unfit);
    outcome = co_await at.ask(at.deposit("alice", 1));
    BOOST_TEST((outcome.error() == cache::Errc::unavailable));
    BOOST_TEST(at.desk.metrics().barred.get() == 2U);
    at.desk.bar(server::HotBar::none);
    outcome = co_await at.ask(at.deposit("alice", 1));
    BOOST_TEST(is_done(outcome));
}

Nothing redis_is_away(HotCounter& at) {
    co_await at.set_up();
    auto outcome = co_await at.ask(at.deposit("alice", 5));
    BOOST_TEST(is_done(outcome));
    co_await at.drain();
    std::size_t told = 0;
    at.desk.on_failure = [&](domain::LedgerId, cache::Failure const&) { ++told; };
    at.redis.kill();
    outcome = co_await at.ask(at.deposit("alice", 5));
    BOOST_TEST(!outcome.has_value());
    domain::AccountName const name{at.ledger.id, "alice"};
    auto const read = co_await at.desk.find_account(name, patient());
    BOOST_TEST(read->is_stale);
    BOOST_TEST(read->row->standing.balance == 5);
    BOOST_TEST(at.desk.metrics().reads_stale.get() == 1U);
    BOOST_TEST(told == 2U);
}

Nothing there_is_no_redis(HotCounter& at) {
    at.ledger = co_await at.make_ledger("hot", domain::Posting::hot, AccountPolicy::implicit);
    auto outcome = co_await at.ask(at.deposit("alice", 5));
    BOOST_TEST((outcome.error() == cache::Errc::unavailable));
    domain::MakePurchase purchase;
    purchase.ledger = at.ledger.id;
    purchase.buyer = "alice";
    purchase.author = "bob";
    purchase.price = 1;
    outcome = co_await at.ask(std::move(purchase));
    BOOST_TEST(refusal_of(outcome) == "unsupported_on_ledger");
    domain::AccountName const name{at.ledger.id, domain::world_address};
    auto const read = co_await at.desk.find_account(name, patient());
    BOOST_TEST(read->is_stale);
    BOOST_TEST(read->row.has_value());
}

Nothing it_is_sealed_before_it_is_deleted(HotCounter& at) {
    co_await at.set_up();
    domain::DeleteLedger const deletion{at.ledger.id};
    auto outcome = co_await at.ask(deletion);
    BOOST_TEST((outcome.error() == cache::Errc::unavailable));
    auto const in = co_await at.ask(at.deposit("alice", 5));
    BOOST_TEST(is_done(in));
    int sealed = 0;
    int reopened = 0;
    at.desk.on_unready = [&](domain::LedgerId) { ++reopened; };
    at.desk.seal = [&](domain::LedgerId, SteadyTime) -> asio::awaitable<Result<std::int64_t>> {
        ++sealed;
        std::vector<std::string> const all{"alice", "@world"};
        co_await at.drain();
        co_await at.sync(all);
        co_return at.row.epoch;
    };
    outcome = co_await at.ask(deletion);
    BOOST_TEST(refusal_of(outcome) == "ledger_not_empty");
    BOOST_TEST(reopened == 1);
    auto const out =
        co_await at.ask(at.movement(TransferKind::withdrawal, "alice", domain::world_address, 5));
    BOOST_TEST(is_done(out));
    // A command of another ledger, which speaks for a key alone, seals nothing.
    outcome = co_await at.ask(domain::DeleteLedger());
    BOOST_TEST(refusal_of(outcome) == "ledger_not_found");
    BOOST_TEST(sealed == 1);
    outcome = co_await at.ask(deletion);
    BOOST_TEST(is_done(outcome));
    BOOST_TEST(sealed == 2);
    BOOST_TEST(reopened == 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_desk)

BOOST_AUTO_TEST_CASE(whoever_is_not_in_the_books_is_loaded_first) {
    at_counter(whoever_is_cold_is_loaded);
}
BOOST_AUTO_TEST_CASE(the_rules_and_their_words_are_those_of_a_durable_ledger) {
    at_counter(what_the_rules_refuse_is_refused);
}
BOOST_AUTO_TEST_CASE(what_a_hot_ledger_does_not_post_is_left_to_the_lane) {
    at_counter(what_no_hot_ledger_does_is_the_lanes);
}
BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_the_payee_of_someone_who_can_pay) {
    at_counter(a_payee_opens_by_itself);
}
BOOST_AUTO_TEST_CASE(a_bulk_on_an_implicit_ledger_opens_all_its_payees) {
    at_counter(a_bulk_opens_its_payees);
}
BOOST_AUTO_TEST_CASE(a_bulk_of_thousands_of_new_accounts_is_posted) {
    at_counter(thousands_of_cold_ones_are_loaded);
}
BOOST_AUTO_TEST_CASE(a_repetition_has_the_same_bytes_before_and_after_the_drain) {
    at_counter(a_repetition_is_answered_alike);
}
BOOST_AUTO_TEST_CASE(keys_that_the_books_may_not_know_are_asked_of_the_store) {
    at_counter(the_store_is_asked_for_older_keys);
}
BOOST_AUTO_TEST_CASE(a_hold_is_ended_once_wherever_it_lies) {
    at_counter(holds_are_ended_wherever_they_are);
}
BOOST_AUTO_TEST_CASE(a_hold_that_is_due_ends_once) { at_counter(holds_that_are_due_end); }
BOOST_AUTO_TEST_CASE(holds_of_a_durable_ledger_are_ended_by_the_lane) {
    at_counter(holds_of_durable_ledgers_are_the_lanes);
}
BOOST_AUTO_TEST_CASE(a_crowd_spends_no_more_than_there_is) {
    at_counter(a_crowd_spends_what_is_there);
}
BOOST_AUTO_TEST_CASE(what_was_read_before_something_left_the_books_is_read_again) {
    at_counter(what_was_read_too_early_is_read_again);
}
BOOST_AUTO_TEST_CASE(a_post_waits_for_its_ledger_to_be_opened_and_goes_on) {
    at_counter(a_post_waits_for_its_ledger_to_be_opened);
}
BOOST_AUTO_TEST_CASE(where_nobody_opens_a_ledger_posts_are_unavailable_and_reads_stale) {
    auto options = unhurried_desk();
    options.open_wait = milliseconds{120};
    at_counter(options, nobody_opens_it);
}
BOOST_AUTO_TEST_CASE(behind_a_drain_that_is_too_slow_posts_are_refused_and_repetitions_are_not) {
    auto options = unhurried_desk();
    options.undrained_max = 2;
    at_counter(options, the_drain_is_too_far_behind);
}
BOOST_AUTO_TEST_CASE(while_redis_is_unfit_nothing_is_posted) { at_counter(posts_are_barred); }
BOOST_AUTO_TEST_CASE(without_redis_nothing_is_posted_and_reads_are_stale) {
    at_counter(redis_is_away);
    at_counter(unhurried_desk(), there_is_no_redis, false);
}
BOOST_AUTO_TEST_CASE(a_ledger_is_sealed_and_drained_before_it_is_deleted) {
    at_counter(it_is_sealed_before_it_is_deleted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
