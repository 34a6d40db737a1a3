#include "domain/hold.hpp"

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

using std::chrono::seconds;

PlaceHold hold_of(Amount amount, std::optional<seconds> expires_in = {}) {
    return {Scene::ledger_id(), "alice", "bob", amount, expires_in};
}

CaptureHold capture(Hold const& hold, std::optional<Amount> amount = {}) {
    return {Scene::ledger_id(), hold, amount};
}

VoidHold void_of(Hold const& hold) { return {Scene::ledger_id(), hold}; }

ExpireHolds expire(std::vector<Hold> holds) { return {Scene::ledger_id(), std::move(holds)}; }

Loaded two_accounts(Amount balance, Amount overdraft = 0, Amount held = 0) {
    auto rows = Scene::loaded();
    Scene::add(rows, "alice", balance, overdraft, held);
    Scene::add(rows, "bob", 0);
    return rows;
}

Amount held(Scene& scene) {
    return scene.set().find_account(Scene::ledger_id(), "alice")->standing.held;
}

/// A hold as an earlier batch left it, due `after` the scene's instant.
Hold stored(Loaded const& rows, Amount amount, std::int64_t due_after_ms) {
    Hold hold;
    hold.id = {make_uuid7(day_before, 1, 1)};
    hold.ledger = Scene::ledger_id();
    for (auto const& account : rows.accounts) {
        if (account.address == "alice") hold.from = {account.id, account.address};
        if (account.address == "bob") hold.to = {account.id, account.address};
    }
    hold.amount = amount;
    hold.expires_at = Instant{noon.ms + due_after_ms};
    return hold;
}

struct Stored {
    Scene scene;
    Hold hold;
};

Stored scene_with_hold(std::int64_t due_after_ms) {
    auto rows = two_accounts(100, 0, 60);
    auto const hold = stored(rows, 60, due_after_ms);
    rows.holds.push_back(hold);
    return {Scene{std::move(rows)}, hold};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(holds)

BOOST_AUTO_TEST_CASE(a_hold_reserves_without_moving) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    BOOST_TEST((hold.status == HoldStatus::pending));
    BOOST_TEST(!hold.expires_at);
    BOOST_TEST(scene.balance("alice") == 100);
    BOOST_TEST(held(scene) == 60);
    BOOST_TEST(scene.set().changes().transfers.empty());
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 41)) == "insufficient_funds");
    BOOST_TEST(refusal_of(scene.decide(hold_of(41))) == "insufficient_funds");
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 40)) == "");
}

BOOST_AUTO_TEST_CASE(a_hold_may_use_the_overdraft) {
    auto scene = Scene(two_accounts(100, 50));
    auto const hold = made<Hold>(scene.decide(hold_of(150)));
    BOOST_TEST(refusal_of(scene.decide(hold_of(1))) == "insufficient_funds");
    auto const taken = made<Captured>(scene.decide(capture(hold)));
    BOOST_TEST(taken.transfer.from.balance_after == -50);
}

BOOST_AUTO_TEST_CASE(a_whole_capture_moves_what_was_held) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    auto const [ended, transfer] = made<Captured>(scene.decide(capture(hold)));
    BOOST_TEST((ended.status == HoldStatus::captured));
    BOOST_TEST(ended.captured_amount == 60);
    BOOST_TEST((ended.transfer == transfer.id));
    BOOST_TEST((ended.ended_at == noon));
    BOOST_TEST((transfer.kind == TransferKind::capture));
    BOOST_TEST((transfer.cause == hold.id.value));
    BOOST_TEST(scene.balance("bob") == 60);
    BOOST_TEST(held(scene) == 0);
}

BOOST_AUTO_TEST_CASE(a_partial_capture_releases_the_rest) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    made<Captured>(scene.decide(capture(hold, 25)));
    BOOST_TEST(scene.balance("alice") == 75);
    BOOST_TEST(held(scene) == 0);
    BOOST_TEST(refusal_of(scene.decide(capture(hold, 1))) == "illegal_transition");
}

BOOST_AUTO_TEST_CASE(no_more_than_held_can_be_captured) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    BOOST_TEST(refusal_of(scene.decide(capture(hold, 61))) == "over_capture /amount");
    BOOST_TEST(held(scene) == 60);
}

BOOST_AUTO_TEST_CASE(voiding_releases_all_of_it) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    auto const ended = made<Hold>(scene.decide(void_of(hold)));
    BOOST_TEST((ended.status == HoldStatus::voided));
    BOOST_TEST(held(scene) == 0);
    BOOST_TEST(scene.balance("alice") == 100);
    BOOST_TEST(refusal_of(scene.decide(void_of(hold))) == "illegal_transition");
    BOOST_TEST(refusal_of(scene.decide(capture(hold))) == "illegal_transition");
}

BOOST_AUTO_TEST_CASE(checks_come_in_the_documented_order) {
    auto scene = Scene(two_accounts(100));
    auto const refused = [&](std::string from, std::string to, Amount amount) {
        return refusal_of(
            scene.decide(PlaceHold{Scene::ledger_id(), std::move(from), std::move(to), amount}));
    };
    BOOST_TEST(refused("no", "no", 1) == "self_transfer /to");
    BOOST_TEST(refused("no", "one", 1) == "account_not_found /from");
    BOOST_TEST(refused("alice", "one", 101) == "account_not_found /to");
    BOOST_TEST(refused("alice", "bob", 101) == "insufficient_funds");
    BOOST_TEST(refusal_of(scene.decide(CaptureHold{Scene::ledger_id(), {}, {}})) ==
               "hold_not_found");
    BOOST_TEST(refusal_of(scene.decide(VoidHold{Scene::ledger_id(), {}})) == "hold_not_found");
}

BOOST_AUTO_TEST_CASE(expiry_is_counted_from_the_instant_of_the_batch) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60, seconds{30})));
    BOOST_TEST((hold.expires_at == Instant{noon.ms + 30'000}));
}

BOOST_AUTO_TEST_CASE(a_hold_expires_at_its_instant_and_not_a_millisecond_before) {
    auto [early, pending] = scene_with_hold(1);
    made<Done>(early.decide(expire({pending})));
    BOOST_TEST(held(early) == 60);
    auto [due, hold] = scene_with_hold(0);
    made<Done>(due.decide(expire({hold})));
    BOOST_TEST(held(due) == 0);
    auto const changes = due.set().changes();
    BOOST_TEST_REQUIRE(changes.ended_holds.size() == 1U);
    BOOST_TEST((changes.ended_holds.front().status == HoldStatus::expired));
    BOOST_TEST((changes.events.front().type == EventType::hold_expired));
}

BOOST_AUTO_TEST_CASE(a_hold_ends_once_however_often_it_is_asked_to) {
    auto [scene, hold] = scene_with_hold(-1);
    made<Done>(scene.decide(expire({hold, hold})));
    made<Done>(scene.decide(expire({hold})));
    BOOST_TEST(scene.set().changes().ended_holds.size() == 1U);
    BOOST_TEST(held(scene) == 0);
}

BOOST_AUTO_TEST_CASE(a_due_hold_is_expired_for_everyone_before_the_server_comes_round) {
    auto [scene, hold] = scene_with_hold(0);
    BOOST_TEST(refusal_of(scene.decide(capture(hold))) == "illegal_transition");
    BOOST_TEST(refusal_of(scene.decide(void_of(hold))) == "illegal_transition");
    BOOST_TEST(held(scene) == 60);
}

BOOST_AUTO_TEST_CASE(a_capture_that_would_overflow_leaves_the_hold_open) {
    auto rows = two_accounts(100);
    Scene::add(rows, "rich", INT64_MAX);
    auto scene = Scene{std::move(rows)};
    PlaceHold place{Scene::ledger_id(), "alice", "rich", 60};
    auto const hold = made<Hold>(scene.decide(place));
    BOOST_TEST(refusal_of(scene.decide(capture(hold))) == "amount_overflow");
    BOOST_TEST(held(scene) == 60);
    BOOST_TEST(scene.set().changes().ended_holds.empty());
}

BOOST_AUTO_TEST_CASE(a_capture_can_be_reverted) {
    auto scene = Scene(two_accounts(100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    auto const taken = made<Captured>(scene.decide(capture(hold)));
    made<Transfer>(scene.decide(RevertTransfer{Scene::ledger_id(), taken.transfer}));
    BOOST_TEST(scene.balance("alice") == 100);
}

BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_the_payee_of_a_hold) {
    auto rows = Scene::loaded(AccountPolicy::implicit);
    Scene::add(rows, "alice", 100);
    auto scene = Scene{std::move(rows)};
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    BOOST_TEST(scene.balance("bob") == 0);
    BOOST_TEST((hold.to.account == scene.set().find_account(Scene::ledger_id(), "bob")->id));
}

BOOST_AUTO_TEST_CASE(a_ledger_with_an_open_hold_is_not_empty) {
    auto scene = Scene(two_accounts(0, 100));
    auto const hold = made<Hold>(scene.decide(hold_of(60)));
    BOOST_TEST(refusal_of(scene.decide(DeleteLedger{Scene::ledger_id()})) == "ledger_not_empty");
    made<Hold>(scene.decide(void_of(hold)));
    BOOST_TEST(refusal_of(scene.decide(DeleteLedger{Scene::ledger_id()})) == "");
}

BOOST_AUTO_TEST_CASE(a_repeated_key_places_one_hold) {
    auto scene = Scene(two_accounts(100));
    auto const first = made<Hold>(scene.decide(hold_of(40), use_of(1)));
    auto const again = scene.decide(hold_of(40), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Hold>(again) == first));
    BOOST_TEST(held(scene) == 40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
