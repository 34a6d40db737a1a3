#include "tests/db/credit_rules.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "db/credit_store.hpp"
#include "domain/credits_replay.hpp"
#include "tests/db/credit_source.hpp"
#include "tests/db/driver.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

constexpr Instant start{1'700'000'000'000};

Instant at_second(std::int64_t seconds) { return {start.ms + seconds * 1'000}; }

template <class T>
T value_of(Result<T> result) {
    BOOST_REQUIRE_MESSAGE(result, result.error().message());
    return *std::move(result);
}

Command grant(Ledger const& ledger, std::string reference, std::vector<CreditDraft> entries) {
    return GrantCredits{ledger.id, std::move(reference), std::move(entries)};
}

Command spend(Ledger const& ledger, std::string reference, std::vector<CreditDraft> entries,
              bool allow_partial = false) {
    return SpendCredits{ledger.id, std::move(reference), std::move(entries), allow_partial};
}

Command send(Ledger const& ledger, std::string reference, std::string from,
             std::vector<CreditDraft> entries) {
    return TransferCredits{ledger.id, std::move(reference), std::move(from), std::move(entries)};
}

CreditDraft draft(std::string address, Amount amount, std::optional<Instant> expires_at = {}) {
    return {std::move(address), amount, expires_at};
}

/// A list by a function: braces beside a co_await are miscompiled by g++ 12.
template <class... Drafts>
std::vector<CreditDraft> all(Drafts... drafts) {
    std::vector<CreditDraft> list;
    (list.push_back(std::move(drafts)), ...);
    return list;
}

/// "ann 100/70 10, bob …": remaining of amount, until which second.
std::string text_of(std::vector<db::ReferencedLot> const& lots) {
    std::string text;
    for (auto const& [lot, reference] : lots) {
        if (!text.empty()) text += ", ";
        text += reference + ' ' + std::to_string(lot.remaining) + '/' + std::to_string(lot.amount);
        if (lot.expires_at)
            text += " until " + std::to_string((lot.expires_at->ms - start.ms) / 1'000);
    }
    return text;
}

asio::awaitable<std::string> lots_of(db::Store& store, Ledger ledger, std::string address,
                                     Instant at) {
    AccountName const name{ledger.id, std::move(address)};
    auto const valid = value_of(co_await store.credits().list_valid_lots(name, at, in_time()));
    co_return text_of(valid.lots);
}

asio::awaitable<void> check_verified(db::Store& store, Ledger ledger) {
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    BOOST_TEST(checks.size() == 5u);
    for (auto const& check : checks) BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

asio::awaitable<void> what_is_granted_is_there_until_it_is_spent(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const late = at_second(100);
    auto const three =
        grant(ledger, "a",
              all(draft("ann", 100, at_second(10)), draft("ann", 50), draft("bob", 7, late)));
    co_await driver.one(three);
    auto const granted = co_await lots_of(store, ledger, "ann", start);
    BOOST_TEST(granted == "a 100/100 until 10, a 50/50");
    driver.at = at_second(1);
    auto const spent =
        made<Credited>(co_await driver.one(spend(ledger, "b", all(draft("ann", 120)))));
    BOOST_TEST(spent.lines.front().amount == 120);
    auto const left = co_await lots_of(store, ledger, "ann", start);
    BOOST_TEST(left == "a 30/50");
    auto const sent = co_await driver.one(send(ledger, "c", "bob", all(draft("cid", 5))));
    BOOST_TEST(refusal_of(sent) == "");
    auto const passed_on = co_await lots_of(store, ledger, "cid", start);
    BOOST_TEST(passed_on == "c 5/5 until 100");
    auto const later = co_await lots_of(store, ledger, "cid", late);
    BOOST_TEST(later == "");
    auto const taken = co_await driver.one(grant(ledger, "c", all(draft("ann", 1))));
    BOOST_TEST(refusal_of(taken) == "reference_exists /reference");
    co_await check_verified(store, ledger);
}

asio::awaitable<void> balances_are_listed_and_counted(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const some =
        grant(ledger, "a",
              all(draft("b", 5), draft("a", 3, at_second(10)), draft("B", 2), draft("c", 9)));
    co_await driver.one(some);
    co_await driver.one(spend(ledger, "b", all(draft("c", 9))));
    auto& credits = store.credits();
    db::CreditBalancePage page;
    page.at = start;
    auto const everyone = value_of(co_await credits.list_balances(ledger.id, page, in_time()));
    std::vector<db::CreditBalance> const expected{{"B", 2}, {"a", 3}, {"b", 5}, {"c", 0}};
    BOOST_TEST((everyone.items == expected));
    page.at = at_second(10);
    page.min_balance = 1;
    page.after = "B";
    auto const rich = value_of(co_await credits.list_balances(ledger.id, page, in_time()));
    BOOST_TEST((rich.items == std::vector<db::CreditBalance>{{"b", 5}}));
    constexpr std::array counts{std::pair{0, 4}, std::pair{1, 2}, std::pair{3, 1}};
    for (auto const& [least, count] : counts) {
        auto const found =
            value_of(co_await credits.count_balances(ledger.id, page.at, least, in_time()));
        BOOST_TEST(found == count, least);
    }
}

asio::awaitable<void> the_history_is_newest_first_and_of_what_was_asked(db::Store& store,
                                                                        Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    co_await driver.one(grant(ledger, "a", all(draft("ann", 5), draft("bob", 6))));
    driver.at = at_second(1);
    co_await driver.one(send(ledger, "b", "ann", all(draft("bob", 1), draft("cid", 2))));
    driver.at = at_second(2);
    co_await driver.one(spend(ledger, "c", all(draft("bob", 100)), true));
    auto& credits = store.credits();
    auto const amounts = [&](db::CreditHistoryPage page) -> asio::awaitable<std::string> {
        auto const rows = value_of(co_await credits.list_history(ledger.id, page, in_time()));
        std::string text;
        for (auto const& row : rows.items)
            text += row.reference + std::to_string(row.index) + ' ' + row.party.address + ' ' +
                    std::to_string(row.amount) + "; ";
        co_return text;
    };
    db::CreditHistoryPage page;
    auto const everything = co_await amounts(page);
    BOOST_TEST(everything == "c0 bob -7; b2 ann -3; b1 cid 2; b0 bob 1; a1 bob 6; a0 ann 5; ");
    page.limit = 2;
    auto const newest = value_of(co_await credits.list_history(ledger.id, page, in_time()));
    BOOST_TEST(newest.items.front().shortfall == 93);
    page.before = LotPlace{newest.items.back().operation, newest.items.back().index};
    auto const next = co_await amounts(page);
    BOOST_TEST(next == "b1 cid 2; b0 bob 1; ");
    page = {};
    page.address = "bob";
    auto const of_bob = co_await amounts(page);
    BOOST_TEST(of_bob == "c0 bob -7; b0 bob 1; a1 bob 6; ");
    page.kind = CreditKind::grant;
    auto const of_bob_granted = co_await amounts(page);
    BOOST_TEST(of_bob_granted == "a1 bob 6; ");
    page = {};
    page.reference = "b";
    auto const of_one_request = co_await amounts(page);
    BOOST_TEST(of_one_request == "b2 ann -3; b1 cid 2; b0 bob 1; ");
    page.address = "cid";
    auto const of_one_request_and_address = co_await amounts(page);
    BOOST_TEST(of_one_request_and_address == "b1 cid 2; ");
    page.kind = CreditKind::grant;
    auto const of_another_kind = co_await amounts(page);
    BOOST_TEST(of_another_kind == "");
    page.address.reset();
    auto const of_one_request_of_another_kind = co_await amounts(page);
    BOOST_TEST(of_one_request_of_another_kind == "");
    page = {};
    page.from = at_second(1);
    page.to = at_second(2);
    auto const of_a_period = co_await amounts(page);
    BOOST_TEST(of_a_period == "b2 ann -3; b1 cid 2; b0 bob 1; ");
}

/// Every page of a list: what `name_of` says of its items; "…" where it ended for having looked at
/// as much as it may. `go_on` takes where the next one begins.
template <class Read, class NameOf, class GoOn>
asio::awaitable<std::string> walked(Read read, NameOf name_of, GoOn go_on, std::size_t limit) {
    std::string text;
    for (int pages = 0; pages < 20; ++pages) {
        auto const list = value_of(co_await read());
        for (auto const& item : list.items) text += name_of(item);
        text += list.scanned_to ? "… " : ". ";
        bool const is_full = list.items.size() == limit;
        if (!is_full && !list.scanned_to) co_return text;
        go_on(list);
    }
    co_return text + "without end";
}

asio::awaitable<std::string> walk_history(db::Store& store, Ledger ledger,
                                          db::CreditHistoryPage page) {
    auto const read = [&] { return store.credits().list_history(ledger.id, page, in_time()); };
    auto const name = [](CreditEntry const& row) {
        return row.reference + std::to_string(row.index) + ' ';
    };
    auto const go_on = [&](db::CreditHistoryList const& list) {
        page.before = list.scanned_to;
        if (page.before) return;
        page.before = LotPlace{list.items.back().operation, list.items.back().index};
    };
    co_return co_await walked(read, name, go_on, page.limit);
}

asio::awaitable<void> a_page_of_history_passes_over_no_more_than_it_may(db::Store& store,
                                                                        Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const four = grant(
        ledger, "a",
        all(draft("ann", 1), draft("bob", 9), draft("ann", 2), draft("ann", 3), draft("ann", 4)));
    co_await driver.one(four);
    driver.at = at_second(1);
    co_await driver.one(spend(ledger, "b", all(draft("ann", 5))));
    db::CreditHistoryPage page;
    page.address = "ann";
    page.kind = CreditKind::expense;
    page.scan_max = 2;
    page.limit = 2;
    auto const spent = co_await walk_history(store, ledger, page);
    BOOST_TEST(spent == "b0 … … . ");
    page.kind = CreditKind::grant;
    auto const granted = co_await walk_history(store, ledger, page);
    BOOST_TEST(granted == "a4 … a3 a2 … a0 . ");
    page.kind = CreditKind::transfer;
    auto const none = co_await walk_history(store, ledger, page);
    BOOST_TEST(none == "… … . ");
    page.kind = CreditKind::grant;
    page.scan_max = 1'000;
    auto const at_once = co_await walk_history(store, ledger, page);
    BOOST_TEST(at_once == "a4 a3 . a2 a0 . . ");
    // What passes over nothing is not bounded but by its limit.
    page.kind.reset();
    page.scan_max = 1;
    page.limit = 3;
    auto const everything = co_await walk_history(store, ledger, page);
    BOOST_TEST(everything == "b0 a4 a3 . a2 a0 . ");
}

asio::awaitable<void> a_page_of_balances_passes_over_no_more_than_it_may(db::Store& store,
                                                                         Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const some = grant(ledger, "a",
                            all(draft("ann", 5), draft("bob", 50), draft("cid", 1),
                                draft("dan", 60), draft("eve", 50, at_second(10))));
    co_await driver.one(some);
    db::CreditBalancePage page;
    page.at = start;
    page.min_balance = 50;
    page.scan_max = 2;
    page.limit = 2;
    auto const read = [&] { return store.credits().list_balances(ledger.id, page, in_time()); };
    auto const name = [](db::CreditBalance const& one) {
        return one.address + ' ' + std::to_string(one.balance) + ' ';
    };
    auto const go_on = [&](db::CreditBalanceList const& list) {
        page.after = list.scanned_to.value_or(list.items.empty() ? "" : list.items.back().address);
    };
    auto const rich = co_await walked(read, name, go_on, page.limit);
    BOOST_TEST(rich == "bob 50 … dan 60 … eve 50 . ");
    page.after.reset();
    page.at = at_second(10);
    page.min_balance = 55;
    auto const later = co_await walked(read, name, go_on, page.limit);
    BOOST_TEST(later == "… dan 60 … . ");
    // Nobody is passed over.
    page.after.reset();
    page.min_balance = 0;
    page.scan_max = 1;
    page.limit = 3;
    auto const everyone = co_await walked(read, name, go_on, page.limit);
    BOOST_TEST(everyone == "ann 5 bob 50 cid 1 . dan 60 eve 0 . ");
}

asio::awaitable<void> lots_come_with_the_policy_of_their_moment(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    AccountName const ann{ledger.id, "ann"};
    auto& credits = store.credits();
    auto const nothing = value_of(co_await credits.list_valid_lots(ann, start, in_time()));
    BOOST_TEST((nothing == db::ValidLots()));
    co_await driver.one(grant(ledger, "a", all(draft("ann", 5))));
    auto const first = value_of(co_await credits.list_valid_lots(ann, start, in_time()));
    BOOST_TEST((first.drain == Drain::emission));
    Command const change = ChangeLedger{ledger.id, Drain::expiration, {}, {}};
    co_await driver.one(change);
    auto const second = value_of(co_await credits.list_valid_lots(ann, start, in_time()));
    BOOST_TEST((second.drain == Drain::expiration));
    BOOST_TEST((second.lots == first.lots));
}

asio::awaitable<void> a_repeated_key_is_answered_from_the_rows(db::Store&, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    std::vector<std::pair<Command, KeyUse>> commands;
    auto const use = [&] { return use_of(driver.envelope(CreateOrganization{}).nonce); };
    auto const two = grant(ledger, "a", all(draft("ann", 5, at_second(9)), draft("ann", 6)));
    commands.emplace_back(two, use());
    commands.emplace_back(send(ledger, "b", "ann", all(draft("bob", 7), draft("cid", 1))), use());
    commands.emplace_back(spend(ledger, "c", all(draft("bob", 9), draft("ann", 1)), true), use());
    std::vector<Credited> first;
    for (auto const& [command, key] : commands)
        first.push_back(made<Credited>(co_await driver.one(command, key)));
    std::vector<Envelope> batch;
    for (auto const& [command, key] : commands) batch.push_back(driver.envelope(command, key));
    auto const again = co_await driver.batch(std::move(batch));
    for (std::size_t i = 0; i < first.size(); ++i) {
        BOOST_TEST(is_replayed(again[i]), i);
        BOOST_TEST((made<Credited>(again[i]) == first[i]), i);
    }
    // Past its retention a key is free.
    driver.at = at_second(100'000);
    driver.keys_since = at_second(50'000);
    auto const reused = grant(ledger, "d", all(draft("ann", 1)));
    auto const anew = co_await driver.one(reused, commands.front().second);
    BOOST_TEST(!is_replayed(anew));
    BOOST_TEST(refusal_of(anew) == "");
}

asio::awaitable<void> what_is_over_is_found_and_closed_once(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    co_await driver.one(grant(ledger, "a", all(draft("ann", 5, at_second(9)), draft("ann", 6))));
    auto& credits = store.credits();
    auto const due_at = [&](Instant now) -> asio::awaitable<std::vector<Lot>> {
        auto due = value_of(co_await credits.list_due_lots(now, 10'000, in_time()));
        std::erase_if(due, [&](Lot const& lot) { return lot.ledger != ledger.id; });
        co_return due;
    };
    auto const early = co_await due_at(at_second(8));
    BOOST_TEST(early.empty());
    auto const due = co_await due_at(at_second(9));
    BOOST_REQUIRE(due.size() == 1u);
    driver.at = at_second(9);
    Command const expire = ExpireLots{ledger.id, due};
    co_await driver.one(expire);
    co_await driver.one(expire);
    auto const left = co_await due_at(at_second(9));
    BOOST_TEST(left.empty());
    auto const totals = value_of(co_await store.list_totals(ledger.id, in_time()));
    auto const expired = std::ranges::find(totals, TotalKind::credits_expired, &Total::kind);
    BOOST_REQUIRE(expired != totals.end());
    BOOST_TEST(expired->count == 1);
    co_await check_verified(store, ledger);
}

asio::awaitable<void> a_ledger_of_credits_is_deleted_once_nothing_counts(db::Store& store,
                                                                         Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    co_await driver.one(grant(ledger, "a", all(draft("ann", 5, at_second(9)))));
    Command const remove = DeleteLedger{ledger.id};
    auto const refused = co_await driver.one(remove);
    BOOST_TEST(refusal_of(refused) == "ledger_not_empty");
    driver.at = at_second(9);
    auto const due = value_of(co_await store.credits().list_due_lots(driver.at, 10'000, in_time()));
    Command const expire = ExpireLots{ledger.id, due};
    co_await driver.one(expire);
    auto const deleted = co_await driver.one(remove);
    BOOST_TEST(refusal_of(deleted) == "");
    Instant const before{at_second(10).ms + 2 * milliseconds(db::purge_slack).count()};
    for (;;) {
        auto const removed = value_of(co_await store.purge(before, 100, in_time()));
        if (removed == 0) break;
    }
    auto const left =
        value_of(co_await store.credits().list_operations(ledger.id, std::nullopt, 5, in_time()));
    BOOST_TEST(left.empty());
}

/// The lots that follow from what the store has as history.
asio::awaitable<std::vector<Lot>> replayed(db::CreditStore& credits, LedgerId ledger) {
    std::vector<Lot> lots;
    CreditReplay replay{ledger, [&](Lot const& lot) { lots.push_back(lot); }};
    std::optional<CreditOperationId> after;
    for (;;) {
        auto const page = value_of(co_await credits.list_operations(ledger, after, 7, in_time()));
        if (page.empty()) break;
        std::vector<CreditOperationId> ids;
        for (auto const& operation : page) ids.push_back(operation.id);
        auto const entries = value_of(co_await credits.list_entries(ledger, ids, in_time()));
        for (auto const& operation : page) {
            std::vector<CreditEntry> its;
            std::ranges::copy_if(entries, std::back_inserter(its), [&](CreditEntry const& entry) {
                return entry.operation == operation.id;
            });
            BOOST_TEST(replay.add(operation, its));
        }
        after = ids.back();
    }
    replay.finish();
    std::ranges::sort(lots, {}, &Lot::place);
    co_return lots;
}

asio::awaitable<void> check_replay(db::Store& store, Driver& driver, unsigned seed) {
    auto const ledger = co_await open_credits(driver);
    co_await make_history(store, driver, ledger, 60, seed);
    auto& credits = store.credits();
    auto const expected = co_await replayed(credits, ledger.id);
    std::vector<CreditOperationId> ids;
    for (auto const& lot : expected)
        if (ids.empty() || ids.back() != lot.place.operation) ids.push_back(lot.place.operation);
    auto stored = value_of(co_await credits.list_lots(ids, in_time()));
    BOOST_TEST(stored.size() == expected.size());
    // When an expiry was recorded is not in the history.
    for (auto& lot : stored) lot.is_open = lot.remaining > 0;
    BOOST_TEST((stored == expected));
    co_await check_verified(store, ledger);
}

asio::awaitable<void> replay_of_the_history_gives_the_stored_lots(db::Store& store,
                                                                  Driver& driver) {
    std::random_device device;
    for (unsigned const seed : {some_seed, device(), device()}) {
        BOOST_TEST_CONTEXT("seed " << seed) { co_await check_replay(store, driver, seed); }
    }
}

/// Writes rows that no rule has made.
asio::awaitable<void> damage(Driver& driver, Changes changes) {
    std::vector<Envelope> nothing;
    auto prepared = co_await driver.prepare(std::move(nothing));
    prepared.changes = std::move(changes);
    auto const error = co_await driver.commit(prepared);
    BOOST_REQUIRE_MESSAGE(!error, error.message());
}

/// One of the address's own, and open: of those that expire, or of the others.
Lot open_lot(std::vector<Lot> const& lots, std::string const& address, bool expires) {
    auto const found = std::ranges::find_if(lots, [&](Lot const& lot) {
        return lot.is_open && lot.party.address == address &&
               lot.expires_at.has_value() == expires && lot.remaining > 1;
    });
    BOOST_REQUIRE((found != lots.end()));
    return *found;
}

/// A grant, spent from and passed on; of two lots that are over, the end of one is recorded.
asio::awaitable<Ledger> make_small_history(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const soon = at_second(5);
    auto const late = at_second(100);
    auto const first = grant(ledger, "a",
                             all(draft("ann", 50), draft("ann", 40, late), draft("ann", 7, soon),
                                 draft("ann", 7, soon), draft("bob", 30), draft("bob", 20, late)));
    co_await driver.one(first);
    co_await driver.one(spend(ledger, "b", all(draft("ann", 10), draft("bob", 5))));
    co_await driver.one(send(ledger, "c", "bob", all(draft("cid", 6))));
    driver.at = at_second(6);
    auto due = value_of(co_await store.credits().list_due_lots(driver.at, 10'000, in_time()));
    std::erase_if(due, [&](Lot const& lot) { return lot.ledger != ledger.id; });
    BOOST_REQUIRE(due.size() == 2u);
    due.pop_back();
    Command const expire = ExpireLots{ledger.id, due};
    co_await driver.one(expire);
    co_return ledger;
}

std::string failing(std::vector<db::Check> const& checks) {
    std::string names;
    for (auto const& check : checks)
        if (!check.ok) names += check.name + ' ';
    return names;
}

asio::awaitable<void> a_repair_finds_nothing_on_a_sound_ledger(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto& credits = store.credits();
    auto const none = value_of(co_await credits.repair_lots(ledger.id, std::nullopt, in_time()));
    BOOST_TEST((none == db::LotRepair()));
    co_await make_history(store, driver, ledger, 20);
    auto const before = co_await all_lots(credits, ledger.id);
    auto const compared = value_of(co_await credits.compare_lots(ledger.id, in_time()));
    auto const repaired =
        value_of(co_await credits.repair_lots(ledger.id, std::nullopt, in_time()));
    BOOST_TEST(is_clean(repaired), describe(repaired));
    BOOST_TEST((compared == repaired));
    BOOST_TEST(repaired.lots == static_cast<std::int64_t>(before.size()));
    auto const after = co_await all_lots(credits, ledger.id);
    BOOST_TEST((after == before));
    auto behind = value_of(co_await credits.list_ledgers_behind(std::nullopt, 10'000, in_time()));
    std::erase_if(behind, [&](auto const& each) { return each.ledger != ledger.id; });
    BOOST_TEST(behind.empty());
}

asio::awaitable<void> damaged_lots_are_mended_by_replay(db::Store& store, Driver& driver) {
    auto const ledger = co_await make_small_history(store, driver);
    auto& credits = store.credits();
    auto const sound = co_await all_lots(credits, ledger.id);
    auto lower = open_lot(sound, "ann", false);
    lower.remaining -= 1;
    auto closed = open_lot(sound, "bob", false);
    closed.is_open = false;
    auto not_recorded = open_lot(sound, "ann", true);
    not_recorded.is_open = false;
    auto surplus = open_lot(sound, "bob", true);
    surplus.place.index = 1'000;
    auto stray = surplus;
    stray.place.operation = {make_uuid7(at_second(1), 7, 7)};
    Changes changes;
    changes.changed_lots = {lower, closed, not_recorded};
    changes.new_lots = {surplus, stray};
    co_await damage(driver, changes);

    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    BOOST_TEST(failing(checks) ==
               "credits_equal_history credit_lots_close_in_time credit_lots_equal_replay ");
    auto const compared = value_of(co_await credits.compare_lots(ledger.id, in_time()));
    BOOST_TEST(wrong_lots(compared) == 4);
    auto const repaired =
        value_of(co_await credits.repair_lots(ledger.id, std::nullopt, in_time()));
    BOOST_TEST(repaired.missing == 0);
    BOOST_TEST(repaired.differing == 2);
    BOOST_TEST(repaired.surplus == 2);
    BOOST_TEST(repaired.misclosed == 1);
    auto const mended = co_await all_lots(credits, ledger.id);
    BOOST_TEST((mended == sound));
    co_await check_verified(store, ledger);
    auto const again = value_of(co_await credits.repair_lots(ledger.id, std::nullopt, in_time()));
    BOOST_TEST(is_clean(again), describe(again));
    auto const spent = co_await driver.one(spend(ledger, "d", all(draft("ann", 80))));
    BOOST_TEST(refusal_of(spent) == "");
}

asio::awaitable<void> one_address_is_mended_alone(db::Store& store, Driver& driver) {
    auto const ledger = co_await make_small_history(store, driver);
    auto& credits = store.credits();
    auto const sound = co_await all_lots(credits, ledger.id);
    Changes changes;
    std::int32_t index = 500;
    for (auto const* address : {"ann", "bob"}) {
        changes.changed_lots.push_back(open_lot(sound, address, false));
        changes.changed_lots.back().remaining -= 1;
        changes.changed_lots.push_back(open_lot(sound, address, true));
        changes.changed_lots.back().is_open = false;
        changes.new_lots.push_back(open_lot(sound, address, true));
        changes.new_lots.back().place.index = index++;
    }
    co_await damage(driver, changes);
    auto const ann = value_of(co_await credits.repair_lots(ledger.id, "ann", in_time()));
    BOOST_TEST(ann.differing == 1);
    BOOST_TEST(ann.surplus == 1);
    BOOST_TEST(ann.misclosed == 1);
    auto const left = value_of(co_await credits.compare_lots(ledger.id, in_time()));
    BOOST_TEST(wrong_lots(left) == 2);
    auto const nobody = value_of(co_await credits.repair_lots(ledger.id, "zoe", in_time()));
    BOOST_TEST((nobody == db::LotRepair()));
    auto const bob = value_of(co_await credits.repair_lots(ledger.id, "bob", in_time()));
    BOOST_TEST(wrong_lots(bob) == 3);
    auto const mended = co_await all_lots(credits, ledger.id);
    BOOST_TEST((mended == sound));
    co_await check_verified(store, ledger);
}

/// An expense that nobody could have paid, later than all that was decided.
void add_impossible_expense(Ledger const& ledger, Party const& payer, Changes& changes) {
    CreditOperation operation;
    operation.id = {make_uuid7(at_second(50), 7, 7)};
    operation.ledger = ledger.id;
    operation.kind = CreditKind::expense;
    operation.reference = "never decided";
    CreditEntry entry;
    entry.ledger = ledger.id;
    entry.operation = operation.id;
    entry.kind = operation.kind;
    entry.reference = operation.reference;
    entry.party = payer;
    entry.amount = -1'000'000;
    changes.credit_operations = {operation};
    changes.credit_entries = {entry};
}

asio::awaitable<void> a_history_that_contradicts_itself_mends_nothing(db::Store& store,
                                                                      Driver& driver) {
    auto const ledger = co_await make_small_history(store, driver);
    auto& credits = store.credits();
    auto const lots = co_await all_lots(credits, ledger.id);
    auto lower = open_lot(lots, "ann", false);
    lower.remaining -= 1;
    Changes changes;
    changes.changed_lots = {lower};
    add_impossible_expense(ledger, lower.party, changes);
    co_await damage(driver, changes);
    auto const before = co_await all_lots(credits, ledger.id);
    auto const repaired =
        value_of(co_await credits.repair_lots(ledger.id, std::nullopt, in_time()));
    BOOST_TEST((repaired.contradiction == changes.credit_operations.front().id));
    BOOST_TEST(!is_clean(repaired));
    auto const after = co_await all_lots(credits, ledger.id);
    BOOST_TEST((after == before));
    auto const checks = value_of(co_await store.verify(ledger.id, in_time()));
    BOOST_TEST(failing(checks).find("credit_lots_equal_replay") != std::string::npos);
}

/// "type subject-or-reference from>to amount": what is not said is left out.
std::string text_of(db::Activity const& item) {
    std::string text(db::activity_name(item.type));
    text += ' ' + item.reference.value_or("-") + ' ' + item.account.value_or("");
    if (item.counterparty) text += '>' + *item.counterparty;
    if (item.amount) text += ' ' + std::to_string(*item.amount);
    return text + "; ";
}

/// One of everything, and one lot that is over.
asio::awaitable<Ledger> tell_a_story(db::Store& store, Driver& driver) {
    auto const ledger = co_await open_credits(driver);
    auto const soon = at_second(5);
    co_await driver.one(grant(ledger, "one", all(draft("ann", 50, soon))));
    co_await driver.one(grant(ledger, "twice", all(draft("ann", 3), draft("ann", 4))));
    co_await driver.one(spend(ledger, "some", all(draft("ann", 9), draft("bob", 2)), true));
    co_await driver.one(send(ledger, "single", "ann", all(draft("bob", 5))));
    co_await driver.one(send(ledger, "wide", "ann", all(draft("bob", 1), draft("cid", 1))));
    co_await driver.one(send(ledger, "minted", "mint", all(draft("cid", 8))));
    driver.at = soon;
    auto due = value_of(co_await store.credits().list_due_lots(driver.at, 10'000, in_time()));
    std::erase_if(
        due, [&](Lot const& lot) { return lot.ledger != ledger.id || lot.party.address != "ann"; });
    Command const expire = ExpireLots{ledger.id, due};
    co_await driver.one(expire);
    co_return ledger;
}

asio::awaitable<std::string> feed(db::Store& store, OrganizationId organization,
                                  db::ActivityPage page) {
    auto items = value_of(co_await store.list_activity(organization, page, in_time()));
    std::erase_if(items, [](auto const& item) { return item.type == db::account_created; });
    std::string text;
    for (auto const& item : items) text += text_of(item);
    co_return text;
}

asio::awaitable<void> what_happened_to_credits_is_in_the_feed(db::Store& store, Driver& driver) {
    auto const ledger = co_await tell_a_story(store, driver);
    auto const owner = driver.organization;
    db::ActivityPage page;
    auto const whole = co_await feed(store, owner, page);
    BOOST_TEST(whole ==
               "credits.expired one ann 34; credits.transferred minted mint>cid 8; "
               "credits.transferred wide ann; credits.transferred single ann>bob 5; "
               "credits.spent some ; credits.granted twice ; credits.granted one ann 50; ");
    page.ledger = ledger.id;
    page.account = "bob";
    auto const of_bob = co_await feed(store, owner, page);
    BOOST_TEST(of_bob ==
               "credits.transferred wide ann; credits.transferred single ann>bob 5; "
               "credits.spent some ; ");
    page.account = "mint";
    auto const of_issuer = co_await feed(store, owner, page);
    BOOST_TEST(of_issuer == "credits.transferred minted mint>cid 8; ");
    page.account = "ann";
    page.type = db::activity_of(CreditKind::grant);
    auto const granted = co_await feed(store, owner, page);
    BOOST_TEST(granted == "credits.granted twice ; credits.granted one ann 50; ");
    page.type = db::activity_of(EventType::credits_expired);
    auto const expired = co_await feed(store, owner, page);
    BOOST_TEST(expired == "credits.expired one ann 34; ");
}

asio::awaitable<void> an_operation_and_what_came_of_it_are_one_subject(db::Store& store,
                                                                       Driver& driver) {
    auto const ledger = co_await tell_a_story(store, driver);
    auto const owner = driver.organization;
    auto const operations =
        value_of(co_await store.credits().list_operations(ledger.id, std::nullopt, 3, in_time()));
    db::ActivityPage page;
    page.subject = operations.front().id.to_string();
    auto const life = co_await feed(store, owner, page);
    BOOST_TEST(life == "credits.expired one ann 34; credits.granted one ann 50; ");
    page.subject = operations.back().id.to_string();
    page.account = "bob";
    auto const with_bob = co_await feed(store, owner, page);
    BOOST_TEST(with_bob == "credits.spent some ; ");
    page.account = "cid";
    auto const without = co_await feed(store, owner, page);
    BOOST_TEST(without == "");
}

asio::awaitable<void> the_feed_of_one_kind_goes_on_page_by_page(db::Store& store, Driver& driver) {
    co_await tell_a_story(store, driver);
    db::ActivityPage page;
    page.type = db::activity_of(CreditKind::transfer);
    page.limit = 1;
    std::string paged;
    for (int pages = 0; pages < 3; ++pages) {
        auto const items =
            value_of(co_await store.list_activity(driver.organization, page, in_time()));
        BOOST_REQUIRE(items.size() == 1u);
        paged += text_of(items.front());
        page.before = items.front().id;
    }
    BOOST_TEST(paged ==
               "credits.transferred minted mint>cid 8; credits.transferred wide ann; "
               "credits.transferred single ann>bob 5; ");
    auto const end = co_await feed(store, driver.organization, page);
    BOOST_TEST(end == "");
}

template <auto Rule>
asio::awaitable<void> with_driver(db::Store& store) {
    Driver driver(co_await asio::this_coro::executor, store);
    co_await Rule(store, driver);
    co_await driver.finish();
}

#define PENSTOCK_RULE(name) \
    ConformanceRule { #name, with_driver < name> }
constexpr std::array rules{
    PENSTOCK_RULE(what_is_granted_is_there_until_it_is_spent),
    PENSTOCK_RULE(balances_are_listed_and_counted),
    PENSTOCK_RULE(the_history_is_newest_first_and_of_what_was_asked),
    PENSTOCK_RULE(a_page_of_history_passes_over_no_more_than_it_may),
    PENSTOCK_RULE(a_page_of_balances_passes_over_no_more_than_it_may),
    PENSTOCK_RULE(lots_come_with_the_policy_of_their_moment),
    PENSTOCK_RULE(a_repeated_key_is_answered_from_the_rows),
    PENSTOCK_RULE(what_is_over_is_found_and_closed_once),
    PENSTOCK_RULE(a_ledger_of_credits_is_deleted_once_nothing_counts),
    PENSTOCK_RULE(replay_of_the_history_gives_the_stored_lots),
    PENSTOCK_RULE(what_happened_to_credits_is_in_the_feed),
    PENSTOCK_RULE(an_operation_and_what_came_of_it_are_one_subject),
    PENSTOCK_RULE(the_feed_of_one_kind_goes_on_page_by_page),
    PENSTOCK_RULE(a_repair_finds_nothing_on_a_sound_ledger),
    PENSTOCK_RULE(damaged_lots_are_mended_by_replay),
    PENSTOCK_RULE(one_address_is_mended_alone),
    PENSTOCK_RULE(a_history_that_contradicts_itself_mends_nothing),
};
#undef PENSTOCK_RULE

}  // namespace

std::span<ConformanceRule const> credit_rules() { return rules; }

asio::awaitable<Ledger> open_credits(Driver& driver) {
    driver.at = start;
    auto const name = "c-" + std::to_string(driver.envelope(CreateOrganization{}).nonce);
    Command const organization = CreateOrganization{name};
    driver.organization = made<Organization>(co_await driver.one(organization)).id;
    CreateLedger open;
    open.draft.name = "points";
    open.draft.asset_code = "PTS";
    open.draft.kind = LedgerKind::credits;
    open.draft.issuers = {"mint"};
    Command const command = open;
    co_return made<Ledger>(co_await driver.one(command));
}

asio::awaitable<void> make_history(db::Store& store, Driver& driver, Ledger ledger, int steps,
                                   unsigned seed) {
    std::mt19937 random(seed);
    auto const below = [&](std::size_t n) { return random() % n; };
    for (int step = 0; step < steps; ++step) {
        driver.at.ms += static_cast<std::int64_t>(random() % 6'000) - 1'500;
        std::vector<Envelope> batch;
        for (int i = 0; i < 4; ++i)
            batch.push_back(driver.envelope(
                some_credit_command(below, ledger.id, std::to_string(4 * step + i), driver.at)));
        co_await driver.batch(std::move(batch));
        auto const due =
            value_of(co_await store.credits().list_due_lots(driver.at, 10'000, in_time()));
        Command const expire = ExpireLots{ledger.id, due};
        if (step % 5 == 0) co_await driver.one(expire);
    }
}

asio::awaitable<std::vector<Lot>> all_lots(db::CreditStore& credits, LedgerId ledger) {
    auto const operations =
        value_of(co_await credits.list_operations(ledger, std::nullopt, 10'000, in_time()));
    std::vector<CreditOperationId> ids;
    for (auto const& operation : operations) ids.push_back(operation.id);
    co_return value_of(co_await credits.list_lots(ids, in_time()));
}

}  // namespace penstock::tests
