// A hot ledger, a desk that posts on it, and whoever opens and drains it: what the tests of posts
// stand on.
#pragma once

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cache/hot_journal.hpp"
#include "cache/redis_client.hpp"
#include "db/memory_store.hpp"
#include "domain/command.hpp"
#include "domain/ledger.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/hot/desk.hpp"
#include "server/lane.hpp"
#include "server/render.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/redis_talk.hpp"
#include "tests/support/run.hpp"

namespace penstock::tests {

using Nothing = asio::awaitable<void>;
using domain::AccountPolicy;
using domain::Amount;
using domain::Rejection;
using domain::TransferKind;

inline SteadyTime patient() { return steady_now() + std::chrono::seconds{20}; }

/// Stands still unless a test moves it.
class CounterClock final : public server::Clock {
public:
    domain::Instant now() noexcept override { return now_; }
    void pass(milliseconds time) { now_.ms += time.count(); }

private:
    domain::Instant now_{1'790'000'000'000};
};

inline server::HotOptions unhurried_desk() {
    server::HotOptions options;
    options.wait = milliseconds{15'000};
    options.open_wait = milliseconds{15'000};
    return options;
}

inline cache::RedisClientOptions counter_redis(RedisServer const& redis) {
    cache::RedisClientOptions options;
    options.address.socket_path = redis.socket_path();
    options.patience = milliseconds{15'000};
    options.connection.backoff = {milliseconds{2}, milliseconds{10}, milliseconds{10}};
    return options;
}

class HotCounter {
public:
    using Outcome = Result<domain::Outcome>;

    /// `has_redis` false: the desk knows of none.
    HotCounter(asio::any_io_executor executor, RedisServer& its_redis, server::HotOptions options,
               bool has_redis)
        : redis(its_redis),
          client(executor, counter_redis(its_redis), [] { return 1U << 31U; }),
          lane(executor, store, clock, server::LaneOptions()),
          desk(
              executor, has_redis ? &client : nullptr, store,
              [this](domain::Envelope envelope, SteadyTime deadline) {
                  if (before_lane) before_lane(envelope);
                  return lane.submit(std::move(envelope), deadline);
              },
              clock, options),
          journal(client, options.database),
          tasks_(executor) {
        tasks_.spawn(client.run());
        tasks_.spawn(lane.run());
    }

    Nothing close() {
        tasks_.cancel();
        bool const ended = co_await tasks_.join(patient());
        BOOST_CHECK(ended);
    }

    domain::Envelope envelope(domain::Command command, int key) {
        domain::Envelope made;
        made.organization = domain::default_organization;
        if (key > 0) {
            domain::KeyUse use;
            use.key.value.bytes.fill(0x3c);
            use.key.value.bytes[0] = static_cast<std::uint8_t>(key % 1'000 >> 8);
            use.key.value.bytes[1] = static_cast<std::uint8_t>(key % 1'000);
            use.fingerprint.fill(static_cast<std::uint8_t>(key / 1'000));
            made.key_use = use;
        }
        made.request_id = "request";
        made.nonce = ++nonce_;
        made.command = std::move(command);
        return made;
    }
    /// By the lane, as everything that is not of a hot ledger.
    asio::awaitable<Outcome> decide(domain::Command command, int key = 0) {
        auto made = envelope(std::move(command), key);
        co_return co_await lane.submit(std::move(made), patient());
    }
    /// By the desk. Keys that differ by thousands are the same with another body.
    asio::awaitable<Outcome> ask(domain::Command command, int key = 0) {
        auto made = envelope(std::move(command), key);
        co_return co_await desk.submit(ledger, std::move(made), patient());
    }

    /// A ledger with alice and bob, open. Its books know the keys used since `keys_from`.
    Nothing set_up(AccountPolicy policy = AccountPolicy::explicit_,
                   domain::Instant keys_from = {0}) {
        ledger = co_await make_ledger("hot", domain::Posting::hot, policy);
        co_await add_account("alice");
        co_await add_account("bob");
        bool const up = co_await client.up_before(patient());
        BOOST_REQUIRE(up);
        co_await open(keys_from);
    }
    asio::awaitable<domain::Ledger> make_ledger(std::string name, domain::Posting posting,
                                                AccountPolicy policy) {
        domain::CreateLedger made;
        made.draft.name = std::move(name);
        made.draft.asset_code = "EUR";
        made.draft.posting = posting;
        made.draft.accounts = policy;
        auto const outcome = co_await decide(std::move(made));
        co_return std::get<domain::Ledger>(std::get<domain::Receipt>(*outcome).what);
    }
    Nothing add_account(std::string address) {
        domain::CreateAccount made;
        made.ledger = ledger.id;
        made.address = std::move(address);
        auto const outcome = co_await decide(std::move(made));
        BOOST_REQUIRE(outcome.has_value());
    }
    Nothing open(domain::Instant keys_from = {0}) {
        domain::Command const beginning = domain::BeginEpoch{ledger.id};
        auto const begun = co_await decide(beginning);
        row = std::get<domain::HotLedger>(std::get<domain::Receipt>(*begun).what);
        cache::HotBooksOptions options;
        options.database = desk.options().database;
        cache::HotBooks books(client, options);
        auto const opened =
            co_await books.open(ledger.id, row.epoch, row.drained, keys_from, patient());
        BOOST_REQUIRE(opened.has_value());
        desk.opened(ledger.id);
    }

    /// Brings home what is in the journal.
    Nothing drain() {
        auto entries = co_await journal.read(ledger.id, "test", 1'000, patient());
        BOOST_REQUIRE(entries.has_value() && entries->has_value());
        domain::BookJournal command;
        command.ledger = ledger.id;
        command.epoch = row.epoch;
        std::vector<std::int64_t> positions;
        std::vector<domain::HoldId> ended;
        for (auto& read : **entries) {
            positions.push_back(read.position);
            for (auto const& item : read.entry->items) note_end(item, ended);
            command.entries.push_back(std::move(*read.entry));
        }
        if (command.entries.empty()) co_return;
        auto const booked = co_await decide(std::move(command));
        row = std::get<domain::HotLedger>(std::get<domain::Receipt>(*booked).what);
        auto const settled =
            co_await journal.settle(ledger.id, row.epoch, row.drained, positions, ended, patient());
        BOOST_REQUIRE((settled && *settled));
    }

    /// Of accounts of which nothing is in the journal any more.
    Nothing sync(std::vector<std::string> addresses) {
        domain::SyncBalances command;
        command.ledger = ledger.id;
        command.epoch = row.epoch;
        for (auto const& address : addresses) {
            auto const found = co_await account(address);
            auto const& standing = found.standing;
            command.balances.push_back(
                {address, standing.balance, standing.version, standing.updated_at, 0});
        }
        auto const synced = co_await decide(std::move(command));
        BOOST_REQUIRE(synced.has_value());
    }

    asio::awaitable<domain::Account> account(std::string address) {
        domain::AccountName name{ledger.id, std::move(address)};
        auto const read = co_await desk.find_account(std::move(name), patient());
        BOOST_REQUIRE((read && read->row));
        co_return *read->row;
    }
    asio::awaitable<bool> has_account(std::string address) {
        domain::AccountName name{ledger.id, std::move(address)};
        auto const found = co_await store.find_account(std::move(name), patient());
        co_return found->has_value();
    }

    domain::Command movement(TransferKind kind, std::string from, std::string to, Amount amount) {
        domain::MoveMoney command;
        command.ledger = ledger.id;
        command.kind = kind;
        command.movement.from = std::move(from);
        command.movement.to = std::move(to);
        command.movement.amount = amount;
        return command;
    }
    domain::Command deposit(std::string to, Amount amount) {
        return movement(TransferKind::deposit, domain::world_address, std::move(to), amount);
    }
    domain::Command transfer(std::string from, std::string to, Amount amount) {
        return movement(TransferKind::transfer, std::move(from), std::move(to), amount);
    }
    domain::Command hold(Amount amount, std::optional<std::chrono::seconds> term = {}) {
        domain::PlaceHold command{ledger.id, "alice", "bob", amount};
        command.expires_in = term;
        return command;
    }
    /// As a route names it: by its id.
    template <class End>
    domain::Command end(domain::HoldId id) {
        End command;
        command.ledger = ledger.id;
        command.original.emplace();
        command.original->id = id;
        command.original->ledger = ledger.id;
        return command;
    }

    /// What a client is sent.
    std::string body_of(Outcome const& outcome) const {
        return server::body_of(std::get<domain::Receipt>(*outcome), ledger.name);
    }

    RedisServer& redis;
    CounterClock clock;
    db::MemoryStore store;
    cache::RedisClient client;
    server::Lane lane;
    std::function<void(domain::Envelope const&)> before_lane;
    server::HotDesk desk;
    cache::HotJournal journal;
    domain::Ledger ledger;
    domain::HotLedger row;

private:
    static void note_end(domain::JournalItem const& item, std::vector<domain::HoldId>& ended) {
        if (auto const* captured = std::get_if<domain::Captured>(&item))
            ended.push_back(captured->hold.id);
        auto const* const hold = std::get_if<domain::Hold>(&item);
        if (hold && hold->status != domain::HoldStatus::pending) ended.push_back(hold->id);
    }

    std::uint64_t nonce_ = 0;
    reactor::TaskGroup tasks_;
};

inline bool is_done(HotCounter::Outcome const& outcome) {
    return outcome && std::holds_alternative<domain::Receipt>(*outcome);
}
inline bool is_replay(HotCounter::Outcome const& outcome) {
    return is_done(outcome) && std::get<domain::Receipt>(*outcome).replayed;
}
/// "insufficient_funds", "account_not_found /from", or what the world said.
inline std::string refusal_of(HotCounter::Outcome const& outcome) {
    if (!outcome) return outcome.error().message();
    auto const* const refusal = std::get_if<domain::Refusal>(&*outcome);
    if (refusal == nullptr) return "done";
    std::string text = domain::name_of(refusal->code);
    return refusal->pointer.empty() ? text : text + ' ' + refusal->pointer;
}
template <class Row>
Row const& row_of(HotCounter::Outcome const& outcome) {
    return std::get<Row>(std::get<domain::Receipt>(*outcome).what);
}

/// Runs `body` with a counter on that Redis, or on one of its own.
inline void at_counter(RedisServer& redis, server::HotOptions options,
                       std::function<Nothing(HotCounter&)> body, bool has_redis = true) {
    run([&]() -> Nothing {
        auto const executor = co_await asio::this_coro::executor;
        HotCounter counter(executor, redis, options, has_redis);
        co_await body(counter);
        co_await counter.close();
    });
}
inline void at_counter(server::HotOptions options, std::function<Nothing(HotCounter&)> body,
                       bool has_redis = true) {
    RedisServer redis;
    at_counter(redis, options, std::move(body), has_redis);
}
inline void at_counter(RedisServer& redis, std::function<Nothing(HotCounter&)> body) {
    at_counter(redis, unhurried_desk(), std::move(body));
}
inline void at_counter(std::function<Nothing(HotCounter&)> body) {
    at_counter(unhurried_desk(), std::move(body));
}

}  // namespace penstock::tests
