// A hot ledger in a Redis and a store of the test's own, and what brings it home: drains and syncs
// of as many servers as a test asks for, through one lane.
#pragma once

#include <algorithm>
#include <limits>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "db/memory_store.hpp"
#include "db/pg/error.hpp"
#include "server/hot/drain.hpp"
#include "server/hot/mend.hpp"
#include "server/hot/sync.hpp"
#include "server/lane.hpp"
#include "tests/cache/till.hpp"
#include "tests/db/pg/with_session.hpp"
#include "tests/support/redis_talk.hpp"

namespace penstock::tests {

using server::Drain;
using server::DrainOptions;
using server::HotEnd;
using server::HotNotice;
using server::Sync;
using server::SyncOptions;

/// Stands still unless a test moves it.
class NoonClock final : public server::Clock {
public:
    Instant now() noexcept override { return now_; }
    void pass(milliseconds time) { now_.ms += time.count(); }

private:
    Instant now_ = noon;
};

/// Every nonce the same: a pause is none with 0, the longest one with 255. Ids differ.
class EqualBytes final : public server::IdSource {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        std::ranges::fill(bytes, byte);
        if (bytes.size() >= 16) bytes.front() = ++ids_;
    }
    std::uint8_t byte = 0xff;

private:
    std::uint8_t ids_ = 0;
};

/// Nobody is so slow that a test on a busy machine goes past the gate by accident.
inline DrainOptions calm_drain() {
    DrainOptions options;
    options.idle = std::chrono::hours{1};
    options.step_max = options.commit_max = options.stop_max = milliseconds{20'000};
    options.pauses = {milliseconds{1}, milliseconds{5}, milliseconds{0}};
    return options;
}
inline SyncOptions calm_sync() {
    SyncOptions options;
    options.batch.delay_max = milliseconds{1};
    options.delay = milliseconds{0};
    options.lease = std::chrono::hours{1};
    options.step_max = options.flush_max = options.stop_max = milliseconds{20'000};
    options.pauses = {milliseconds{1}, milliseconds{5}, milliseconds{0}};
    return options;
}

class Home {
public:
    explicit Home(asio::io_context& context)
        : executor_(context.get_executor()),
          client_(executor_, hot_client_options(redis), half),
          lane_(executor_, store, clock, server::LaneOptions()),
          base_(executor_),
          till(client_, HotBooksOptions()),
          journal(client_, till.books.options().database),
          schedule(client_, till.books.options().database) {
        base_.spawn(client_.run());
        base_.spawn(lane_.run());
    }
    Home(Home&&) = delete;

    Nothing open() {
        bool const up = co_await client_.up_before(patient());
        BOOST_REQUIRE_MESSAGE(up, client_.complaint());
        CreateLedger ledger;
        ledger.draft.name = "hot";
        ledger.draft.asset_code = "EUR";
        ledger.draft.posting = Posting::hot;
        auto const created = co_await command(std::move(ledger));
        till.ledger = made<Ledger>(created);
        for (auto const* const address : {"alice", "bob", "carol", "dave"}) {
            CreateAccount account;
            account.ledger = till.ledger.id;
            account.address = address;
            co_await command(std::move(account));
        }
        std::optional<std::string> const top;
        auto const all = co_await store.hot().list_standings(till.ledger.id, top, 1'000, patient());
        for (auto const& standing : all.value()) {
            HotAccount account;
            account.id = standing.account.id;
            till.rows.insert_or_assign(standing.account.address, account);
        }
        co_await open_epoch(0);
        co_await till.perform(movement_of(TransferKind::deposit, world_address, "alice", 1'000));
    }
    Nothing open_epoch(std::int64_t drained) {
        BeginEpoch begin;
        begin.ledger = till.ledger.id;
        auto const begun = co_await command(std::move(begin));
        epoch = made<HotLedger>(begun).epoch;
        auto const opened = co_await till.open(epoch, drained);
        BOOST_TEST((opened.how == How::open || opened.how == How::built));
    }
    Nothing close() {
        for (auto& life : lives_) co_await stop(life);
        base_.cancel();
        bool const ended = co_await base_.join(patient());
        BOOST_CHECK(ended);
    }

    Drain& drain(DrainOptions options = calm_drain(), std::string name = "ours") {
        auto& life = lives_.emplace_back(executor_);
        life.drain = std::make_unique<Drain>(parts(std::move(name)), options);
        life.tasks.spawn(life.drain->run());
        return *life.drain;
    }
    Sync& sync(SyncOptions options = calm_sync()) {
        auto& life = lives_.emplace_back(executor_);
        life.sync = std::make_unique<Sync>(parts("ours"), options);
        life.tasks.spawn(life.sync->run());
        return *life.sync;
    }
    /// The life of a mend, from its beginning to its end.
    Nothing mend(server::MendOptions options) {
        server::Mend mend(parts("ours"), store.hot(), options);
        co_await mend.run();
    }
    void cancel(Drain& drain) { life_of(&drain).tasks.cancel(); }
    void cancel(Sync& sync) { life_of(&sync).tasks.cancel(); }
    template <class Worker>
    Nothing stop(Worker& worker) {
        co_await stop(life_of(&worker));
        BOOST_TEST(worker.end().has_value());
    }

    /// A command that is nobody's worker's.
    asio::awaitable<Outcome> command(domain::Command command) {
        Envelope envelope;
        envelope.organization = default_organization;
        envelope.request_id = "test";
        envelope.nonce = ++nonce_;
        envelope.command = std::move(command);
        auto outcome = co_await lane_.submit(std::move(envelope), patient());
        co_return std::move(outcome).value();
    }
    Nothing post(int times = 1, Amount amount = 1) {
        for (int i = 0; i < times; ++i) {
            auto const said = co_await till.move("alice", "bob", amount);
            BOOST_REQUIRE(said == "posted");
        }
    }

    std::string key(std::string_view part) const { return till.key(part); }
    std::int64_t length(std::string_view part) { return talk("XLEN", key(part)).number; }
    std::int64_t claimed() { return talk("ZCARD", key("claimed")).number; }
    /// Beside the one without a name.
    std::int64_t due() { return talk("ZCARD", key("due")).number - 1; }
    std::string letter(std::string_view part) {
        auto const reply = talk("XRANGE", key("dead"), "-", "+");
        for (auto const& one : reply.elements) {
            auto const& fields = one.elements.at(1).elements;
            if (fields.at(5).text == part) return fields.at(3).text + ": " + fields.at(7).text;
        }
        return "none";
    }
    std::size_t told(HotNotice::What what) const {
        return static_cast<std::size_t>(std::ranges::count(notices, what, &HotNotice::what));
    }

    asio::awaitable<Account> in_store(std::string address) {
        AccountName const name{till.ledger.id, std::move(address)};
        auto const found = co_await store.find_account(name, patient());
        co_return found.value().value();
    }
    /// Newest first.
    asio::awaitable<std::vector<Transfer>> history(std::string address) {
        AccountName const name{till.ledger.id, std::move(address)};
        db::EntryPage page;
        page.limit = 100'000;
        auto const found = co_await store.list_entries(name, page, patient());
        co_return found.value();
    }
    /// The row of an account at version v says what its transfer v left there.
    Nothing check_not_ahead() {
        for (auto const& [address, row] : till.rows) {
            auto const account = co_await in_store(address);
            auto const entries = co_await history(address);
            auto const& standing = account.standing;
            std::int64_t newest = 0;
            for (auto const& entry : entries) {
                auto const& leg = entry.from.address == address ? entry.from : entry.to;
                newest = std::max(newest, leg.version);
                if (leg.version == standing.version)
                    BOOST_TEST(leg.balance_after == standing.balance);
            }
            BOOST_TEST(static_cast<std::size_t>(newest) == entries.size());
            BOOST_TEST(standing.version <= newest);
        }
    }
    /// Both have the same, and know it.
    Nothing check_is_home() {
        co_await check_not_ahead();
        for (auto const& [address, row] : till.rows) {
            auto const line = talk("HGET", key("books"), address).text;
            if (line.empty()) continue;
            auto const hot = read_account(line).value();
            auto const account = co_await in_store(address);
            BOOST_TEST(hot.balance == account.standing.balance);
            BOOST_TEST(hot.held == account.standing.held);
            BOOST_TEST(hot.version == account.standing.version);
            BOOST_TEST(!hot.is_dirty);
        }
        BOOST_TEST(due() == 0);
        BOOST_TEST(claimed() == 0);
        BOOST_TEST(talk("HLEN", key("owners")).number == 0);
    }

private:
    struct Life {
        explicit Life(asio::any_io_executor executor) : tasks(std::move(executor)) {}
        std::unique_ptr<Drain> drain;
        std::unique_ptr<Sync> sync;
        reactor::TaskGroup tasks;
    };

    Life& life_of(void const* worker) {
        auto const is_its = [&](Life const& life) {
            return life.drain.get() == worker || life.sync.get() == worker;
        };
        return *std::ranges::find_if(lives_, is_its);
    }
    static Nothing stop(Life& life) {
        life.tasks.cancel();
        bool const ended = co_await life.tasks.join(patient());
        BOOST_REQUIRE_MESSAGE(ended, "run() did not end on cancellation");
    }
    server::HotLedgerParts parts(std::string name) {
        auto submit = [this](Envelope envelope, SteadyTime deadline) {
            return this->submit(std::move(envelope), deadline);
        };
        auto tell = [this](HotNotice const& notice) { notices.push_back(notice); };
        return {executor_, till.ledger.id, epoch,         std::move(name), journal, schedule, clock,
                ids,       submit,         drain_metrics, sync_metrics,    tell};
    }
    asio::awaitable<Result<Outcome>> submit(Envelope envelope, SteadyTime deadline) {
        auto const number = ++asked;
        auto const may_go = [this, number] { return !is_held || number > held_to; };
        co_await eventually(may_go);
        if (refuse) {
            auto const error = refuse(envelope.command);
            if (error) co_return error;
        }
        bool const is_lost = lose && lose(envelope.command);
        auto outcome = co_await lane_.submit(std::move(envelope), deadline);
        if (is_lost) co_return db::Errc::commit_unknown;
        co_return outcome;
    }

    asio::any_io_executor executor_;

public:
    RedisServer redis;
    RedisTalk talk{redis.socket_path()};
    NoonClock clock;
    EqualBytes ids;
    db::MemoryStore store;

private:
    RedisClient client_;
    server::Lane lane_;
    reactor::TaskGroup base_;
    std::uint64_t nonce_ = 1'000'000;

public:
    Till till;
    HotJournal journal;
    HotSchedule schedule;
    server::DrainMetrics drain_metrics;
    server::SyncMetrics sync_metrics;
    std::vector<HotNotice> notices;
    std::int64_t epoch = 0;
    int asked = 0;         ///< commands of workers
    bool is_held = false;  ///< those up to `held_to` wait on their way to the lane
    int held_to = std::numeric_limits<int>::max();
    std::function<error_code(domain::Command const&)> refuse;
    std::function<bool(domain::Command const&)> lose;  ///< the answer, once it is done

private:
    std::list<Life> lives_;
};

inline void with_home(std::function<Nothing(Home&)> body) {
    asio::io_context context{1};
    Home home(context);
    auto whole = [&]() -> Nothing {
        std::exception_ptr failure;
        try {
            co_await home.open();
            co_await body(home);
        } catch (...) {
            failure = std::current_exception();
        }
        home.is_held = false;
        co_await home.close();
        if (failure) std::rethrow_exception(failure);
    };
    run(context, whole, std::chrono::seconds{120});
}

}  // namespace penstock::tests
