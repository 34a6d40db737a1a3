#include "domain/ledger.hpp"

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

constexpr Amount largest = INT64_MAX;
OrganizationId const stranger{make_uuid7({1}, 0, 99)};

Scene with(std::string address, Amount balance, Amount overdraft = 0, Amount held = 0) {
    auto rows = Scene::loaded();
    Scene::add(rows, std::move(address), balance, overdraft, held);
    Scene::add(rows, "bob", 0);
    return Scene{std::move(rows)};
}

MoveInBulk bulk(bool atomic, std::vector<Movement> items) {
    return {Scene::ledger_id(), atomic, std::move(items)};
}

std::string item_codes(Outcome const& outcome) {
    std::string codes;
    for (auto const& item : made<BulkReceipt>(outcome).items)
        codes += std::holds_alternative<Transfer>(item) ? "ok "
                                                        : refusal_of(std::get<Refusal>(item)) + " ";
    return codes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(moving_money)

BOOST_AUTO_TEST_CASE(a_transfer_tells_how_both_accounts_stand_after_it) {
    auto scene = with("alice", 500);
    auto const transfer = made<Transfer>(scene.move("alice", "bob", 200));
    BOOST_TEST(transfer.from.balance_after == 300);
    BOOST_TEST(transfer.to.balance_after == 200);
    BOOST_TEST(transfer.from.version == 1);
    BOOST_TEST(transfer.to.version == 1);
    BOOST_TEST(transfer.created_at().ms == noon.ms);
    auto const next = made<Transfer>(scene.move("bob", "alice", 50));
    BOOST_TEST(next.from.version == 2);
    BOOST_TEST(next.to.balance_after == 350);
    BOOST_TEST((transfer.id < next.id));
}

BOOST_AUTO_TEST_CASE(of_ten_debits_of_2000_on_10000_five_succeed) {
    auto scene = with("alice", 10'000);
    int accepted = 0;
    int refused = 0;
    for (std::uint64_t i = 0; i < 10; ++i) {
        auto const refusal = refusal_of(scene.move("alice", "bob", 2000, use_of(i)));
        accepted += refusal.empty();
        refused += refusal == "insufficient_funds";
    }
    BOOST_TEST(accepted == 5);
    BOOST_TEST(refused == 5);
    BOOST_TEST(scene.balance("bob") == 10'000);
}

BOOST_AUTO_TEST_CASE(ten_deposits_of_100_leave_100_to_1000) {
    auto scene = with("alice", 0);
    for (Amount i = 1; i <= 10; ++i)
        BOOST_TEST(made<Transfer>(scene.deposit("alice", 100)).to.balance_after == i * 100);
    BOOST_TEST(scene.balance(world_address) == -1000);
}

BOOST_AUTO_TEST_CASE(five_equal_requests_with_one_key_have_one_effect) {
    auto scene = with("alice", 100);
    auto const first = scene.move("alice", "bob", 60, use_of(1));
    for (int i = 0; i < 4; ++i) {
        auto const again = scene.move("alice", "bob", 60, use_of(1));
        BOOST_TEST(is_replayed(again));
        BOOST_TEST((made<Transfer>(again) == made<Transfer>(first)));
    }
    BOOST_TEST(scene.balance("bob") == 60);
    BOOST_TEST(scene.set().changes().transfers.size() == 1u);
}

struct FundsRow {
    Amount balance, overdraft, held, amount;
    char const* refusal;
};

BOOST_AUTO_TEST_CASE(available_plus_overdraft_must_cover_the_amount) {
    for (auto const& row :
         std::vector<FundsRow>{{100, 0, 0, 100, ""},
                               {100, 0, 0, 101, "insufficient_funds"},
                               {100, 50, 0, 150, ""},
                               {100, 50, 0, 151, "insufficient_funds"},
                               {100, 0, 40, 60, ""},
                               {100, 0, 40, 61, "insufficient_funds"},
                               {0, 0, 0, 1, "insufficient_funds"},
                               {-50, 50, 0, 1, "insufficient_funds"},
                               {largest, largest, 0, 1, ""},  // the sum needs more than 64 bits
                               {INT64_MIN, largest, largest, 1, "insufficient_funds"},
                               {INT64_MIN, amount_max, 0, 1, "insufficient_funds"}}) {
        auto scene = with("alice", row.balance, row.overdraft, row.held);
        BOOST_TEST(refusal_of(scene.move("alice", "bob", row.amount)) == row.refusal);
    }
}

BOOST_AUTO_TEST_CASE(a_balance_beyond_64_bits_is_refused_on_either_side) {
    auto scene = with("rich", largest);
    BOOST_TEST(refusal_of(scene.deposit("rich", 1)) == "amount_overflow");
    auto rows = Scene::loaded();
    rows.accounts[0].standing.balance = INT64_MIN;
    Scene::add(rows, "alice", 0);
    Scene drained{std::move(rows)};
    BOOST_TEST(refusal_of(drained.deposit("alice", 1)) == "amount_overflow");
    BOOST_TEST(drained.set().changes().empty());
}

BOOST_AUTO_TEST_CASE(in_an_explicit_ledger_both_sides_must_exist) {
    auto scene = with("alice", 100);
    BOOST_TEST(refusal_of(scene.move("nobody", "bob", 1)) == "account_not_found /from");
    BOOST_TEST(refusal_of(scene.move("alice", "nobody", 1)) == "account_not_found /to");
    BOOST_TEST(refusal_of(scene.move("nobody", "noone", 1)) == "account_not_found /from");
    BOOST_TEST(refusal_of(scene.deposit("nobody", 1)) == "account_not_found /account");
    BOOST_TEST(refusal_of(scene.withdraw("nobody", 1)) == "account_not_found /account");
}

BOOST_AUTO_TEST_CASE(refusals_come_in_the_documented_order) {
    auto scene = with("alice", 0);
    BOOST_TEST(refusal_of(scene.move("nobody", "nobody", 1)) == "self_transfer /to");
    BOOST_TEST(refusal_of(scene.move("alice", "nobody", 1)) == "account_not_found /to");
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 1)) == "insufficient_funds");
    auto rich = with("bob2", largest);
    BOOST_TEST(refusal_of(rich.move("bob", "bob2", 1)) == "insufficient_funds");
}

BOOST_AUTO_TEST_CASE(an_implicit_ledger_opens_accounts_for_who_is_paid) {
    Scene scene{AccountPolicy::implicit};
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 1)) == "insufficient_funds");
    BOOST_TEST(scene.set().changes().empty());
    BOOST_TEST(made<Transfer>(scene.deposit("alice", 10)).to.version == 1);
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 11)) == "insufficient_funds");
    BOOST_TEST(!scene.set().find_account(Scene::ledger_id(), "bob"));
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 10)) == "");
    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.new_accounts.size() == 2u);
    BOOST_TEST(changes.new_accounts[0].address == "alice");
    BOOST_TEST(changes.new_accounts[0].standing.version == 2);
    BOOST_TEST(changes.new_accounts[1].standing.balance == 10);
    BOOST_TEST(changes.changed_accounts.size() == 1u);
    BOOST_TEST(refusal_of(scene.move("alice", "@stream:1", 1)) == "account_not_found /to");
}

BOOST_AUTO_TEST_CASE(money_moves_only_on_the_callers_own_money_ledgers) {
    Scene credits{AccountPolicy::explicit_, LedgerKind::credits};
    BOOST_TEST(refusal_of(credits.deposit("alice", 1)) == "unsupported_on_ledger");
    BOOST_TEST(refusal_of(credits.decide(CreateAccount{Scene::ledger_id(), "alice"})) ==
               "unsupported_on_ledger");
    BOOST_TEST(refusal_of(credits.decide(bulk(false, {{"a", "b", 1}}))) == "unsupported_on_ledger");
    auto scene = with("alice", 100);
    auto const command = Scene::movement(TransferKind::transfer, "alice", "bob", 1);
    BOOST_TEST(refusal_of(scene.decide(command, {}, stranger)) == "ledger_not_found");
    auto elsewhere = command;
    elsewhere.ledger = {make_uuid7({5}, 0, 5)};
    BOOST_TEST(refusal_of(scene.decide(elsewhere)) == "ledger_not_found");
}

BOOST_AUTO_TEST_CASE(totals_sum_up_the_batch_by_kind) {
    auto scene = with("alice", 0);
    scene.deposit("alice", 10);
    scene.deposit("alice", 20);
    scene.move("alice", "bob", 5);
    scene.withdraw("bob", 1);
    auto const totals = scene.set().changes().totals;
    BOOST_REQUIRE(totals.size() == 3u);
    BOOST_TEST((totals[0] == Total{Scene::ledger_id(), TotalKind::deposit, 2, 30}));
    BOOST_TEST((totals[1] == Total{Scene::ledger_id(), TotalKind::withdrawal, 1, 1}));
    BOOST_TEST((totals[2] == Total{Scene::ledger_id(), TotalKind::transfer, 1, 5}));
}

BOOST_AUTO_TEST_CASE(an_account_is_made_once) {
    Scene scene;
    auto const account =
        made<Account>(scene.decide(CreateAccount{Scene::ledger_id(), "alice", 5, R"({"a":1})"}));
    BOOST_TEST(account.overdraft_limit == 5);
    BOOST_TEST(account.created_at.ms == noon.ms);
    BOOST_TEST(refusal_of(scene.decide(CreateAccount{Scene::ledger_id(), "alice"})) ==
               "account_exists /address");
    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.new_accounts.size() == 1u);
    BOOST_TEST(changes.new_accounts[0].metadata == R"({"a":1})");
    BOOST_TEST(refusal_of(scene.decide(CreateAccount{Scene::ledger_id(), "x"}, {}, stranger)) ==
               "ledger_not_found");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(bulk_of_movements)

BOOST_AUTO_TEST_CASE(items_stand_alone_and_run_in_order) {
    auto scene = with("alice", 100);
    auto const outcome = scene.decide(bulk(false, {{"alice", "bob", 60},
                                                   {"alice", "bob", 60},
                                                   {"bob", "bob", 1},
                                                   {"bob", "alice", 20},
                                                   {"alice", "bob", 60},
                                                   {"nobody", "bob", 1}}));
    BOOST_TEST(item_codes(outcome) ==
               "ok insufficient_funds self_transfer ok ok account_not_found ");
    BOOST_TEST(scene.balance("alice") == 0);
    BOOST_TEST(scene.balance("bob") == 100);
}

BOOST_AUTO_TEST_CASE(the_first_refusal_of_an_atomic_bulk_undoes_it_all) {
    Scene scene{AccountPolicy::implicit};
    scene.deposit("alice", 100);
    auto const before = scene.set().changes();
    auto const outcome = scene.decide(
        bulk(true, {{"alice", "bob", 60}, {"bob", "carol", 10}, {"alice", "bob", 60}}), use_of(3));
    BOOST_TEST(refusal_of(outcome) == "bulk_rejected /transfers/2");
    BOOST_TEST(std::get<Refusal>(outcome).detail == "insufficient_funds");
    BOOST_TEST((scene.set().changes() == before));
    BOOST_TEST(!scene.set().find_account(Scene::ledger_id(), "carol"));
    BOOST_TEST(!scene.set().find_key(key_named(3)));
    auto const whole =
        scene.decide(bulk(true, {{"alice", "bob", 60}, {"bob", "carol", 10}}), use_of(3));
    BOOST_TEST(item_codes(whole) == "ok ok ");
}

BOOST_AUTO_TEST_CASE(an_answer_keeps_codes_and_ids_and_renders_the_same_again) {
    auto scene = with("alice", 100);
    auto const command =
        bulk(false, {{"alice", "bob", 60}, {"alice", "bob", 60}, {"bob", "alice", 1}});
    auto const first = scene.decide(command, use_of(1));
    auto const same_batch = scene.decide(command, use_of(1));
    BOOST_TEST(is_replayed(same_batch));
    BOOST_TEST((made<BulkReceipt>(same_batch) == made<BulkReceipt>(first)));

    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.answers.size() == 1u);
    auto const& answer = changes.answers[0];
    BOOST_TEST(answer.status == 200);
    BOOST_TEST((answer.ledger == Scene::ledger_id()));
    auto const refused = static_cast<std::int16_t>(Rejection::insufficient_funds);
    BOOST_TEST((answer.items == std::vector<std::int16_t>{-1, refused, -1}));
    auto rows = Scene::loaded();
    rows.keys.emplace_back(key_named(1), KeyRecord{answer.key_use.fingerprint, noon,
                                                   std::pair{answer, changes.transfers}});
    Scene later{std::move(rows)};
    auto const replay = later.decide(command, use_of(1));
    BOOST_TEST(is_replayed(replay));
    BOOST_TEST((made<BulkReceipt>(replay) == made<BulkReceipt>(first)));
    BOOST_TEST(later.set().changes().empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(reverting)

BOOST_AUTO_TEST_CASE(a_transfer_is_reverted_once) {
    auto scene = with("alice", 100);
    auto const original = made<Transfer>(scene.move("alice", "bob", 60));
    RevertTransfer const command{Scene::ledger_id(), original};
    auto const revert = made<Transfer>(scene.decide(command, use_of(1)));
    BOOST_TEST((revert.kind == TransferKind::revert));
    BOOST_TEST((revert.reverts == original.id));
    BOOST_TEST(revert.from.address == "bob");
    BOOST_TEST(!revert.reference);
    BOOST_TEST(scene.balance("alice") == 100);
    BOOST_TEST(refusal_of(scene.decide(command, use_of(2))) == "already_reverted");
    BOOST_TEST(is_replayed(scene.decide(command, use_of(1))));
    BOOST_TEST(refusal_of(scene.decide(RevertTransfer{Scene::ledger_id(), revert})) ==
               "illegal_transition");
}

BOOST_AUTO_TEST_CASE(a_receiver_who_spent_the_money_cannot_give_it_back) {
    auto scene = with("alice", 100);
    auto const original = made<Transfer>(scene.move("alice", "bob", 60));
    scene.withdraw("bob", 1);
    RevertTransfer const command{Scene::ledger_id(), original};
    BOOST_TEST(refusal_of(scene.decide(command)) == "insufficient_funds");
    scene.deposit("bob", 1);
    BOOST_TEST(refusal_of(scene.decide(command)) == "");
}

BOOST_AUTO_TEST_CASE(the_world_can_always_give_back) {
    auto scene = with("alice", 100);
    auto const original = made<Transfer>(scene.withdraw("alice", 60));
    BOOST_TEST(refusal_of(scene.decide(RevertTransfer{Scene::ledger_id(), original})) == "");
    BOOST_TEST(scene.balance("alice") == 100);
}

BOOST_AUTO_TEST_CASE(what_the_store_knows_as_reverted_is_reverted) {
    auto rows = Scene::loaded();
    Scene::add(rows, "alice", 5);
    Transfer original;
    original.id = {make_uuid7(day_before, 1, 2)};
    original.ledger = Scene::ledger_id();
    original.from.address = world_address;
    original.to.address = "alice";
    original.amount = 5;
    rows.reverted.insert(original.id);
    Scene scene{std::move(rows)};
    RevertTransfer command{Scene::ledger_id(), original};
    BOOST_TEST(refusal_of(scene.decide(command)) == "already_reverted");
    command.original->ledger = {make_uuid7({5}, 0, 5)};
    BOOST_TEST(refusal_of(scene.decide(command)) == "transfer_not_found");
    command.original.reset();
    BOOST_TEST(refusal_of(scene.decide(command)) == "transfer_not_found");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(idempotency)

BOOST_AUTO_TEST_CASE(a_key_used_for_something_else_is_refused) {
    auto scene = with("alice", 100);
    scene.move("alice", "bob", 1, use_of(1));
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 2, use_of(1, 2))) == "idempotency_key_reused");
}

BOOST_AUTO_TEST_CASE(a_refusal_leaves_its_key_free) {
    auto scene = with("alice", 0);
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 1, use_of(1))) == "insufficient_funds");
    scene.deposit("alice", 1);
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 1, use_of(1))) == "");
}

BOOST_AUTO_TEST_CASE(a_recorded_body_is_sent_again) {
    auto rows = Scene::loaded();
    Answer answer;
    answer.status = 201;
    answer.body = R"({"name":"x"})";
    auto const use = use_of(1);
    rows.keys.emplace_back(
        use.key, KeyRecord{use.fingerprint, noon, std::pair{answer, std::vector<Transfer>{}}});
    Scene scene{std::move(rows)};
    auto const outcome = scene.decide(CreateOrganization{"x"}, use);
    BOOST_TEST(is_replayed(outcome));
    BOOST_TEST((made<Recorded>(outcome) == Recorded{201, R"({"name":"x"})"}));
}

BOOST_AUTO_TEST_CASE(a_key_past_its_retention_is_free_and_freed) {
    auto rows = Scene::loaded();
    Scene::add(rows, "alice", 100);
    auto const use = use_of(1, 9);
    KeyRecord const old{
        use.fingerprint, {day_before.ms - 1}, std::pair{Answer{}, std::vector<Transfer>{}}};
    rows.keys.emplace_back(use.key, old);
    rows.keys.emplace_back(key_named(2), old);
    Scene scene{std::move(rows)};
    BOOST_TEST(!scene.set().find_key(use.key));
    auto const mark = scene.set().mark();
    BOOST_TEST(refusal_of(scene.move("alice", platform_address, 1, use_of(1))) == "");
    BOOST_TEST((scene.set().changes().freed_keys == std::vector{use.key}));
    BOOST_TEST(is_replayed(scene.move("alice", platform_address, 1, use_of(1))));
    scene.set().undo(mark);
    BOOST_TEST(scene.set().changes().empty());
    BOOST_TEST(!scene.set().find_key(use.key));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(working_set)

BOOST_AUTO_TEST_CASE(time_never_goes_back_within_an_account) {
    auto rows = Scene::loaded();
    Scene::add(rows, "alice", 100);
    rows.accounts.back().standing.updated_at = {noon.ms + 5};
    Scene scene{std::move(rows)};
    auto const transfer = made<Transfer>(scene.move("alice", platform_address, 1));
    BOOST_TEST(transfer.created_at().ms == noon.ms + 5);
}

BOOST_AUTO_TEST_CASE(ids_ascend_beyond_the_ordinals_of_one_millisecond) {
    WorkingSet set{{}, Stamp{noon, (1u << 18) - 1}, day_before};
    auto const last = set.next_id(~std::uint64_t{0});
    auto const next = set.next_id(0);
    BOOST_TEST((last < next));
    BOOST_TEST(instant_of(next).ms == noon.ms + 1);
}

BOOST_AUTO_TEST_CASE(the_same_commands_come_to_the_same_changes) {
    auto run = [] {
        auto scene = with("alice", 100);
        scene.move("alice", "bob", 60, use_of(1));
        scene.decide(bulk(false, {{"bob", "alice", 1}, {"bob", "alice", 90}}), use_of(2));
        return scene.set().changes();
    };
    BOOST_TEST((run() == run()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
