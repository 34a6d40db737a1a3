// Do both stores keep the rules of streams, and do they agree whatever is done to them?
#include "db/stream_store.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "db/pg/error.hpp"
#include "tests/db/both_stores.hpp"
#include "tests/db/stream_rules.hpp"
#include "tests/db/streaming.hpp"

using namespace penstock;
using namespace penstock::domain;
using tests::Driver;
using tests::in_time;
using tests::value_of;

namespace {

constexpr int batches = 60;

/// Commands on a few streams between a few accounts, so that they meet.
class Source {
public:
    Source(std::uint32_t seed, LedgerId ledger) : seed_(seed), random_(seed), ledger_(ledger) {}

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    std::string address() { return "party:" + std::to_string(below(4)); }
    Stream const& stream() { return known_[below(known_.size())]; }

    /// Mostly a new one, or none; the seeds share a database.
    std::optional<KeyUse> key() {
        if (below(3) == 0) return std::nullopt;
        auto const number = below(4) == 0 ? below(200) : 200 + keys_++;
        return tests::use_of(std::uint64_t{seed_} << 32 | number, below(10) == 0 ? 2 : 1);
    }

    Command command() {
        auto const choice = below(10);
        if (choice == 0) return deposit();
        bool const is_wanted = known_.size() < 40 || below(10) == 0;
        if (known_.empty() || (choice == 1 && is_wanted)) return draft();
        StreamAction const actions[]{StreamAction::start,    StreamAction::start,
                                     StreamAction::pause,    StreamAction::withdraw,
                                     StreamAction::withdraw, StreamAction::withdraw,
                                     StreamAction::stop,     StreamAction::settle,
                                     StreamAction::cancel,   StreamAction::remove};
        auto const& original = stream();
        auto action = actions[below(10)];
        // So that not every stream ends at once.
        bool const is_an_end = action == StreamAction::stop || action == StreamAction::settle ||
                               action == StreamAction::cancel || action == StreamAction::remove;
        if (is_an_end && below(3) != 0) action = StreamAction::withdraw;
        ActOnStream act{ledger_, original, action};
        if (action == StreamAction::withdraw && below(2) == 0)
            act.amount = static_cast<Amount>(1 + below(100));
        return act;
    }

    void learn(Outcome const& outcome) {
        auto const* receipt = std::get_if<Receipt>(&outcome);
        has_replayed_ = has_replayed_ || tests::is_replayed(outcome);
        auto const* streamed = receipt ? std::get_if<Streamed>(&receipt->what) : nullptr;
        if (!streamed) return;
        ++seen_[streamed->stream.status];
        auto const is_it = [&](Stream const& one) { return one.id == streamed->stream.id; };
        if (std::ranges::none_of(known_, is_it)) known_.push_back(streamed->stream);
    }

    /// Everything that a stream can come to.
    bool has_seen_all() const { return seen_.size() == 6; }
    bool has_replayed() const { return has_replayed_; }

private:
    Command deposit() {
        Movement movement{world_address, address(), static_cast<Amount>(1 + below(3'000))};
        return MoveMoney{ledger_, TransferKind::deposit, movement};
    }
    Command draft() {
        auto const total = static_cast<Amount>(1 + below(2'000));
        std::chrono::seconds const duration{1 + below(3'000)};
        std::optional<std::string> label;
        if (below(2) == 0) label = "rent";
        return tests::create_stream(ledger_, address(), address(), total, duration, label);
    }

    std::uint32_t seed_;
    std::mt19937_64 random_;
    LedgerId ledger_;
    std::uint64_t keys_ = 0;
    bool has_replayed_ = false;
    std::vector<Stream> known_;  ///< as they were made
    std::map<StreamStatus, int> seen_;
};

asio::awaitable<void> compare_lists(db::Store& one, db::Store& two, LedgerId ledger,
                                    Source& source) {
    for (int i = 0; i < 60; ++i) {
        db::StreamPage page;
        auto const& some = source.stream();
        page.limit = 1 + source.below(8);
        page.scan_max = 1 + source.below(20);
        if (source.below(2) == 0) page.sender = some.sender.address;
        if (source.below(2) == 0) page.recipient = some.recipient.address;
        if (source.below(2) == 0) page.status = static_cast<StreamStatus>(source.below(6));
        if (source.below(2) == 0) page.before = source.stream().id;
        auto const here = value_of(co_await one.streams().list_streams(ledger, page, in_time()));
        auto const there = value_of(co_await two.streams().list_streams(ledger, page, in_time()));
        BOOST_TEST((here == there), "a page of streams differs");
        auto const found = value_of(co_await one.streams().find_stream(ledger, some.id, in_time()));
        auto const same = value_of(co_await two.streams().find_stream(ledger, some.id, in_time()));
        BOOST_TEST((found == same), "a stream differs");
    }
}

asio::awaitable<void> compare_feeds(db::Store& one, db::Store& two, OrganizationId organization,
                                    Source& source) {
    db::ActivityPage all;
    all.limit = 100'000;
    auto const feed = value_of(co_await one.list_activity(organization, all, in_time()));
    auto const same = value_of(co_await two.list_activity(organization, all, in_time()));
    BOOST_TEST((feed == same), "the feed differs");
    BOOST_TEST_REQUIRE(!feed.empty());
    for (int i = 0; i < 60; ++i) {
        db::ActivityPage page;
        page.limit = 1 + source.below(10);
        auto const& some = feed[source.below(feed.size())];
        if (source.below(2) == 0) page.subject = source.stream().id.to_string();
        if (source.below(3) == 0) page.account = source.address();
        if (source.below(4) == 0) page.account = some.account;
        if (source.below(3) == 0) page.type = some.type;
        if (source.below(2) == 0) page.before = some.id;
        auto const here = value_of(co_await one.list_activity(organization, page, in_time()));
        auto const there = value_of(co_await two.list_activity(organization, page, in_time()));
        BOOST_TEST((here == there), "a page of the feed differs");
    }
}

asio::awaitable<void> check_books(db::Store& store, LedgerId ledger) {
    for (auto const& check : value_of(co_await store.verify(ledger, in_time())))
        BOOST_TEST(check.ok, check.name << ": " << check.detail);
}

/// The same ledger of the same organization in both, with accounts that open by themselves.
asio::awaitable<LedgerId> found_in_both(Driver& first, Driver& second, std::uint32_t seed) {
    std::string const name("streams-" + std::to_string(seed));
    std::vector<Envelope> const founding(1, first.envelope(CreateOrganization{name}));
    auto const founded = co_await first.batch(founding);
    co_await second.batch(founding);
    first.organization = tests::made<Organization>(founded.front()).id;
    CreateLedger create;
    create.draft.name = name;
    create.draft.accounts = AccountPolicy::implicit;
    std::vector<Envelope> const opening(1, first.envelope(create));
    auto const opened = co_await first.batch(opening);
    auto const other = co_await second.batch(opening);
    BOOST_TEST_REQUIRE((opened == other));
    co_return tests::made<Ledger>(opened.front()).id;
}

asio::awaitable<void> differ(Driver& first, Driver& second, db::Store& one, db::Store& two,
                             std::uint32_t seed) {
    auto const ledger = co_await found_in_both(first, second, seed);
    Source source(seed, ledger);
    // Some seeds come late to what is rare; the bound is for what would never come.
    auto const is_enough = [&](int i) {
        bool const has_seen_all = source.has_seen_all() && source.has_replayed();
        return i >= batches && (has_seen_all || i >= 50 * batches);
    };
    for (int i = 0; !is_enough(i); ++i) {
        // A clock may be behind that of the server before.
        first.at.ms += static_cast<std::int64_t>(source.below(200'000)) - 20'000;
        second.at = first.at;
        std::vector<Envelope> envelopes;
        for (auto left = 1 + source.below(8); left > 0; --left) {
            auto command = source.command();
            envelopes.push_back(first.envelope(std::move(command), source.key()));
        }
        if (source.below(10) == 0) {
            co_await first.abandoned(envelopes);
            co_await second.abandoned(envelopes);
            continue;
        }
        auto const outcomes = co_await first.batch(envelopes);
        auto const others = co_await second.batch(envelopes);
        BOOST_TEST_REQUIRE((outcomes == others), "outcomes of batch " << i << " differ");
        for (auto const& outcome : outcomes) source.learn(outcome);
        co_await check_books(one, ledger);
    }
    BOOST_TEST(source.has_seen_all());
    BOOST_TEST(source.has_replayed());
    co_await compare_lists(one, two, ledger, source);
    co_await compare_feeds(one, two, first.organization, source);
    co_await check_books(two, ledger);
}

/// Commits what was prepared, if need be on what another server has left meanwhile.
asio::awaitable<std::vector<Outcome>> commit_or_decide_again(Driver& server,
                                                             std::vector<Envelope> batch,
                                                             Driver::Prepared prepared) {
    auto error = co_await server.commit(prepared);
    if (error == db::Errc::retry_transaction) {
        prepared = co_await server.prepare(std::move(batch));
        error = co_await server.commit(prepared);
    }
    BOOST_REQUIRE_MESSAGE(!error, error.message());
    co_return prepared.outcomes;
}

/// Two servers whose clocks disagree act on the same streams: each decides on what the other is
/// about to change.
asio::awaitable<void> overlap(Driver& first, Driver& second, db::Store& store, db::Store&,
                              std::uint32_t seed) {
    CreateLedger create;
    create.draft.name = "overlapping";
    create.draft.accounts = AccountPolicy::implicit;
    auto const ledger = tests::made<Ledger>(co_await first.one(create)).id;
    Source source(seed, ledger);
    auto const batch_of = [&](Driver& server) {
        std::vector<Envelope> batch;
        for (auto left = 1 + source.below(8); left > 0; --left)
            batch.push_back(server.envelope(source.command()));
        return batch;
    };
    auto const is_enough = [&](int i) {
        return i >= batches && (source.has_seen_all() || i >= 50 * batches);
    };
    for (int i = 0; !is_enough(i); ++i) {
        first.at.ms += static_cast<std::int64_t>(source.below(200'000));
        second.at.ms = first.at.ms + static_cast<std::int64_t>(source.below(20'000)) - 10'000;
        auto const slow = batch_of(first);
        auto const fast = batch_of(second);
        auto const prepared = co_await first.prepare(slow);
        for (auto const& outcome : co_await second.batch(fast)) source.learn(outcome);
        auto const outcomes = co_await commit_or_decide_again(first, slow, prepared);
        for (auto const& outcome : outcomes) source.learn(outcome);
        co_await check_books(store, ledger);
    }
    BOOST_TEST(source.has_seen_all());
}

using Body = asio::awaitable<void> (*)(Driver&, Driver&, db::Store&, db::Store&, std::uint32_t);

asio::awaitable<void> with_drivers(db::Store& one, db::Store& two, std::uint32_t seed, Body body) {
    auto const executor = co_await asio::this_coro::executor;
    Driver first(executor, one);
    Driver second(executor, two);
    std::exception_ptr failure;
    try {
        co_await body(first, second, one, two, seed);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await first.finish();
    co_await second.finish();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_store)

BOOST_AUTO_TEST_CASE(the_one_in_memory_keeps_every_rule) {
    tests::keep_in_memory(tests::stream_rules());
}

BOOST_AUTO_TEST_CASE(the_one_in_postgresql_keeps_every_rule) {
    tests::keep_in_postgresql(tests::stream_rules());
}

BOOST_AUTO_TEST_CASE(both_agree_whatever_is_done_to_their_streams) {
    tests::MigratedDatabase database;
    std::random_device device;
    for (std::uint32_t const seed : {1u, 2u, static_cast<std::uint32_t>(device())}) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            asio::io_context context{1};
            db::MemoryStore memory;
            db::PostgresStore postgres(context.get_executor(), database.store_options());
            auto body = [&]() -> asio::awaitable<void> {
                co_await with_drivers(memory, postgres, seed, differ);
            };
            tests::run_beside(context, postgres, body);
        }
    }
}

BOOST_AUTO_TEST_CASE(servers_that_overtake_each_other_leave_sound_books) {
    std::random_device device;
    for (std::uint32_t const seed : {1u, 2u, 3u, static_cast<std::uint32_t>(device())}) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            db::MemoryStore store;
            auto body = [&]() -> asio::awaitable<void> {
                co_await with_drivers(store, store, seed, overlap);
            };
            tests::run(body);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
