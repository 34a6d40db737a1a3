#include "cache/hot_books.hpp"

#include <rapidcheck.h>

#include <algorithm>

#include "tests/cache/till.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {
namespace {

// --- the rules of the script against those of the domain

/// What a transfer is but for its ids.
std::string told(Transfer const& transfer) {
    std::ostringstream text;
    text << static_cast<int>(transfer.kind) << ' ' << transfer.from.address << ' '
         << transfer.from.balance_after << ' ' << transfer.from.version << ' '
         << transfer.to.address << ' ' << transfer.to.balance_after << ' ' << transfer.to.version
         << ' ' << transfer.amount << ' ' << transfer.reference.value_or("-") << ' '
         << transfer.metadata << ' ' << transfer.cause.has_value() << transfer.key_use.has_value();
    return text.str();
}

std::string told(Hold const& hold) {
    std::ostringstream text;
    text << static_cast<int>(hold.status) << ' ' << hold.from.address << ' ' << hold.to.address
         << ' ' << hold.amount << ' ' << hold.captured_amount << ' '
         << (hold.expires_at ? hold.expires_at->ms : 0) << ' '
         << (hold.ended_at ? hold.ended_at->ms : 0);
    return text.str();
}

std::string told(Refusal const& refusal) {
    return std::string(name_of(refusal.code)) + ' ' + refusal.pointer + ' ' + refusal.detail;
}

struct Tell {
    std::string operator()(Transfer const& transfer) const { return told(transfer); }
    std::string operator()(Hold const& hold) const { return told(hold); }
    std::string operator()(Captured const& captured) const {
        return told(captured.hold) + " / " + told(captured.transfer);
    }
    std::string operator()(BulkReceipt const& bulk) const {
        std::string text;
        for (auto const& item : bulk.items)
            text += std::visit([](auto const& one) { return told(one); }, item) + '\n';
        return text;
    }
    template <class Other>
    std::string operator()(Other const&) const {
        return "something else";
    }
};

std::string told(Outcome const& outcome) {
    if (auto const* refusal = std::get_if<Refusal>(&outcome)) return told(*refusal);
    return std::visit(Tell(), std::get<Receipt>(outcome).what);
}

Loaded rows_of_model(AccountPolicy policy) {
    auto rows = Scene::loaded(policy);
    Scene::add(rows, "alice", 0);
    Scene::add(rows, "bob", 0, 50);
    Scene::add(rows, "carol", 0, amount_max);
    return rows;
}

struct Pair {
    Hold ours;
    Hold models;
};

/// Commands that the script and the domain both judge.
struct Duel {
    Duel(Till& its_till, AccountPolicy policy) : till(its_till), model(rows_of_model(policy)) {
        till.ledger = ledger_of(policy);
        till.add("alice");
        till.add("bob", 0, 50);
        till.add("carol", 0, amount_max);
    }

    static rc::Gen<std::string> address() {
        return rc::gen::element<std::string>("alice", "bob", "carol", "alice", "ghost",
                                             platform_address);
    }
    static Amount amount() {
        if (*rc::gen::inRange(0, 5) == 0) return amount_max - *rc::gen::inRange<Amount>(0, 60);
        return *rc::gen::inRange<Amount>(1, 60);
    }
    Movement movement(bool small) {
        Movement one{*address(), *address(), small ? *rc::gen::inRange<Amount>(1, 60) : amount()};
        if (*rc::gen::arbitrary<bool>()) one.reference = "r " + one.from;
        return one;
    }
    domain::Command one_of_money() {
        auto const ledger = Scene::ledger_id();
        auto one = movement(false);
        switch (*rc::gen::inRange(0, 4)) {
            case 0:
                one.from = world_address;
                return MoveMoney{ledger, TransferKind::deposit, one};
            case 1:
                one.to = world_address;
                return MoveMoney{ledger, TransferKind::withdrawal, one};
            case 2:
                return MoveMoney{ledger, TransferKind::transfer, one};
            default:
                break;
        }
        MoveInBulk bulk{ledger, *rc::gen::arbitrary<bool>(), {}};
        for (auto items = *rc::gen::inRange(1, 5); items > 0; --items)
            bulk.items.push_back(movement(true));
        return bulk;
    }
    Nothing money() {
        auto const command = one_of_money();
        co_await judge(command, command);
    }
    Nothing place() {
        auto const one = movement(false);
        domain::Command const command =
            PlaceHold{Scene::ledger_id(), one.from, one.to, one.amount, {}};
        co_await judge(command, command);
    }
    Nothing end() {
        auto const& pair = *rc::gen::elementOf(holds);
        if (*rc::gen::arbitrary<bool>()) {
            domain::Command const theirs = VoidHold{Scene::ledger_id(), pair.models};
            domain::Command const ours = VoidHold{Scene::ledger_id(), pair.ours};
            co_await judge(theirs, ours);
            co_return;
        }
        std::optional<Amount> part;
        if (*rc::gen::arbitrary<bool>()) part = amount();
        domain::Command const theirs = CaptureHold{Scene::ledger_id(), pair.models, part};
        domain::Command const ours = CaptureHold{Scene::ledger_id(), pair.ours, part};
        co_await judge(theirs, ours);
    }
    /// The domain's balances may go where a hot ledger's may not.
    bool left_the_range() {
        for (auto const& account : model.set().changes().changed_accounts)
            if (account.standing.balance > amount_max || account.standing.balance < -amount_max ||
                account.standing.held > amount_max)
                return true;
        for (auto const& account : model.set().changes().new_accounts)
            if (account.standing.balance > amount_max) return true;
        return false;
    }
    /// A bulk's balances may leave it with one item and be back with the next, and its rules are
    /// asked in between.
    bool may_leave_the_range(domain::Command const& command) {
        auto const* const bulk = std::get_if<MoveInBulk>(&command);
        if (bulk == nullptr) return false;
        Amount all = 0;
        for (auto const& item : bulk->items) all += item.amount;
        auto const is_near = [&](std::string const& address) {
            auto const* const account = model.set().find_account(Scene::ledger_id(), address);
            if (account == nullptr) return false;
            auto const balance = account->standing.balance;
            return balance > amount_max - all || balance < all - amount_max;
        };
        return std::ranges::any_of(bulk->items, [&](Movement const& item) {
            return is_near(item.from) || is_near(item.to);
        });
    }
    Nothing judge(domain::Command theirs, domain::Command ours) {
        if (may_leave_the_range(theirs)) co_return;
        auto const before = model.set().mark();
        auto const outcome = model.decide(theirs, use_of(++keys));
        bool const bulk = std::holds_alternative<MoveInBulk>(theirs);
        if (left_the_range()) {
            model.set().undo(before);
            if (bulk) co_return;
            auto const answer = co_await till.perform(ours, use_of(keys));
            RC_ASSERT(word_of(answer) == "amount_overflow ");
            co_return;
        }
        auto const answer = co_await till.perform(ours, use_of(keys));
        if (auto const* refused = std::get_if<HotRefused>(&answer)) {
            RC_ASSERT(told(refusal_of(ours, *refused)) == told(outcome));
            co_return;
        }
        RC_ASSERT(word_of(answer) == "posted");
        auto const& posted = std::get<HotPosted>(answer);
        RC_ASSERT(told(Outcome(receipt_of(posted))) == told(outcome));
        auto const again = co_await till.perform(ours, use_of(keys));
        RC_ASSERT(word_of(again) == "again");
        RC_ASSERT(std::get<HotPosted>(again).entry == posted.entry);
        if (auto const* receipt = std::get_if<Receipt>(&outcome))
            if (auto const* hold = std::get_if<Hold>(&receipt->what))
                if (hold->status == HoldStatus::pending) holds.push_back({placed(answer), *hold});
    }
    Nothing compare() {
        for (auto const& [address, row] : till.rows) {
            auto const* const theirs = model.set().find_account(Scene::ledger_id(), address);
            if (theirs == nullptr || theirs->standing.updated_at < noon) continue;
            auto const ours = co_await till.account(address);
            RC_ASSERT(ours.balance == theirs->standing.balance);
            RC_ASSERT(ours.held == theirs->standing.held);
            RC_ASSERT(ours.version == theirs->standing.version);
        }
    }

    Till& till;
    Scene model;
    std::vector<Pair> holds;
    std::uint64_t keys = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_books)

BOOST_AUTO_TEST_CASE(the_script_judges_and_books_as_the_domain_does) {
    RedisServer server;
    RedisTalk talk(server.socket_path());
    auto const held = rc::check([&](bool is_implicit) {
        talk("FLUSHALL");
        auto const policy = is_implicit ? AccountPolicy::implicit : AccountPolicy::explicit_;
        auto const commands = *rc::gen::inRange(10, 60);
        with_till(server, HotBooksOptions(), [&](Till& till) -> Nothing {
            Duel duel(till, policy);
            co_await till.open();
            for (int i = 0; i < commands; ++i) {
                auto const what = *rc::gen::inRange(0, 4);
                if (what == 0)
                    co_await duel.place();
                else if (what == 1 && !duel.holds.empty())
                    co_await duel.end();
                else
                    co_await duel.money();
            }
            co_await duel.compare();
        });
    });
    BOOST_TEST(held);
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_before_the_ledger_is_opened_for_this_process_of_redis) {
    with_till([](Till& till) -> Nothing {
        auto const unopened = co_await till.move(world_address, "alice", 1);
        BOOST_TEST(unopened == "unready");
        till.add("alice");
        auto const opened = co_await till.open();
        BOOST_TEST((opened.how == How::built));
        auto const moved = co_await till.move(world_address, "alice", 1);
        BOOST_TEST(moved == "posted");
    });
}

BOOST_AUTO_TEST_CASE(a_redis_that_was_started_again_is_not_believed_until_it_was_opened) {
    RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
    with_till(server, HotBooksOptions(), [&](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        auto const before = co_await till.move("alice", "bob", 1);
        BOOST_TEST(before == "posted");
        server.kill();
        server.start();
        co_await till.meet_again();
        auto const unopened = co_await till.move("alice", "bob", 1);
        BOOST_TEST(unopened == "unready");
        auto const opened = co_await till.open(2, 0);
        BOOST_TEST((opened.how == How::open));
        BOOST_TEST(opened.position == 1);
        auto const after = co_await till.move("alice", "bob", 1);
        BOOST_TEST(after == "posted");
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 3);
        BOOST_TEST(alice.version == 2);
    });
}

BOOST_AUTO_TEST_CASE(books_that_are_behind_the_store_are_built_anew) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1);
        // The store drained what this Redis has forgotten.
        auto const opened = co_await till.open(2, 7);
        BOOST_TEST((opened.how == How::built));
        BOOST_TEST(opened.position == 1);
        till.rows.at("alice").balance = 2;
        co_await till.move("alice", "bob", 1);
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 1);
        BOOST_TEST(alice.position == 8);
    });
}

BOOST_AUTO_TEST_CASE(of_two_epochs_the_later_one_opens) {
    with_till([](Till& till) -> Nothing {
        co_await till.open(3);
        for (int const epoch : {2, 3}) {
            auto const late = co_await till.open(epoch);
            BOOST_TEST((late.how == How::superseded));
        }
        auto const later = co_await till.open(4);
        BOOST_TEST((later.how == How::open));
    });
}

BOOST_AUTO_TEST_CASE(damaged_books_post_nothing_until_their_journal_is_drained) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1);
        co_await till.move("alice", "bob", 1);
        co_await till.say(cache::Command("DEL", till.key("books")));
        auto const lost = co_await till.move("alice", "bob", 1);
        BOOST_TEST(lost == "unready");
        auto const sealed = co_await till.open(2, 1);
        BOOST_TEST((sealed.how == How::sealed));
        BOOST_TEST(sealed.position == 2);
        auto const refused = co_await till.move("alice", "bob", 1);
        BOOST_TEST(refused == "unready");
        // Of the epoch in which it was drained something may still be on its way.
        auto const same = co_await till.open(2, 2);
        BOOST_TEST((same.how == How::superseded));
        auto const opened = co_await till.open(3, 2);
        BOOST_TEST((opened.how == How::built));
        till.rows.at("alice").balance = 3;
        auto const moved = co_await till.move("alice", "bob", 1);
        BOOST_TEST(moved == "posted");
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 2);
    });
}

BOOST_AUTO_TEST_CASE(
    a_part_that_was_lost_or_overwritten_stops_the_ledger_before_anything_is_written) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        for (auto const* const part : {"due", "holds"}) {
            for (bool const overwritten : {false, true}) {
                co_await till.say(cache::Command("FLUSHALL"));
                co_await till.open();
                auto const cold = co_await till.ask(till.post(hold_of(1)));
                auto const token = std::get<HotCold>(cold).token;
                auto const loaded = co_await till.load(token, both);
                BOOST_TEST((loaded == HotLoaded::loaded));
                co_await till.say(cache::Command("DEL", till.key(part)));
                if (overwritten) co_await till.say(cache::Command("SET", till.key(part), "x"));
                auto const answer = co_await till.perform(hold_of(1));
                BOOST_TEST(word_of(answer) == "unready");
                auto const late = co_await till.load(token, both);
                BOOST_TEST((late == HotLoaded::unready));
                auto const length = co_await till.say(cache::Command("XLEN", till.key("journal")));
                BOOST_TEST(length.number == 0);
                auto const opened = co_await till.open(2);
                BOOST_TEST((opened.how == How::built));
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(a_key_makes_one_effect_and_every_repetition_the_same_answer) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        auto const first = co_await till.move("alice", "bob", 5, use_of(1));
        auto const again = co_await till.move("alice", "bob", 5, use_of(1));
        auto const other = co_await till.move("alice", "bob", 4, use_of(1, 2));
        BOOST_TEST(first == "posted");
        BOOST_TEST(again == "again");
        BOOST_TEST(other == "reused");
        auto const refused = co_await till.move("alice", "bob", 1, use_of(2));
        BOOST_TEST(refused == "insufficient_funds ");
        co_await till.move("bob", "alice", 1);
        auto const later = co_await till.move("alice", "bob", 1, use_of(2));
        BOOST_TEST(later == "posted");
    });
}

BOOST_AUTO_TEST_CASE(a_key_whose_entry_is_drained_is_known_and_the_store_repeats_it) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 5, use_of(1));
        co_await till.say(cache::Command("XTRIM", till.key("journal"), "MAXLEN", 0));
        auto const again = co_await till.move("alice", "bob", 5, use_of(1));
        BOOST_TEST(again == "known");
    });
}

BOOST_AUTO_TEST_CASE(new_books_ask_the_store_for_keys_as_long_as_one_may_be_remembered) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open(1, 0, noon);
        auto command = to_bob(1);
        auto post = till.post(command, use_of(1));
        auto const answer = co_await till.settle(post);
        BOOST_REQUIRE(std::holds_alternative<HotAsk>(answer));
        post.asked = std::get<HotAsk>(answer).base;
        auto const asked = co_await till.settle(post);
        BOOST_TEST(word_of(asked) == "posted");
        post.asked = "0";
        auto const again = co_await till.settle(post);
        BOOST_TEST(word_of(again) == "again");
        Instant const next_day{noon.ms + till.books.options().key_kept.count()};
        auto const later = co_await till.perform(command, use_of(2), next_day);
        BOOST_TEST(word_of(later) == "posted");
        auto const keyless = co_await till.move("alice", "bob", 1);
        BOOST_TEST(keyless == "posted");
    });
}

BOOST_AUTO_TEST_CASE(a_record_from_before_the_books_were_built_anew_says_nothing) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 5, use_of(1));
        co_await till.say(cache::Command("UNLINK", till.key("books"), till.key("journal")));
        co_await till.open(2, 0, noon);
        auto const answer = co_await till.move("alice", "bob", 5, use_of(1));
        BOOST_TEST(answer == "ask");
    });
}

BOOST_AUTO_TEST_CASE(of_two_who_load_an_account_the_second_changes_nothing) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        auto const command = to_bob(2);
        auto post = till.post(command);
        auto const answer = co_await till.ask(std::move(post));
        BOOST_REQUIRE(std::holds_alternative<HotCold>(answer));
        auto const token = std::get<HotCold>(answer).token;
        auto const moved = co_await till.move("alice", "bob", 2);
        BOOST_TEST(moved == "posted");
        auto const late = co_await till.load(token, both);
        BOOST_TEST((late == HotLoaded::loaded));
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 3);
    });
}

BOOST_AUTO_TEST_CASE(what_the_store_said_before_something_left_the_books_is_not_loaded) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.add("bob");
        co_await till.open();
        auto const command = to_bob(2);
        auto post = till.post(command);
        auto const answer = co_await till.ask(std::move(post));
        auto const token = std::get<HotCold>(answer).token;
        co_await till.say(cache::Command("HINCRBY", till.key("books"), "#removed", 1));
        auto const late = co_await till.load(token, both);
        BOOST_TEST((late == HotLoaded::stale));
        co_await till.open(2, 9);
        auto const later = co_await till.load(token, both);
        BOOST_TEST((later == HotLoaded::stale));
        auto const found = co_await till.say(cache::Command("HEXISTS", till.key("books"), "alice"));
        BOOST_TEST(found.number == 0);
    });
}

BOOST_AUTO_TEST_CASE(an_account_that_the_store_has_an_older_row_of_is_due_for_the_sync) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 5);
        till.rows.at("alice").is_dirty = true;
        till.rows.at("alice").updated_at = {noon.ms + 70'000};
        till.add("bob");
        co_await till.open();
        auto const answer = co_await till.perform(to_bob(9));
        BOOST_TEST(word_of(answer) == "insufficient_funds ");
        auto const score = co_await till.say(cache::Command("ZSCORE", till.key("due"), "alice"));
        BOOST_TEST(score.text == std::to_string(noon.ms));
        // Time never goes back within an account, whatever the clock of this server says.
        auto const moved = co_await till.perform(to_bob(1));
        auto const& entry = std::get<HotPosted>(moved).entry;
        BOOST_TEST(entry.at.ms == noon.ms + 70'000);
    });
}

BOOST_AUTO_TEST_CASE(the_journal_has_every_item_in_order_and_ids_ascend_in_it) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        domain::Command const command = bulk_of({1, 1'000, 2}, false);
        std::vector<Uuid> ids;
        std::int64_t after = 0;
        for (int i = 0; i < 5; ++i) {
            Instant const clock{noon.ms - i};
            auto const answer = co_await till.perform(command, use_of(10 + i), clock);
            auto const& entry = std::get<HotPosted>(answer).entry;
            BOOST_TEST(entry.after == after);
            BOOST_TEST(entry.position == after + 3);
            BOOST_TEST(entry.at.ms == noon.ms);
            after = entry.position;
            for (std::size_t item = 0; item < 3; ++item) {
                ids.push_back(entry.row_id(item));
                ids.push_back(entry.event_id(item).value);
            }
        }
        BOOST_TEST(std::is_sorted(ids.begin(), ids.end()));
        BOOST_TEST((std::adjacent_find(ids.begin(), ids.end()) == ids.end()));
    });
}

BOOST_AUTO_TEST_CASE(an_atomic_bulk_does_all_or_nothing) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        auto const command = bulk_of({60, 60}, true);
        auto const answer = co_await till.perform(command, use_of(1));
        BOOST_REQUIRE(std::holds_alternative<HotRefused>(answer));
        auto const refusal = refusal_of(command, std::get<HotRefused>(answer));
        BOOST_TEST(told(refusal) == "bulk_rejected /transfers/1 insufficient_funds");
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 100);
        BOOST_TEST(!alice.is_dirty);
    });
}

BOOST_AUTO_TEST_CASE(the_largest_bulk_is_one_entry) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 0, amount_max);
        MoveInBulk bulk{Scene::ledger_id(), false, {}};
        for (int i = 0; i < 10'000; ++i) {
            auto address = "payee-" + std::to_string(i);
            till.add(address);
            bulk.items.push_back(Movement{"alice", std::move(address), 1});
        }
        co_await till.open();
        auto const answer = co_await till.perform(bulk, use_of(1));
        BOOST_REQUIRE(std::holds_alternative<HotPosted>(answer));
        BOOST_TEST(std::get<HotPosted>(answer).entry.items.size() == 10'000U);
        auto const again = co_await till.perform(bulk, use_of(1));
        BOOST_TEST(word_of(again) == "again");
        auto const last = co_await till.account("payee-9999");
        BOOST_TEST(last.balance == 1);
        auto const due = co_await till.say(cache::Command("ZCARD", till.key("due")));
        BOOST_TEST(due.number == 10'002);
    });
}

BOOST_AUTO_TEST_CASE(a_hold_ends_once_and_no_later_than_its_time) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        Instant const due{noon.ms + 5'000};
        Instant const before{due.ms - 1};
        auto const ledger = Scene::ledger_id();
        auto const answer = co_await till.perform(hold_of(60, std::chrono::seconds(5)));
        auto const hold = placed(answer);
        BOOST_TEST(hold.expires_at->ms == due.ms);
        BOOST_TEST((hold.created_at() == noon));
        domain::Command const expiry = ExpireHolds{ledger, {hold}};
        domain::Command const capture = CaptureHold{ledger, hold, {}};
        domain::Command const giving_up = VoidHold{ledger, hold};
        std::optional<KeyUse> const no_key;
        auto const early = co_await till.perform(expiry, no_key, before);
        BOOST_TEST(word_of(early) == "nothing");
        auto const late = co_await till.perform(capture, no_key, due);
        BOOST_TEST(word_of(late) == "illegal_transition expired");
        auto const expired = co_await till.perform(expiry, no_key, due);
        BOOST_TEST(word_of(expired) == "posted");
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.held == 0);
        BOOST_TEST(alice.version == 0);
        auto const voided = co_await till.perform(giving_up, no_key, due);
        BOOST_TEST(word_of(voided) == "illegal_transition expired");
        auto const again = co_await till.perform(expiry, no_key, due);
        BOOST_TEST(word_of(again) == "nothing");
    });
}

BOOST_AUTO_TEST_CASE(a_hold_that_is_not_in_the_books_is_loaded_and_one_that_ended_stays_ended) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        auto const answer = co_await till.perform(hold_of(60));
        auto const hold = placed(answer);
        domain::Command const command = VoidHold{Scene::ledger_id(), hold};
        co_await till.say(cache::Command("HDEL", till.key("holds"), hold.id.to_string()));
        auto const cold = co_await till.perform(command);
        BOOST_REQUIRE(word_of(cold) == "cold holds");
        BOOST_TEST(std::get<HotCold>(cold).names.front() == hold.id.to_string());
        for (int i = 0; i < 2; ++i) {
            std::vector<Hold> const holds{hold};
            auto const token = std::get<HotCold>(cold).token;
            auto const loaded = co_await till.load_holds(token, holds);
            BOOST_TEST((loaded == HotLoaded::loaded));
            auto const done = co_await till.perform(command);
            BOOST_TEST(word_of(done) == (i == 0 ? "posted" : "illegal_transition voided"));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_read_shows_every_post_at_once) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        auto const& ledger = till.ledger.id;
        auto const unopened = co_await till.books.find(ledger, both, patient());
        BOOST_TEST(!sure(unopened));
        co_await till.open();
        auto const cold = sure(co_await till.books.find(ledger, both, patient()));
        BOOST_REQUIRE(cold->size() == 2U);
        BOOST_TEST(!cold->at(0));
        co_await till.move("alice", "bob", 30);
        auto const found = sure(co_await till.books.find(ledger, both, patient()));
        BOOST_TEST(found->at(0)->balance == 70);
        BOOST_TEST(found->at(1)->version == 1);
        auto const answer = co_await till.perform(hold_of(60));
        auto const hold = placed(answer);
        auto const open = sure(co_await till.books.find_hold(ledger, hold.id, patient()));
        BOOST_TEST((open == hold));
        domain::Command const capture = CaptureHold{ledger, hold, 50};
        auto const done = co_await till.perform(capture);
        auto const& captured = std::get<Captured>(std::get<HotPosted>(done).entry.items.front());
        auto const ended = sure(co_await till.books.find_hold(ledger, hold.id, patient()));
        BOOST_TEST((ended == captured.hold));
        BOOST_TEST(ended->captured_amount == 50);
        BOOST_TEST((ended->transfer == captured.transfer.id));
        HoldId const unknown;
        auto const none = sure(co_await till.books.find_hold(ledger, unknown, patient()));
        BOOST_TEST(!none.has_value());
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_while_the_drain_is_too_far_behind) {
    RedisServer server;
    HotBooksOptions options;
    options.undrained_max = 2;
    with_till(server, options, [](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1, use_of(1));
        co_await till.move("alice", "bob", 1);
        auto const refused = co_await till.move("alice", "bob", 1);
        BOOST_TEST(refused == "busy");
        auto const again = co_await till.move("alice", "bob", 1, use_of(1));
        BOOST_TEST(again == "again");
        co_await till.say(cache::Command("HSET", till.key("books"), "#drained", 2));
        auto const later = co_await till.move("alice", "bob", 1);
        BOOST_TEST(later == "posted");
    });
}

BOOST_AUTO_TEST_CASE(a_redis_without_memory_refuses_and_has_written_nothing) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1);
        co_await till.say(cache::Command("CONFIG", "SET", "maxmemory", "1"));
        auto const command = to_bob(2);
        auto post = till.post(command, use_of(1));
        auto const refused = co_await till.books.post(post, patient());
        BOOST_TEST(!refused);
        co_await till.say(cache::Command("CONFIG", "SET", "maxmemory", "0"));
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 99);
        auto const done = co_await till.settle(post);
        BOOST_TEST(word_of(done) == "posted");
    });
}

BOOST_AUTO_TEST_CASE(bytes_of_somebody_else_stop_the_post_that_meets_them) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1);
        co_await till.say(cache::Command("HSET", till.key("books"), "bob", "d 1e3 0 0"));
        auto const command = to_bob(2);
        auto const post = till.post(command, use_of(1));
        auto const refused = co_await till.books.post(post, patient());
        BOOST_REQUIRE(!refused);
        BOOST_TEST(refused.error().text == "GARBLED account bob");
        auto const alice = co_await till.account("alice");
        BOOST_TEST(alice.balance == 99);
    });
}

BOOST_AUTO_TEST_CASE(a_process_that_forgot_the_script_is_asked_who_it_is_again) {
    with_till([](Till& till) -> Nothing {
        till.add("alice", 100);
        till.add("bob");
        co_await till.open();
        co_await till.move("alice", "bob", 1);
        co_await till.say(cache::Command("SCRIPT", "FLUSH"));
        auto const moved = co_await till.move("alice", "bob", 1);
        BOOST_TEST(moved == "posted");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
