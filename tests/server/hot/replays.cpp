// Is a hot post repeated with the same bytes, out of Redis and, once it is drained, out of the
// store?
#include <boost/test/unit_test.hpp>

#include "cache/hot_journal.hpp"
#include "db/hot_store.hpp"
#include "db/memory_store.hpp"
#include "server/lane.hpp"
#include "server/render.hpp"
#include "tests/cache/till.hpp"

namespace penstock::tests {
namespace {

using server::Lane;

class FixedClock final : public server::Clock {
public:
    Instant now() noexcept override { return noon; }
};

/// What was asked with a key, and what it was answered with.
struct Asked {
    KeyUse use;
    domain::Command command;
    std::string body;
};

/// A hot ledger: in a store, behind a lane, and in Redis.
struct House {
    House(Till& its_till, Lane& its_lane) : till(its_till), lane(its_lane) {}

    asio::awaitable<Receipt> durably(domain::Command command, std::optional<KeyUse> use = {}) {
        auto envelope = till.envelope(std::move(command), use);
        auto const outcome = co_await lane.submit(std::move(envelope), patient());
        BOOST_REQUIRE(outcome.has_value());
        BOOST_REQUIRE_MESSAGE(std::holds_alternative<Receipt>(*outcome), refusal_of(*outcome));
        co_return std::get<Receipt>(*outcome);
    }
    Nothing open() {
        domain::CreateLedger made;
        made.draft.name = "main";
        made.draft.asset_code = "EUR";
        made.draft.posting = Posting::hot;
        domain::Command create = made;
        auto const created = co_await durably(std::move(create));
        till.ledger = std::get<Ledger>(created.what);
        for (auto const* address : {"alice", "bob"}) {
            domain::Command opening = CreateAccount{till.ledger.id, address};
            auto const opened = co_await durably(std::move(opening));
            till.add(address);
            till.rows.at(address).id = std::get<Account>(opened.what).id;
        }
        domain::Command begin = BeginEpoch{till.ledger.id};
        co_await durably(std::move(begin));
        co_await till.open();
    }
    /// Posts it hot, twice.
    asio::awaitable<Receipt> post(domain::Command command) {
        auto const use = use_of(asked.size() + 1);
        auto const first = co_await till.perform(command, use);
        BOOST_REQUIRE_MESSAGE(word_of(first) == "posted", word_of(first));
        auto const receipt = receipt_of(std::get<HotPosted>(first));
        auto const again = co_await till.perform(command, use);
        BOOST_REQUIRE_MESSAGE(word_of(again) == "again", word_of(again));
        asked.push_back({use, std::move(command), server::body_of(receipt, "main")});
        auto const repeated = receipt_of(std::get<HotPosted>(again));
        BOOST_TEST(repeated.replayed);
        BOOST_TEST(server::body_of(repeated, "main") == asked.back().body);
        co_return receipt;
    }
    Nothing drain() {
        HotJournal journal(till.client, till.books.options().database);
        auto const read = co_await journal.read(till.ledger.id, "one", 100, patient());
        auto const entries = sure(read);
        BookJournal booking{till.ledger.id, 1, {}};
        for (auto const& entry : entries.value()) booking.entries.push_back(entry.entry.value());
        BOOST_TEST(booking.entries.size() == asked.size());
        auto const last = booking.entries.back().position;
        domain::Command command = std::move(booking);
        auto const booked = co_await durably(std::move(command));
        BOOST_TEST(std::get<HotLedger>(booked.what).drained == last);
    }

    Till& till;
    Lane& lane;
    std::vector<Asked> asked;
};

domain::Command transfer_of(LedgerId ledger, Amount amount) {
    Movement movement{"alice", "bob", amount, "a reference"};
    movement.metadata = R"({"zulu":1.50,"alpha":"\u00e9 \" /"})";
    return MoveMoney{ledger, TransferKind::transfer, movement};
}

domain::Command moved(LedgerId ledger, TransferKind kind, std::string from, std::string to) {
    return MoveMoney{ledger, kind, Movement{std::move(from), std::move(to), 500}};
}

domain::Command bulk(LedgerId ledger, bool atomic, std::vector<Amount> amounts) {
    MoveInBulk bulk{ledger, atomic, {}};
    for (auto const amount : amounts) bulk.items.push_back(Movement{"alice", "bob", amount});
    return bulk;
}

domain::Command placing(LedgerId ledger) {
    return PlaceHold{ledger, "alice", "bob", 40, std::chrono::seconds{60}};
}

domain::Command capturing(LedgerId ledger, Receipt const& placed) {
    return CaptureHold{ledger, std::get<Hold>(placed.what), 15};
}

domain::Command voiding(LedgerId ledger, Receipt const& placed) {
    return VoidHold{ledger, std::get<Hold>(placed.what)};
}

/// One of everything that is posted with a key.
Nothing post_everything(House& house) {
    auto const id = house.till.ledger.id;
    auto const deposit = moved(id, TransferKind::deposit, world_address, "alice");
    co_await house.post(deposit);
    auto const transfer = transfer_of(id, 30);
    co_await house.post(transfer);
    auto const withdrawal = moved(id, TransferKind::withdrawal, "alice", world_address);
    std::vector<Amount> const some{10, 9'000, 20};
    std::vector<Amount> const too_much{9'000, 9'001};
    std::vector<Amount> const all{1, 2, 3};
    auto const each = bulk(id, false, some);
    co_await house.post(each);
    auto const none = bulk(id, false, too_much);
    co_await house.post(none);
    auto const together = bulk(id, true, all);
    co_await house.post(together);
    auto const place = placing(id);
    auto const first = co_await house.post(place);
    auto const second = co_await house.post(place);
    auto const capture = capturing(id, first);
    co_await house.post(capture);
    auto const release = voiding(id, second);
    co_await house.post(release);
    auto const more = moved(id, TransferKind::deposit, world_address, "alice");
    co_await house.post(more);
    co_await house.post(withdrawal);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hot_replays)

BOOST_AUTO_TEST_CASE(a_drained_post_is_repeated_with_the_bytes_that_it_was_answered_with) {
    with_till([](Till& till) -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        db::MemoryStore store;
        FixedClock clock;
        Lane lane(executor, store, clock, server::LaneOptions());
        auto const body = [&]() -> Nothing {
            House house(till, lane);
            co_await house.open();
            co_await post_everything(house);
            co_await house.drain();
            for (auto const& one : house.asked) {
                auto const receipt = co_await house.durably(one.command, one.use);
                BOOST_TEST(receipt.replayed);
                BOOST_TEST(server::body_of(receipt, "main") == one.body);
                auto const* const recorded = std::get_if<Recorded>(&receipt.what);
                if (recorded == nullptr) continue;
                bool const is_new = std::holds_alternative<PlaceHold>(one.command);
                BOOST_TEST(recorded->status == (is_new ? 201 : 200));
            }
        };
        co_await beside(lane.run(), body);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
