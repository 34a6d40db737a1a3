// What a lane does when load or commit fails, on a store whose failures the test writes down.
#include "server/lane.hpp"

#include <boost/test/unit_test.hpp>

#include "db/memory_store.hpp"
#include "db/pg/error.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "tests/support/run.hpp"

using namespace penstock;
using namespace penstock::server;

namespace {

/// Says what the next step does instead of working; no error: it works.
struct Script {
    std::function<error_code(domain::KeySet const&)> load = [](auto const&) {
        return error_code();
    };
    std::function<error_code(domain::Changes const&)> commit = [](auto const&) {
        return error_code();
    };
    bool stalls = false;  ///< until the deadline, or a cancellation
    int loads = 0;
    int commits = 0;
};

class ScriptedWriter final : public db::Writer {
public:
    ScriptedWriter(std::unique_ptr<db::Writer> real, Script& script)
        : real_(std::move(real)), script_(script) {}

    /// As long as a connection lives.
    asio::awaitable<void> run() override {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await reactor::sleep_until(never);
    }
    asio::awaitable<Result<domain::Loaded>> load(domain::KeySet keys, SteadyTime until) override {
        ++script_.loads;
        if (script_.stalls) {
            bool const awake = co_await reactor::sleep_until(until);
            if (!awake) co_return asio::error::operation_aborted;
        }
        if (auto const error = script_.load(keys)) co_return error;
        co_return co_await real_->load(std::move(keys), until);
    }
    asio::awaitable<error_code> commit(domain::Changes changes, SteadyTime until) override {
        ++script_.commits;
        if (auto const error = script_.commit(changes)) {
            co_await real_->abandon();
            co_return error;
        }
        co_return co_await real_->commit(std::move(changes), until);
    }
    asio::awaitable<void> abandon() override { return real_->abandon(); }

private:
    std::unique_ptr<db::Writer> real_;
    Script& script_;
};

class ScriptedStore final : public db::MemoryStore {
public:
    std::unique_ptr<db::Writer> make_writer() override {
        return std::make_unique<ScriptedWriter>(MemoryStore::make_writer(), script);
    }
    Script script;
};

class FixedClock final : public Clock {
public:
    domain::Instant now() noexcept override { return {1'800'000'000'000}; }
};

domain::IdempotencyKey key_of(std::uint64_t n) {
    return {domain::make_uuid7({static_cast<std::int64_t>(n)}, 1, n)};
}

domain::Envelope envelope(std::uint64_t n, domain::Command command) {
    domain::Envelope made;
    domain::KeyUse use;
    use.key = key_of(n);
    use.fingerprint[0] = static_cast<std::uint8_t>(n);
    made.key_use = use;
    made.nonce = n;
    made.request_id = "request";
    made.command = std::move(command);
    return made;
}

struct Fixture {
    asio::io_context context{1};
    ScriptedStore store;
    FixedClock clock;
    domain::LedgerId ledger;
    std::uint64_t next = 1;

    domain::Envelope create_ledger() {
        domain::CreateLedger made;
        made.draft.name = "main";
        made.draft.asset_code = "EUR";
        made.draft.accounts = domain::AccountPolicy::implicit;
        return envelope(next++, domain::Command(std::move(made)));
    }
    domain::Envelope create_points() {
        domain::CreateLedger made;
        made.draft.name = "points";
        made.draft.asset_code = "PTS";
        made.draft.kind = domain::LedgerKind::credits;
        return envelope(next++, domain::Command(std::move(made)));
    }
    domain::Envelope grant(domain::LedgerId points, std::size_t entries) {
        domain::GrantCredits made;
        made.ledger = points;
        made.reference = "grant-" + std::to_string(next);
        for (std::size_t i = 0; i < entries; ++i) {
            domain::CreditDraft entry;
            entry.address = "user-" + std::to_string(i);
            entry.amount = 1;
            made.entries.push_back(std::move(entry));
        }
        return envelope(next++, domain::Command(std::move(made)));
    }
    domain::Envelope deposit(std::string account, domain::Amount amount) {
        domain::MoveMoney made;
        made.ledger = ledger;
        made.kind = domain::TransferKind::deposit;
        made.movement.from = domain::world_address;
        made.movement.to = std::move(account);
        made.movement.amount = amount;
        return envelope(next++, domain::Command(std::move(made)));
    }

    /// Runs `body(lane)` with a ledger in place, then ends the lane.
    template <class Body>
    void with_lane(Body body, LaneOptions options = LaneOptions()) {
        auto whole = [&]() -> asio::awaitable<void> {
            Lane lane(context.get_executor(), store, clock, options);
            reactor::TaskGroup tasks(context.get_executor());
            tasks.spawn(lane.run());
            auto first = create_ledger();
            auto const made = co_await lane.submit(std::move(first), deadline());
            ledger = std::get<domain::Ledger>(std::get<domain::Receipt>(*made).what).id;
            co_await body(lane);
            store.script = Script();
            lane.close();
            co_await tasks.join();
        };
        tests::run(context, whole);
    }
    static SteadyTime deadline() { return steady_now() + std::chrono::seconds{20}; }
    asio::awaitable<domain::Amount> balance(std::string address) {
        domain::AccountName name;
        name.ledger = ledger;
        name.address = std::move(address);
        auto const account = co_await store.find_account(std::move(name), deadline());
        co_return account.value() ? (*account)->standing.balance : 0;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lane, Fixture)

BOOST_AUTO_TEST_CASE(a_transaction_that_may_succeed_is_decided_again) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        int failures = 3;
        store.script.commit = [&failures](auto const&) {
            return failures-- > 0 ? error_code(db::Errc::retry_transaction) : error_code();
        };
        auto asked = deposit("alice", 100);
        auto const outcome = co_await lane.submit(std::move(asked), deadline());
        BOOST_REQUIRE(outcome);
        BOOST_TEST(lane.metrics().retries.get() == 3u);
        auto const booked = co_await balance("alice");
        BOOST_TEST(booked == 100);
    });
}

BOOST_AUTO_TEST_CASE(a_lane_that_is_cut_off_answers_whoever_waits) {
    auto whole = [&]() -> asio::awaitable<void> {
        Lane lane(context.get_executor(), store, clock, LaneOptions());
        reactor::TaskGroup tasks(context.get_executor());
        reactor::TaskGroup crowd(context.get_executor());
        tasks.spawn(lane.run());
        store.script.stalls = true;
        std::optional<Result<domain::Outcome>> answer;
        auto ask = [&]() -> asio::awaitable<void> {
            auto asked = create_ledger();
            auto told = co_await lane.submit(std::move(asked), deadline());
            answer.emplace(std::move(told));
        };
        crowd.spawn(ask());
        while (store.script.loads == 0) {
            auto const soon = steady_now() + milliseconds{1};
            co_await reactor::sleep_until(soon);
        }
        lane.close();
        tasks.cancel();
        bool const ended = co_await tasks.join(deadline());
        BOOST_TEST_REQUIRE(ended);
        bool const told = co_await crowd.join(deadline());
        BOOST_TEST_REQUIRE(told);
        BOOST_TEST((answer && !*answer));
    };
    tests::run(context, whole);
}

BOOST_AUTO_TEST_CASE(a_lost_connection_before_commit_is_no_answer_but_a_new_attempt) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        int failures = 2;
        store.script.load = [&failures](auto const&) {
            return failures-- > 0 ? error_code(db::Errc::connection_lost) : error_code();
        };
        auto asked = deposit("alice", 100);
        auto const outcome = co_await lane.submit(std::move(asked), deadline());
        BOOST_TEST(outcome.has_value());
    });
}

BOOST_AUTO_TEST_CASE(a_refused_command_of_a_batch_fails_alone) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        store.script.commit = [](domain::Changes const& changes) {
            for (auto const& transfer : changes.transfers)
                if (transfer.amount == 13) return error_code(db::Errc::refused_by_database);
            return error_code();
        };
        int accepted = 0;
        int failed = 0;
        reactor::TaskGroup crowd(context.get_executor());
        auto ask = [&](domain::Envelope one) -> asio::awaitable<void> {
            auto const outcome = co_await lane.submit(std::move(one), deadline());
            (outcome ? accepted : failed) += 1;
            if (!outcome) BOOST_TEST((outcome.error() == db::Errc::refused_by_database));
        };
        for (int amount = 10; amount < 20; ++amount) crowd.spawn(ask(deposit("alice", amount)));
        co_await crowd.join();
        BOOST_TEST(accepted == 9);
        BOOST_TEST(failed == 1);
        BOOST_TEST(lane.metrics().splits.get() > 0u);
        auto const booked = co_await balance("alice");
        BOOST_TEST(booked == 145 - 13);
    });
}

BOOST_AUTO_TEST_CASE(an_unknown_commit_is_never_tried_again_by_itself) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        store.script.commits = 0;
        store.script.commit = [](auto const&) { return error_code(db::Errc::commit_unknown); };
        auto asked = deposit("alice", 100);
        auto const outcome = co_await lane.submit(std::move(asked), deadline());
        BOOST_TEST((outcome.error() == db::Errc::commit_unknown));
        BOOST_TEST(store.script.commits == 1);
        BOOST_TEST(lane.metrics().unknown_commits.get() == 1u);
    });
}

BOOST_AUTO_TEST_CASE(the_same_key_twice_in_one_batch_is_one_effect_and_one_replay) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        int replays = 0;
        int firsts = 0;
        reactor::TaskGroup crowd(context.get_executor());
        auto ask = [&](domain::Envelope one) -> asio::awaitable<void> {
            auto const outcome = co_await lane.submit(std::move(one), deadline());
            (std::get<domain::Receipt>(*outcome).replayed ? replays : firsts) += 1;
        };
        auto const once = deposit("alice", 100);
        for (int i = 0; i < 5; ++i) crowd.spawn(ask(once));
        co_await crowd.join();
        BOOST_TEST(firsts == 1);
        BOOST_TEST(replays == 4);
        auto const booked = co_await balance("alice");
        BOOST_TEST(booked == 100);
    });
}

BOOST_AUTO_TEST_CASE(a_recorded_answer_has_the_body_that_was_sent) {
    with_lane([this](Lane& lane) -> asio::awaitable<void> {
        domain::CreateAccount made;
        made.ledger = ledger;
        made.address = "carol";
        auto const asked = envelope(900, domain::Command(made));
        auto again = asked;
        auto first = asked;
        auto const outcome = co_await lane.submit(std::move(first), deadline());
        BOOST_REQUIRE(outcome);
        auto const replay = co_await lane.submit(std::move(again), deadline());
        auto const& receipt = std::get<domain::Receipt>(*replay);
        BOOST_TEST(receipt.replayed);
        auto const& recorded = std::get<domain::Recorded>(receipt.what);
        BOOST_TEST(recorded.status == 201);
        BOOST_TEST(recorded.body.find("\"address\":\"carol\"") != std::string::npos);
        BOOST_TEST(recorded.body.find("\"ledger\":\"main\"") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(credits_weigh_as_much_as_they_have_entries) {
    LaneOptions options;
    options.batch.items_max = 100;
    options.batch.queue_max = 250;
    auto body = [this](Lane& lane) -> asio::awaitable<void> {
        auto first = create_points();
        auto const made = co_await lane.submit(std::move(first), deadline());
        auto const points = std::get<domain::Ledger>(std::get<domain::Receipt>(*made).what).id;
        std::vector<std::size_t> batches;
        store.script.commit = [&batches](domain::Changes const& changes) {
            batches.push_back(changes.credit_entries.size());
            return error_code();
        };
        int refused = 0;
        reactor::TaskGroup crowd(context.get_executor());
        auto ask = [&](domain::Envelope one) -> asio::awaitable<void> {
            auto const outcome = co_await lane.submit(std::move(one), deadline());
            if (outcome) co_return;
            BOOST_TEST((outcome.error() == reactor::Errc::overloaded));
            ++refused;
        };
        for (auto const entries : {60U, 30U, 30U, 70U, 101U, 1U})
            crowd.spawn(ask(grant(points, entries)));
        co_await crowd.join();
        // Never more than 100 in one transaction unless one request has them; and 291 wait when
        // the last one comes, which are more than 250.
        std::vector<std::size_t> const expected{90, 100, 101};
        BOOST_TEST(batches == expected, boost::test_tools::per_element());
        BOOST_TEST(refused == 1);
    };
    with_lane(body, options);
}

BOOST_AUTO_TEST_CASE(with_a_delay_commands_wait_for_company_and_leave_together) {
    LaneOptions options;
    options.batch.delay_max = milliseconds{30};
    options.batch.flush_when_idle = false;
    auto body = [this](Lane& lane) -> asio::awaitable<void> {
        auto const commits = lane.metrics().commits.get();
        auto const by_age = lane.collector_metrics().batches_by_age.get();
        auto const began = steady_now();
        reactor::TaskGroup crowd(context.get_executor());
        auto ask = [&](domain::Envelope one) -> asio::awaitable<void> {
            auto const outcome = co_await lane.submit(std::move(one), deadline());
            BOOST_TEST(outcome.has_value());
        };
        for (int i = 0; i < 5; ++i) crowd.spawn(ask(deposit("alice", 1)));
        co_await crowd.join();
        BOOST_TEST((steady_now() - began >= milliseconds{30}));
        BOOST_TEST(lane.metrics().commits.get() == commits + 1);
        BOOST_TEST(lane.collector_metrics().batches_by_age.get() == by_age + 1);
        auto const booked = co_await balance("alice");
        BOOST_TEST(booked == 5);
    };
    with_lane(body, options);
}

BOOST_AUTO_TEST_SUITE_END()
