// Is a hot ledger brought home as its journal says, once and in order?
#include "domain/hot_decide.hpp"

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

constexpr Instant later{noon.ms + 1'000};

Loaded hot_rows(std::int64_t epoch, std::int64_t drained) {
    auto rows = Scene::loaded();
    rows.ledgers.front().posting = Posting::hot;
    Scene::add(rows, "alice", 100);
    Scene::add(rows, "bob", 0);
    rows.hot_ledgers.push_back({Scene::ledger_id(), epoch, drained});
    return rows;
}

AccountId id_of(std::string const& address) {
    for (auto const& account : hot_rows(0, 0).accounts)
        if (account.address == address) return account.id;
    return {};
}

JournalEntry entry_after(std::int64_t after, std::vector<JournalItem> items) {
    JournalEntry entry;
    entry.ledger = Scene::ledger_id();
    entry.after = after;
    entry.position = after + static_cast<std::int64_t>(items.size());
    entry.at = later;
    entry.nonce = static_cast<std::uint64_t>(after) + 1;
    entry.request_id = "request";
    entry.items = std::move(items);
    return entry;
}

Transfer transfer_of(Amount amount, std::int64_t version) {
    Transfer transfer;
    transfer.ledger = Scene::ledger_id();
    transfer.id = {make_uuid7(later, 0, static_cast<std::uint64_t>(version))};
    transfer.from = {id_of("alice"), "alice", 100 - amount, version};
    transfer.to = {id_of("bob"), "bob", amount, version};
    transfer.amount = amount;
    return transfer;
}

JournalEntry moved(std::int64_t after, std::optional<KeyUse> use = {}) {
    auto transfer = transfer_of(1, after + 1);
    transfer.key_use = use;
    auto entry = entry_after(after, {transfer});
    entry.key_use = use;
    return entry;
}

Hold hold_of(HoldStatus status) {
    Hold hold;
    hold.id = {make_uuid7(noon, 0, 99)};
    hold.ledger = Scene::ledger_id();
    hold.from = {id_of("alice"), "alice"};
    hold.to = {id_of("bob"), "bob"};
    hold.amount = 40;
    hold.status = status;
    if (status != HoldStatus::pending) hold.ended_at = later;
    return hold;
}

/// The ledger's row after these entries came in `epoch`.
HotLedger book(Scene& scene, std::vector<JournalEntry> entries, std::int64_t epoch = 1,
               std::int64_t lost_to = 0) {
    return made<HotLedger>(
        scene.decide(BookJournal{Scene::ledger_id(), epoch, std::move(entries), lost_to}));
}

HotLedger sync(Scene& scene, HotBalance balance, std::int64_t epoch = 1) {
    return made<HotLedger>(
        scene.decide(SyncBalances{Scene::ledger_id(), epoch, {std::move(balance)}}));
}

Standing standing_of(Scene const& scene, std::string const& address) {
    auto& set = const_cast<Scene&>(scene).set();
    return set.find_account(Scene::ledger_id(), address)->standing;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot)

BOOST_AUTO_TEST_CASE(an_epoch_is_begun_by_counting_it) {
    Scene scene{hot_rows(3, 7)};
    auto const row = made<HotLedger>(scene.decide(BeginEpoch{Scene::ledger_id()}));
    BOOST_TEST((row == HotLedger{Scene::ledger_id(), 4, 7}));
    BOOST_TEST((scene.set().changes().hot_ledgers == std::vector{row}));
}

BOOST_AUTO_TEST_CASE(a_ledger_that_is_not_hot_has_no_epoch) {
    Scene scene;
    BOOST_TEST(refusal_of(scene.decide(BeginEpoch{Scene::ledger_id()})) == "ledger_not_found");
    BOOST_TEST(refusal_of(scene.decide(BookJournal{Scene::ledger_id(), 1, {}})) ==
               "ledger_not_found");
    BOOST_TEST(refusal_of(scene.decide(SyncBalances{Scene::ledger_id(), 1, {}})) ==
               "ledger_not_found");
}

BOOST_AUTO_TEST_CASE(entries_are_booked_in_their_order_each_once) {
    Scene scene{hot_rows(1, 4)};
    auto const row = book(scene, {moved(3), moved(4), moved(5)});
    BOOST_TEST(row.drained == 6);
    auto const again = book(scene, {moved(4), moved(5), moved(6)});
    BOOST_TEST(again.drained == 7);
    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.transfers.size() == 3U);
    BOOST_TEST(changes.transfers.front().from.version == 5);
    BOOST_TEST(changes.changed_accounts.empty());
    BOOST_REQUIRE(changes.totals.size() == 1U);
    BOOST_TEST(changes.totals.front().count == 3);
}

BOOST_AUTO_TEST_CASE(what_comes_behind_a_gap_waits_for_whoever_has_what_is_missing) {
    Scene scene{hot_rows(1, 0)};
    auto const row = book(scene, {moved(0), moved(2)});
    BOOST_TEST(row.drained == 1);
    BOOST_TEST(book(scene, {moved(2)}).drained == 1);
    BOOST_TEST(book(scene, {moved(1), moved(2)}).drained == 3);
}

BOOST_AUTO_TEST_CASE(what_is_lost_for_good_is_passed_over) {
    Scene scene{hot_rows(1, 0)};
    BOOST_TEST(book(scene, {moved(4)}, 1, 4).drained == 5);
    BOOST_TEST(book(scene, {}, 1, 9).drained == 9);
    BOOST_TEST(book(scene, {}, 1, 3).drained == 9);
    BOOST_TEST(scene.set().changes().transfers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(nothing_of_another_epoch_is_taken) {
    Scene scene{hot_rows(2, 0)};
    for (std::int64_t const epoch : {1, 3}) {
        BOOST_TEST(book(scene, {moved(0)}, epoch).drained == 0);
        sync(scene, {"alice", 5, 1, later, 0}, epoch);
    }
    BOOST_TEST(scene.set().changes().empty());
}

BOOST_AUTO_TEST_CASE(held_follows_the_journal_and_a_hold_ends_with_its_event) {
    Scene scene{hot_rows(1, 0)};
    book(scene, {entry_after(0, {hold_of(HoldStatus::pending)})});
    BOOST_TEST(standing_of(scene, "alice").held == 40);
    BOOST_TEST(standing_of(scene, "alice").version == 0);
    auto const entry = entry_after(1, {hold_of(HoldStatus::voided)});
    book(scene, {entry});
    BOOST_TEST(standing_of(scene, "alice").held == 0);
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.new_holds.size() == 1U);
    BOOST_TEST(changes.ended_holds.size() == 1U);
    BOOST_REQUIRE(changes.events.size() == 1U);
    BOOST_TEST((changes.events.front().type == EventType::hold_voided));
    BOOST_TEST((changes.events.front().id == entry.event_id(0)));
}

BOOST_AUTO_TEST_CASE(a_capture_is_a_hold_that_ended_and_a_transfer) {
    Scene scene{hot_rows(1, 0)};
    auto hold = hold_of(HoldStatus::captured);
    auto transfer = transfer_of(30, 1);
    transfer.kind = TransferKind::capture;
    hold.captured_amount = 30;
    hold.transfer = transfer.id;
    book(scene, {entry_after(0, {hold_of(HoldStatus::pending)}),
                 entry_after(1, {Captured{hold, transfer}})});
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.transfers.size() == 1U);
    BOOST_TEST(changes.events.front().amount.value() == 30);
    BOOST_TEST(standing_of(scene, "alice").held == 0);
    BOOST_TEST(standing_of(scene, "alice").balance == 100);
}

BOOST_AUTO_TEST_CASE(
    an_entry_that_does_not_fit_the_store_stops_the_drain_there_and_leaves_no_trace) {
    Scene scene{hot_rows(1, 0)};
    auto const poison = entry_after(1, {transfer_of(1, 2), hold_of(HoldStatus::voided)});
    auto const row = book(scene, {moved(0), poison, moved(3)});
    BOOST_TEST(row.drained == 1);
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.transfers.size() == 1U);
    BOOST_TEST(changes.ended_holds.empty());
}

BOOST_AUTO_TEST_CASE(answers_of_bulks_and_holds_are_recorded_with_their_keys) {
    Scene scene{hot_rows(1, 0)};
    auto bulk = entry_after(0, {transfer_of(1, 1), Refusal{Rejection::insufficient_funds}});
    bulk.is_bulk = true;
    bulk.key_use = use_of(1);
    auto placed = entry_after(2, {hold_of(HoldStatus::pending)});
    placed.key_use = use_of(2);
    book(scene, {bulk, placed, moved(3, use_of(3))});
    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.answers.size() == 2U);
    BOOST_TEST(changes.answers.front().status == 200);
    BOOST_TEST(changes.answers.front().items.size() == 2U);
    BOOST_TEST(changes.answers.front().transfers.size() == 1U);
    BOOST_TEST((changes.answers.front().created_at == later));
    BOOST_TEST(changes.answers.back().status == 201);
    BOOST_TEST((scene.set().find_receipt(key_named(2)) != nullptr));
    BOOST_TEST((changes.transfers.back().key_use == use_of(3)));
}

BOOST_AUTO_TEST_CASE(a_key_that_another_ledger_has_used_stays_with_that_use) {
    Scene scene{hot_rows(1, 0)};
    book(scene, {moved(0, use_of(1)), moved(1, use_of(1, 2))});
    auto const changes = scene.set().changes();
    BOOST_REQUIRE(changes.transfers.size() == 2U);
    BOOST_TEST(!changes.transfers.back().key_use);
}

BOOST_AUTO_TEST_CASE(a_balance_is_set_by_a_newer_version_that_the_drain_has_passed) {
    Scene scene{hot_rows(1, 5)};
    sync(scene, {"alice", 70, 3, later, 5});
    BOOST_TEST(standing_of(scene, "alice").balance == 70);
    BOOST_TEST(standing_of(scene, "alice").version == 3);
    BOOST_TEST((standing_of(scene, "alice").updated_at == later));
    sync(scene, {"alice", 80, 2, later, 4});
    BOOST_TEST(standing_of(scene, "alice").balance == 70);
    sync(scene, {"alice", 60, 4, later, 6});
    BOOST_TEST(standing_of(scene, "alice").balance == 70);
    sync(scene, {"nobody", 60, 4, later, 5});
    BOOST_TEST(scene.set().changes().changed_accounts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_hot_ledger_is_deleted_only_by_who_sealed_it) {
    auto rows = hot_rows(3, 0);
    for (auto& account : rows.accounts) account.standing = {};
    for (std::int64_t const epoch : {0, 2, 3}) {
        Scene scene{rows};
        auto const refusal = refusal_of(scene.decide(DeleteLedger{Scene::ledger_id(), epoch}));
        BOOST_TEST(refusal == (epoch == 3 ? "" : "ledger_not_empty"));
    }
}

BOOST_AUTO_TEST_CASE(money_does_not_move_on_a_hot_ledger_but_through_its_books) {
    Scene scene{hot_rows(1, 0)};
    BOOST_TEST(refusal_of(scene.move("alice", "bob", 1)) == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE(accounts_open_where_they_do_so_by_themselves_and_only_once) {
    for (auto const policy : {AccountPolicy::explicit_, AccountPolicy::implicit}) {
        auto rows = hot_rows(1, 0);
        rows.ledgers.front().accounts = policy;
        Scene scene{std::move(rows)};
        std::vector<std::string> const addresses{"carol", "alice", "carol", "@stream:x"};
        scene.decide(OpenAccounts{Scene::ledger_id(), addresses});
        std::size_t const expected = policy == AccountPolicy::implicit ? 1 : 0;
        BOOST_TEST(scene.set().changes().new_accounts.size() == expected);
    }
}

BOOST_AUTO_TEST_CASE(journals_of_several_ledgers_are_one_set_of_changes) {
    auto rows = hot_rows(1, 0);
    auto other = rows.ledgers.front();
    other.id = {make_uuid7(day_before, 0, 2)};
    other.name = "other";
    rows.ledgers.push_back(other);
    rows.hot_ledgers.push_back({other.id, 4, 0});
    Scene scene{std::move(rows)};
    book(scene, {moved(0)});
    auto entry = moved(0);
    entry.ledger = other.id;
    std::get<Transfer>(entry.items.front()).ledger = other.id;
    auto const row = made<HotLedger>(scene.decide(BookJournal{other.id, 4, {entry}}));
    BOOST_TEST((row == HotLedger{other.id, 4, 1}));
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.hot_ledgers.size() == 2U);
    BOOST_TEST(changes.transfers.size() == 2U);
    BOOST_TEST(changes.totals.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_journal_asks_for_its_keys_and_holds_and_for_no_account_that_only_moves) {
    std::vector<JournalItem> items;
    for (int version = 1; version <= 10'000; ++version) items.emplace_back(transfer_of(1, version));
    auto bulk = entry_after(0, std::move(items));
    bulk.is_bulk = true;
    bulk.key_use = use_of(1);
    auto const placed = entry_after(10'000, {hold_of(HoldStatus::pending)});
    Envelope envelope;
    envelope.command = BookJournal{Scene::ledger_id(), 1, {bulk, placed}};
    KeySet keys;
    add_keys_of(envelope, keys);
    BOOST_TEST((keys.hot_ledgers == std::set{Scene::ledger_id()}));
    BOOST_TEST((keys.keys == std::set{key_named(1)}));
    BOOST_TEST((keys.accounts == std::set{AccountName{Scene::ledger_id(), "alice"}}));
    BOOST_TEST(keys.holds.size() == 1U);
    Scene scene{hot_rows(1, 0)};
    BOOST_TEST(book(scene, {bulk, placed}).drained == 10'001);
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.transfers.size() == 10'000U);
    BOOST_TEST(changes.totals.size() == 1U);
    BOOST_TEST(changes.answers.size() == 1U);
    BOOST_TEST(changes.changed_accounts.size() == 1U);
}

BOOST_AUTO_TEST_CASE(only_the_stores_own_hold_is_ended_and_only_once) {
    using Change = void (*)(Hold&);
    constexpr Change changes[] = {
        [](Hold& hold) { hold.amount = 41; },
        [](Hold& hold) {
            hold.from = {id_of("bob"), "bob"};
        },
        [](Hold& hold) { hold.from.account = id_of("bob"); },
        [](Hold& hold) { hold.ledger = {make_uuid7(day_before, 0, 2)}; },
        [](Hold& hold) { hold.id = {make_uuid7(noon, 1, 99)}; },
    };
    for (auto const change : changes) {
        Scene scene{hot_rows(1, 0)};
        book(scene, {entry_after(0, {hold_of(HoldStatus::pending)})});
        auto other = hold_of(HoldStatus::expired);
        change(other);
        BOOST_TEST(book(scene, {entry_after(1, {other})}).drained == 1);
        BOOST_TEST(book(scene, {entry_after(1, {hold_of(HoldStatus::expired)})}).drained == 2);
        BOOST_TEST(book(scene, {entry_after(2, {hold_of(HoldStatus::voided)})}).drained == 2);
        BOOST_TEST(standing_of(scene, "alice").held == 0);
        BOOST_TEST(scene.set().changes().ended_holds.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_hold_is_placed_once_and_only_on_an_account_that_is_there) {
    Scene scene{hot_rows(1, 0)};
    auto nobodys = hold_of(HoldStatus::pending);
    nobodys.from.address = "nobody";
    BOOST_TEST(book(scene, {entry_after(0, {nobodys})}).drained == 0);
    BOOST_TEST(book(scene, {entry_after(0, {hold_of(HoldStatus::pending)})}).drained == 1);
    BOOST_TEST(book(scene, {entry_after(1, {hold_of(HoldStatus::pending)})}).drained == 1);
    BOOST_TEST(standing_of(scene, "alice").held == 40);
}

BOOST_AUTO_TEST_CASE(what_is_behind_something_lost_waits_only_for_what_is_among_the_entries) {
    Scene scene{hot_rows(1, 0)};
    // Up to 3 all is lost but the entry in the middle, which is here.
    BOOST_TEST(book(scene, {moved(1), moved(3)}, 1, 3).drained == 4);
    // What does not fit is not lost: whoever lays it aside says so.
    auto const poison = entry_after(4, {hold_of(HoldStatus::voided)});
    BOOST_TEST(book(scene, {poison}, 1, 5).drained == 4);
    BOOST_TEST(book(scene, {moved(5)}, 1, 5).drained == 6);
    BOOST_TEST(scene.set().changes().transfers.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_key_of_the_journal_is_answered_as_the_request_was) {
    auto bulk = entry_after(1, {transfer_of(1, 2), Refusal{Rejection::account_not_found}});
    bulk.is_bulk = true;
    bulk.key_use = use_of(2);
    auto placed = entry_after(3, {hold_of(HoldStatus::pending)});
    placed.key_use = use_of(3);
    auto voided = entry_after(4, {hold_of(HoldStatus::voided)});
    voided.key_use = use_of(4);
    std::vector const entries{moved(0, use_of(1)), bulk, placed, voided};
    Scene scene{hot_rows(1, 0)};
    book(scene, entries);
    for (std::uint64_t key = 1; key <= entries.size(); ++key) {
        auto const again = scene.move("alice", "bob", 7, use_of(key));
        BOOST_TEST((again == Outcome(Receipt{receipt_of(entries[key - 1]).what, true})));
        BOOST_TEST(refusal_of(scene.move("alice", "bob", 7, use_of(key, 2))) ==
                   "idempotency_key_reused");
    }
}

BOOST_AUTO_TEST_CASE(holds_that_expire_together_are_answered_with_how_many_there_were) {
    auto const refused = Refusal{Rejection::illegal_transition};
    auto const expired = hold_of(HoldStatus::expired);
    auto const count_of = [](std::vector<JournalItem> items) {
        return made<Done>(receipt_of(entry_after(0, std::move(items)))).items;
    };
    BOOST_TEST(count_of({expired}) == 1U);
    BOOST_TEST(count_of({refused, expired, expired}) == 2U);
    BOOST_TEST(count_of({refused}) == 0U);
}

BOOST_AUTO_TEST_CASE(a_ledger_that_was_deleted_is_not_brought_home) {
    auto rows = hot_rows(1, 0);
    rows.ledgers.clear();
    Scene scene{std::move(rows)};
    auto const id = Scene::ledger_id();
    for (Command const& command : std::initializer_list<Command>{
             OpenAccounts{id, {"carol"}}, BeginEpoch{id}, BookJournal{id, 1, {moved(0)}},
             SyncBalances{id, 1, {{"alice", 5, 1, later, 0}}}})
        BOOST_TEST(refusal_of(scene.decide(command)) == "ledger_not_found");
    BOOST_TEST(scene.set().changes().empty());
}

BOOST_AUTO_TEST_CASE(of_two_states_of_an_account_in_one_batch_the_newer_one_stays) {
    for (bool const newest_first : {true, false}) {
        Scene scene{hot_rows(1, 9)};
        HotBalance const older{"alice", 50, 3, noon, 4};
        HotBalance const newer{"alice", 30, 5, later, 9};
        sync(scene, newest_first ? newer : older);
        sync(scene, newest_first ? older : newer);
        BOOST_TEST(standing_of(scene, "alice").balance == 30);
        BOOST_TEST(standing_of(scene, "alice").version == 5);
        BOOST_TEST(scene.set().changes().changed_accounts.size() == 1U);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
