#include "domain/credits.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "domain/credits_replay.hpp"
#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

/// A credits ledger over several batches: what each leaves is what the next one loads.
class Bank {
public:
    explicit Bank(Drain drain = Drain::emission, std::vector<std::string> issuers = {}) {
        rows_.organizations.insert(default_organization);
        Ledger ledger;
        ledger.id = Scene::ledger_id();
        ledger.name = "points";
        ledger.kind = LedgerKind::credits;
        ledger.drain = drain;
        ledger.issuers = std::move(issuers);
        rows_.ledgers.push_back(ledger);
        rows_.credit_ledgers.push_back({ledger.id, {}});
    }

    /// One batch of one command at `at` by some server's clock.
    Outcome decide(Command command, Instant at, std::optional<KeyUse> use = {}) {
        WorkingSet set{rows_, Stamp{at}, day_before};
        Envelope envelope;
        envelope.key_use = use;
        envelope.nonce = ++decided_;
        envelope.command = std::move(command);
        auto outcome = domain::decide(set, envelope);
        keep(set.changes());
        return outcome;
    }

    Amount balance(std::string const& address, Instant at) const {
        Amount sum = 0;
        for (auto const& lot : rows_.lots)
            if (lot.party.address == address && is_valid(lot, at)) sum += lot.remaining;
        return sum;
    }

    /// Σ of all its lots, expired ones too.
    Amount remaining(std::string const& address) const {
        Amount sum = 0;
        for (auto const& lot : all_lots_)
            if (lot.party.address == address) sum += lot.remaining;
        return sum;
    }

    Amount signed_history(std::string const& address) const {
        Amount sum = 0;
        for (auto const& entry : entries_)
            if (entry.party.address == address) sum += entry.amount;
        return sum;
    }

    std::vector<Lot> lots() const { return all_lots_; }
    std::vector<CreditEntry> const& entries() const { return entries_; }
    std::vector<CreditOperation> const& operations() const { return operations_; }
    std::vector<Event> const& events() const { return events_; }
    std::map<TotalKind, Total> const& totals() const { return totals_; }
    std::vector<Account> const& accounts() const { return rows_.accounts; }

    /// What the history says that the lots are.
    std::vector<Lot> replayed() const {
        std::vector<Lot> lots;
        CreditReplay replay{Scene::ledger_id(), [&](Lot const& lot) { lots.push_back(lot); }};
        for (auto const& operation : operations_) {
            std::vector<CreditEntry> mine;
            for (auto const& entry : entries_)
                if (entry.operation == operation.id) mine.push_back(entry);
            RC_ASSERT(replay.add(operation, mine));
        }
        replay.finish();
        std::ranges::sort(lots, {}, &Lot::place);
        return lots;
    }

private:
    void keep(Changes const& changes) {
        for (auto const& ledger : changes.changed_ledgers) rows_.ledgers.front() = ledger;
        for (auto const& ledger : changes.credit_ledgers) rows_.credit_ledgers.front() = ledger;
        for (auto const& account : changes.new_accounts) rows_.accounts.push_back(account);
        for (auto const& account : changes.changed_accounts)
            *std::ranges::find(rows_.accounts, account.id, &Account::id) = account;
        for (auto const& lot : changes.new_lots) all_lots_.push_back(lot);
        for (auto const& lot : changes.changed_lots)
            *std::ranges::find(all_lots_, lot.place, &Lot::place) = lot;
        std::ranges::sort(all_lots_, {}, &Lot::place);
        rows_.lots.clear();
        std::ranges::copy_if(all_lots_, std::back_inserter(rows_.lots), &Lot::is_open);
        for (auto const& operation : changes.credit_operations) {
            operations_.push_back(operation);
            rows_.credit_references.insert({Scene::ledger_id(), operation.reference});
        }
        entries_.insert(entries_.end(), changes.credit_entries.begin(),
                        changes.credit_entries.end());
        events_.insert(events_.end(), changes.events.begin(), changes.events.end());
        for (auto const& total : changes.totals) {
            totals_[total.kind].count += total.count;
            totals_[total.kind].amount += total.amount;
        }
    }

    Loaded rows_;
    std::vector<Lot> all_lots_;
    std::vector<CreditEntry> entries_;
    std::vector<CreditOperation> operations_;
    std::vector<Event> events_;
    std::map<TotalKind, Total> totals_;
    std::uint64_t decided_ = 0;
};

Instant after(std::int64_t seconds) { return {noon.ms + seconds * 1'000}; }

GrantCredits grant(std::string reference, std::string address, Amount amount,
                   std::optional<Instant> expires_at = {}) {
    return {Scene::ledger_id(), std::move(reference), {{std::move(address), amount, expires_at}}};
}

SpendCredits spend(std::string reference, std::string address, Amount amount,
                   bool allow_partial = false) {
    return {Scene::ledger_id(),
            std::move(reference),
            {{std::move(address), amount, {}}},
            allow_partial};
}

TransferCredits transfer(std::string reference, std::string from, std::string to, Amount amount,
                         std::optional<Instant> expires_at = {}) {
    return {Scene::ledger_id(),
            std::move(reference),
            std::move(from),
            {{std::move(to), amount, expires_at}}};
}

std::vector<Amount> remaining_of(std::vector<Lot> const& lots) {
    std::vector<Amount> list;
    for (auto const& lot : lots) list.push_back(lot.remaining);
    return list;
}

/// A: 100 until noon + 10 s. B: 50 for ever.
Bank two_lots() {
    Bank bank;
    made<Credited>(bank.decide(grant("a", "ann", 100, after(10)), noon));
    made<Credited>(bank.decide(grant("b", "ann", 50), noon));
    return bank;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(credits)

BOOST_AUTO_TEST_CASE(the_oldest_lot_is_drained_first) {
    auto bank = two_lots();
    auto const spent = made<Credited>(bank.decide(spend("c", "ann", 120), noon));
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{0, 30}));
    BOOST_TEST((spent.lines == std::vector<CreditLine>{{"ann", 0, 120, 0, {}}}));
    BOOST_TEST(!bank.lots()[0].is_open);
    BOOST_TEST(bank.lots()[1].is_open);
}

BOOST_AUTO_TEST_CASE(what_has_expired_pays_nothing) {
    auto bank = two_lots();
    BOOST_TEST(refusal_of(bank.decide(spend("c", "ann", 120), after(11))) ==
               "insufficient_funds /entries/0/amount");
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{100, 50}));
    auto const spent = made<Credited>(bank.decide(spend("c", "ann", 120, true), after(11)));
    BOOST_TEST((spent.lines == std::vector<CreditLine>{{"ann", 0, 50, 70, {}}}));
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{100, 0}));
    BOOST_TEST(bank.signed_history("ann") == 100);
}

BOOST_AUTO_TEST_CASE(a_lot_that_expires_now_is_not_valid) {
    auto bank = two_lots();
    BOOST_TEST(bank.balance("ann", after(10)) == 50);
    BOOST_TEST(bank.balance("ann", {after(10).ms - 1}) == 150);
    BOOST_TEST(!refusal_of(bank.decide(spend("c", "ann", 51), after(10))).empty());
}

BOOST_AUTO_TEST_CASE(by_expiration_the_soonest_is_drained_first_and_never_last) {
    Bank bank{Drain::expiration};
    bank.decide(grant("b", "ann", 50), noon);
    bank.decide(grant("a", "ann", 100, after(10)), noon);
    bank.decide(grant("c", "ann", 7, after(5)), noon);
    made<Credited>(bank.decide(spend("d", "ann", 110), noon));
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{47, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_transfer_passes_the_expiry_of_what_it_drained) {
    auto bank = two_lots();
    auto const sent = made<Credited>(bank.decide(transfer("c", "ann", "x", 120, after(100)), noon));
    BOOST_TEST((sent.lines ==
                std::vector<CreditLine>{{"x", 0, 100, 0, after(10)}, {"x", 1, 20, 0, after(100)}}));
    BOOST_TEST(bank.balance("x", noon) == 120);
    BOOST_TEST(bank.signed_history("ann") == 30);
}

BOOST_AUTO_TEST_CASE(neighbours_with_one_expiry_are_one_lot) {
    Bank bank;
    bank.decide(grant("a", "ann", 10, after(10)), noon);
    bank.decide(grant("b", "ann", 20, after(10)), noon);
    bank.decide(grant("c", "ann", 30, after(20)), noon);
    auto const sent = made<Credited>(bank.decide(transfer("d", "ann", "x", 60), noon));
    BOOST_TEST((sent.lines ==
                std::vector<CreditLine>{{"x", 0, 30, 0, after(10)}, {"x", 1, 30, 0, after(20)}}));
    auto const capped = made<Credited>(bank.decide(transfer("e", "x", "y", 60, after(5)), noon));
    BOOST_TEST((capped.lines == std::vector<CreditLine>{{"y", 0, 60, 0, after(5)}}));
}

BOOST_AUTO_TEST_CASE(an_issuer_mints) {
    Bank bank{Drain::emission, {"mint"}};
    auto const sent = made<Credited>(bank.decide(transfer("a", "mint", "x", 70, after(9)), noon));
    BOOST_TEST((sent.lines == std::vector<CreditLine>{{"x", 0, 70, 0, after(9)}}));
    BOOST_TEST(bank.signed_history("mint") == 0);
    BOOST_TEST(bank.entries().size() == 1);
    BOOST_TEST(bank.operations()[0].minted);
}

BOOST_AUTO_TEST_CASE(who_is_an_issuer_no_more_pays_with_lots) {
    Bank bank{Drain::emission, {"mint"}};
    bank.decide(grant("a", "mint", 10), noon);
    made<Credited>(bank.decide(transfer("b", "mint", "x", 70), noon));
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{10, 70}));
    ChangeLedger change{Scene::ledger_id(), {}, std::vector<std::string>{"bob"}, {}};
    bank.decide(change, noon);
    BOOST_TEST(refusal_of(bank.decide(transfer("c", "mint", "x", 11), noon)) ==
               "insufficient_funds /entries/0/amount");
    auto const sent = made<Credited>(bank.decide(transfer("c", "mint", "x", 10), noon));
    BOOST_TEST(!sent.operation.minted);
    BOOST_TEST(bank.signed_history("mint") == 0);
    made<Credited>(bank.decide(transfer("d", "bob", "x", 5), noon));
    // What was minted before stays minted.
    auto const replayed = bank.replayed();
    BOOST_TEST((remaining_of(replayed) == std::vector<Amount>{0, 70, 10, 5}));
}

BOOST_AUTO_TEST_CASE(an_address_named_twice_is_served_twice_in_order) {
    auto bank = two_lots();
    SpendCredits twice = spend("c", "ann", 100, true);
    twice.entries.push_back({"ann", 80, {}});
    auto const spent = made<Credited>(bank.decide(twice, noon));
    BOOST_TEST(
        (spent.lines == std::vector<CreditLine>{{"ann", 0, 100, 0, {}}, {"ann", 1, 50, 30, {}}}));
}

BOOST_AUTO_TEST_CASE(all_or_nothing) {
    auto bank = two_lots();
    SpendCredits both = spend("c", "ann", 100);
    both.entries.push_back({"nobody", 1, {}});
    BOOST_TEST(refusal_of(bank.decide(both, noon)) == "insufficient_funds /entries/1/amount");
    BOOST_TEST((remaining_of(bank.lots()) == std::vector<Amount>{100, 50}));
    BOOST_TEST(bank.accounts().size() == 1);
    BOOST_TEST(bank.operations().size() == 2);
    // Nothing was done, so the reference is free.
    made<Credited>(bank.decide(spend("c", "ann", 100), noon));
}

BOOST_AUTO_TEST_CASE(a_partial_expense_of_nothing_is_recorded) {
    Bank bank;
    auto const spent = made<Credited>(bank.decide(spend("a", "ann", 5, true), noon));
    BOOST_TEST((spent.lines == std::vector<CreditLine>{{"ann", 0, 0, 5, {}}}));
    BOOST_TEST(bank.entries().size() == 1);
    BOOST_TEST(bank.entries()[0].shortfall == 5);
}

BOOST_AUTO_TEST_CASE(refusals_name_what_is_at_fault) {
    auto bank = two_lots();
    BOOST_TEST(refusal_of(bank.decide(grant("a", "bob", 1), noon)) ==
               "reference_exists /reference");
    BOOST_TEST(refusal_of(bank.decide(grant("c", "bob", 1, noon), noon)) ==
               "invalid_request /entries/0/expires_at");
    BOOST_TEST(refusal_of(bank.decide(transfer("c", "ann", "ann", 1), noon)) ==
               "self_transfer /entries/0/address");
    BOOST_TEST(refusal_of(bank.decide(transfer("c", "ann", "x", 151), noon)) ==
               "insufficient_funds /entries/0/amount");
    BOOST_TEST(refusal_of(bank.decide(Scene::movement(TransferKind::transfer, "ann", "bob", 1),
                                      noon)) == "unsupported_on_ledger");
    Scene money;
    BOOST_TEST(refusal_of(money.decide(grant("a", "bob", 1))) == "unsupported_on_ledger");
}

BOOST_AUTO_TEST_CASE(more_than_int64_is_refused_and_undone) {
    Bank bank;
    for (int i = 0; i < 1'024; ++i)
        made<Credited>(bank.decide(grant(std::to_string(i), "ann", amount_max), noon));
    BOOST_TEST(refusal_of(bank.decide(grant("z", "ann", amount_max), noon)) ==
               "amount_overflow /entries/0/amount");
    BOOST_TEST(bank.lots().size() == 1'024u);
}

BOOST_AUTO_TEST_CASE(time_never_goes_back_in_a_ledger) {
    Bank bank;
    bank.decide(grant("a", "ann", 100, after(60)), after(30));
    auto const spent = made<Credited>(bank.decide(spend("b", "ann", 1), after(-30)));
    BOOST_TEST(spent.operation.created_at().ms == after(30).ms);
    BOOST_TEST((bank.operations()[0].id < spent.operation.id));
}

BOOST_AUTO_TEST_CASE(an_expiry_is_recorded_once_and_moves_nothing) {
    auto bank = two_lots();
    auto const lot = bank.lots().front();
    ExpireLots const expire{Scene::ledger_id(), {lot, lot}};
    made<Done>(bank.decide(expire, after(9)));
    BOOST_TEST(bank.events().empty());
    made<Done>(bank.decide(expire, after(10)));
    made<Done>(bank.decide(expire, after(11)));
    BOOST_REQUIRE(bank.events().size() == 1);
    BOOST_TEST(bank.events()[0].amount.value() == 100);
    BOOST_TEST(bank.totals().at(TotalKind::credits_expired).count == 1);
    BOOST_TEST((bank.totals().at(TotalKind::credits_expired).amount == 100));
    BOOST_TEST(bank.signed_history("ann") == 150);
    BOOST_TEST(bank.remaining("ann") == 150);
}

BOOST_AUTO_TEST_CASE(nobody_spends_before_an_expiry_that_is_recorded) {
    auto bank = two_lots();
    made<Done>(bank.decide(ExpireLots{Scene::ledger_id(), bank.lots()}, after(10)));
    // By the clock of a server that is late, the lot is not over yet.
    auto const spent = made<Credited>(bank.decide(spend("c", "ann", 120, true), after(5)));
    BOOST_TEST(spent.lines.front().amount == 50);
    BOOST_TEST(spent.operation.created_at().ms == after(10).ms);
}

BOOST_AUTO_TEST_CASE(totals_count_entries) {
    auto bank = two_lots();
    made<Credited>(bank.decide(spend("c", "ann", 20), noon));
    made<Credited>(bank.decide(transfer("d", "ann", "bob", 30), noon));
    auto const& totals = bank.totals();
    BOOST_TEST(totals.at(TotalKind::credits_granted).count == 2);
    BOOST_TEST((totals.at(TotalKind::credits_granted).amount == 150));
    BOOST_TEST((totals.at(TotalKind::credits_spent).amount == 20));
    BOOST_TEST((totals.at(TotalKind::credits_transferred).amount == 30));
}

BOOST_AUTO_TEST_CASE(a_repeated_key_shows_the_same_lines) {
    Scene scene{[] {
        auto rows = Scene::loaded(AccountPolicy::explicit_, LedgerKind::credits);
        rows.credit_ledgers.push_back({Scene::ledger_id(), {}});
        return rows;
    }()};
    auto const first = made<Credited>(scene.decide(grant("a", "ann", 5), use_of(1)));
    auto const again = scene.decide(grant("a", "ann", 5), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Credited>(again) == first));
    BOOST_TEST(refusal_of(scene.decide(grant("b", "ann", 5), use_of(1, 2))) ==
               "idempotency_key_reused");
}

BOOST_AUTO_TEST_CASE(a_refused_command_leaves_the_batch_as_it_was) {
    Scene scene{[] {
        auto rows = Scene::loaded(AccountPolicy::explicit_, LedgerKind::credits);
        rows.credit_ledgers.push_back({Scene::ledger_id(), {}});
        return rows;
    }()};
    made<Credited>(scene.decide(grant("a", "ann", 5)));
    auto const before = scene.set().changes();
    auto wide = transfer("b", "ann", "bob", 3);
    wide.entries.push_back({"cid", 3, {}});
    BOOST_TEST(refusal_of(scene.decide(wide)) == "insufficient_funds /entries/1/amount");
    BOOST_TEST((scene.set().changes() == before));
}

namespace {

std::vector<std::string> const names{"ann", "bob", "cid", "mint"};

std::optional<Instant> some_expiry(std::int64_t now_s) {
    auto const in = *rc::gen::inRange(0, 40);
    if (in < 8) return std::nullopt;
    return after(now_s + in);
}

std::vector<CreditDraft> some_entries(std::int64_t now_s) {
    std::vector<CreditDraft> entries;
    auto const count = *rc::gen::inRange(1, 5);
    for (int i = 0; i < count; ++i)
        entries.push_back({*rc::gen::elementOf(std::vector<std::string>{"ann", "bob", "cid"}),
                           *rc::gen::inRange<Amount>(1, 60), some_expiry(now_s)});
    return entries;
}

/// Any of them, or nobody any more.
std::vector<std::string> some_issuers() {
    std::vector<std::string> issuers;
    for (auto const& name : names)
        if (*rc::gen::inRange(0, 3) == 0) issuers.push_back(name);
    return issuers;
}

Command some_command(int step, std::int64_t now_s, Bank const& bank) {
    auto const reference = std::to_string(step);
    auto const ledger = Scene::ledger_id();
    switch (*rc::gen::inRange(0, 10)) {
        case 0:
        case 1:
        case 2:
            return GrantCredits{ledger, reference, some_entries(now_s)};
        case 3:
        case 4:
        case 5:
            return SpendCredits{ledger, reference, some_entries(now_s),
                                *rc::gen::arbitrary<bool>()};
        case 6:
        case 7: {
            auto const from = *rc::gen::elementOf(names);
            return TransferCredits{ledger, reference, from, some_entries(now_s)};
        }
        case 8:
            return ExpireLots{ledger, bank.lots()};
        default: {
            ChangeLedger change{ledger, Drain::emission, {}, {}};
            if (*rc::gen::arbitrary<bool>()) change.drain = Drain::expiration;
            if (*rc::gen::arbitrary<bool>()) change.issuers = some_issuers();
            return change;
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(replay_of_the_history_gives_exactly_the_lots) {
    bool const holds = rc::check([] {
        Bank bank;
        std::int64_t now_s = 0;
        auto const steps = *rc::gen::inRange(1, 50);
        for (int step = 0; step < steps; ++step) {
            now_s += *rc::gen::inRange(-3, 10);
            bank.decide(some_command(step, now_s, bank), after(now_s));
            for (auto const& name : names)
                RC_ASSERT(bank.signed_history(name) == bank.remaining(name));
        }
        auto const replayed = bank.replayed();
        auto const eager = bank.lots();
        RC_ASSERT(replayed.size() == eager.size());
        for (std::size_t i = 0; i < eager.size(); ++i) {
            Lot lot = eager[i];
            lot.is_open = lot.remaining > 0;  // when an expiry was recorded is not in the history
            RC_ASSERT(replayed[i] == lot);
        }
        for (auto const& account : bank.accounts())
            RC_ASSERT(account.standing.balance == bank.signed_history(account.address));
    });
    BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
