// Do both stores bring a hot ledger home as its books have it, in whatever pieces it comes?
#include <boost/test/unit_test.hpp>

#include "db/hot_store.hpp"
#include "db/memory_store.hpp"
#include "tests/db/hot_model.hpp"
#include "tests/db/postgres_fixture.hpp"

namespace penstock::tests {
namespace {

constexpr int posts = 60;

/// Two stores that are told the same, and what they are told of.
struct Pair {
    db::Store& one;
    db::Store& two;
    Driver& first;
    Driver& second;
    LedgerId ledger;
    HotLedger row;  ///< as both have it

    asio::awaitable<std::vector<Outcome>> tell(std::vector<Command> commands,
                                               std::optional<KeyUse> use = {}) {
        first.at.ms += 1;
        second.at = first.at;
        std::vector<Envelope> batch;
        for (auto& command : commands) batch.push_back(first.envelope(std::move(command), use));
        auto const copy = batch;
        auto outcomes = co_await first.batch(std::move(batch));
        auto const others = co_await second.batch(copy);
        BOOST_TEST_REQUIRE((outcomes == others), "outcomes differ");
        co_return outcomes;
    }
    asio::awaitable<Outcome> tell_one(Command command, std::optional<KeyUse> use = {}) {
        std::vector<Command> commands;
        commands.push_back(std::move(command));
        auto outcomes = co_await tell(std::move(commands), use);
        co_return std::move(outcomes.front());
    }
    asio::awaitable<void> read_row() {
        row = found(co_await one.hot().find_hot_ledger(ledger, in_time()));
        auto const same = found(co_await two.hot().find_hot_ledger(ledger, in_time()));
        BOOST_TEST_REQUIRE((row == same));
    }
    asio::awaitable<std::vector<db::HotStanding>> standings() {
        std::optional<std::string> const top;
        auto all = value_of(co_await one.hot().list_standings(ledger, top, 100, in_time()));
        auto const same = value_of(co_await two.hot().list_standings(ledger, top, 100, in_time()));
        BOOST_TEST_REQUIRE((all == same), "standings differ");
        co_return all;
    }
    asio::awaitable<std::vector<Hold>> holds() {
        db::HoldPage page;
        page.limit = 100'000;
        auto all = value_of(co_await one.list_holds(ledger, page, in_time()));
        auto const same = value_of(co_await two.list_holds(ledger, page, in_time()));
        BOOST_TEST_REQUIRE((all == same), "holds differ");
        co_return all;
    }
};

Command begin_epoch(LedgerId ledger) { return BeginEpoch{ledger}; }

Command create_hot_ledger() {
    auto command = std::get<CreateLedger>(create_ledger("hot"));
    command.draft.posting = Posting::hot;
    return command;
}

/// How everyone stood last.
Command newest_balances(HotModel const& model, HotLedger const& row) {
    std::map<std::string, HotBalance> newest;
    for (auto const& state : model.states()) newest.insert_or_assign(state.address, state);
    SyncBalances command{row.ledger, row.epoch, {}};
    for (auto const& [address, state] : newest) command.balances.push_back(state);
    return command;
}

/// Some of the journal around what comes next: again, with a gap, or for another epoch.
Command some_entries(HotModel& model, HotLedger const& row) {
    auto const& journal = model.journal();
    auto const is_home = [&](auto const& entry) { return entry.position <= row.drained; };
    auto const next = static_cast<std::size_t>(std::ranges::count_if(journal, is_home));
    auto begin = next - std::min<std::size_t>(next, model.below(3));
    if (model.below(6) == 0) begin = std::min(journal.size() - 1, next + 1);
    auto const end = std::min(journal.size(), begin + 1 + model.below(8));
    BookJournal command{row.ledger, row.epoch, {}};
    for (auto at = begin; at < end; ++at) command.entries.push_back(journal[at]);
    if (model.below(8) == 0) command.epoch += model.below(2) == 0 ? 1 : -1;
    return command;
}

/// Some states that accounts were in, old ones and those that the journal has not come to.
Command some_balances(HotModel& model, HotLedger const& row) {
    auto const& states = model.states();
    SyncBalances command{row.ledger, row.epoch, {}};
    std::set<std::string> named;
    for (auto left = 1 + model.below(4); left > 0; --left) {
        auto const& state = states[model.below(states.size())];
        if (named.insert(state.address).second) command.balances.push_back(state);
    }
    if (model.below(8) == 0) command.epoch += model.below(2) == 0 ? 1 : -1;
    return command;
}

/// A balance is that of its version, no version is ahead of its transfers, and held is the sum of
/// the open holds.
asio::awaitable<void> check(Pair& pair, HotModel const& model) {
    co_await pair.read_row();
    std::map<std::string, Amount> held;
    auto const holds = co_await pair.holds();
    for (auto const& hold : holds)
        if (hold.status == HoldStatus::pending) held[hold.from.address] += hold.amount;
    auto const standings = co_await pair.standings();
    for (auto const& standing : standings) {
        auto const& address = standing.account.address;
        auto const newest = model.version_of(address, pair.row.drained);
        BOOST_TEST(standing.account.standing.version == newest);
        BOOST_TEST(standing.account.standing.balance == model.balance_at(address, newest));
        BOOST_TEST(standing.account.standing.held == held[address]);
        AccountName const name{pair.ledger, address};
        auto const account = found(co_await pair.two.find_account(name, in_time()));
        BOOST_TEST(account.standing.version <= newest);
        BOOST_TEST(account.standing.balance == model.balance_at(address, account.standing.version));
        BOOST_TEST((account.standing.version < newest) == standing.is_behind);
    }
}

asio::awaitable<void> bring_home(Pair& pair, HotModel& model) {
    auto const last = model.journal().back().position;
    for (int steps = 0; pair.row.drained < last; ++steps) {
        BOOST_TEST_REQUIRE(steps < 100 * posts);
        std::vector<Command> commands;
        for (auto left = 1 + model.below(3); left > 0; --left) {
            auto const what = model.below(12);
            if (what == 0)
                commands.push_back(begin_epoch(pair.ledger));
            else if (what < 5)
                commands.push_back(some_balances(model, pair.row));
            else
                commands.push_back(some_entries(model, pair.row));
        }
        co_await pair.tell(std::move(commands));
        co_await check(pair, model);
    }
    // And all that is due to the end.
    co_await pair.tell_one(newest_balances(model, pair.row));
    co_await check(pair, model);
    auto const standings = co_await pair.standings();
    for (auto const& standing : standings) BOOST_TEST(!standing.is_behind);
}

/// What both have at the end is what was posted, and every key is answered as its post was.
asio::awaitable<void> compare(Pair& pair, HotModel const& model) {
    db::TransferPage page;
    page.limit = 100'000;
    auto const kept = value_of(co_await pair.one.list_transfers(pair.ledger, page, in_time()));
    auto const same = value_of(co_await pair.two.list_transfers(pair.ledger, page, in_time()));
    BOOST_TEST((kept == same), "transfers differ");
    std::map<TransferId, Transfer> posted;
    for (auto const& entry : model.journal()) {
        for (auto const& item : entry.items) {
            if (auto const* transfer = std::get_if<Transfer>(&item))
                posted.emplace(transfer->id, *transfer);
            if (auto const* captured = std::get_if<Captured>(&item))
                posted.emplace(captured->transfer.id, captured->transfer);
        }
    }
    BOOST_TEST(kept.items.size() == posted.size());
    for (auto const& transfer : kept.items) BOOST_TEST((posted.at(transfer.id) == transfer));
    auto const totals = value_of(co_await pair.one.list_totals(pair.ledger, in_time()));
    auto const sums = value_of(co_await pair.two.list_totals(pair.ledger, in_time()));
    BOOST_TEST((totals == sums), "totals differ");
    db::ActivityPage feed;
    feed.limit = 100'000;
    auto const& organization = pair.first.organization;
    auto const told = value_of(co_await pair.one.list_activity(organization, feed, in_time()));
    auto const twin = value_of(co_await pair.two.list_activity(organization, feed, in_time()));
    BOOST_TEST((told == twin), "the feeds differ");
    auto const holds = co_await pair.holds();
    auto const open = std::ranges::count(holds, HoldStatus::pending, &Hold::status);
    BOOST_TEST(static_cast<std::size_t>(open) == model.open_holds());
    for (auto const& entry : model.journal()) {
        if (!entry.key_use) continue;
        auto const again = co_await pair.tell_one(begin_epoch(pair.ledger), entry.key_use);
        BOOST_TEST_REQUIRE(is_replayed(again));
        if (!std::get_if<Recorded>(&std::get<Receipt>(again).what))
            BOOST_TEST((again == Outcome(Receipt{receipt_of(entry).what, true})));
    }
}

asio::awaitable<void> play(db::Store& one, db::Store& two, Driver& first, Driver& second,
                           std::uint32_t seed) {
    Pair pair{one, two, first, second, {}, {}};
    // The seeds share a database.
    auto const founded = co_await pair.tell_one(create_organization("hot-" + std::to_string(seed)));
    first.organization = made<Organization>(founded).id;
    second.organization = first.organization;
    auto const created = co_await pair.tell_one(create_hot_ledger());
    auto const ledger = made<Ledger>(created);
    pair.ledger = ledger.id;
    for (auto const* address : {"alice", "bob", "carol"})
        co_await pair.tell_one(create_account(ledger, address));
    co_await pair.tell_one(begin_epoch(ledger.id));
    HotModel model(seed, ledger.id, first.at);
    auto const standings = co_await pair.standings();
    for (auto const& standing : standings) model.add(standing.account.address, standing.account.id);
    for (int i = 0; i < posts; ++i) model.post();
    co_await check(pair, model);
    co_await bring_home(pair, model);
    co_await compare(pair, model);
}

asio::awaitable<void> play_with_drivers(db::Store& one, db::Store& two, std::uint32_t seed) {
    auto const executor = co_await asio::this_coro::executor;
    Driver first(executor, one);
    Driver second(executor, two);
    std::exception_ptr failure;
    try {
        co_await play(one, two, first, second, seed);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await first.finish();
    co_await second.finish();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_journals)

BOOST_AUTO_TEST_CASE(in_whatever_pieces_a_journal_comes_both_stores_have_it_once_and_in_order) {
    MigratedDatabase database;
    std::random_device device;
    for (std::uint32_t const seed : {1U, 2U, 3U, static_cast<std::uint32_t>(device())}) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            asio::io_context context{1};
            db::MemoryStore memory;
            db::PostgresStore postgres(context.get_executor(), database.store_options());
            auto body = [&]() -> asio::awaitable<void> {
                co_await play_with_drivers(memory, postgres, seed);
            };
            run_beside(context, postgres, body);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
