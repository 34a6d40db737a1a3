// What a writer does when others write too, and when the connection is lost in the middle.
#include "db/postgres_writer.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/db/pg/proxied.hpp"
#include "tests/db/postgres_fixture.hpp"

using namespace penstock;
using namespace penstock::domain;
using db::Errc;
using tests::Books;
using tests::Fault;
using tests::FaultProxy;
using tests::found;
using tests::LivingWriter;
using tests::server_place;
using tests::soon;
using tests::Way;
using tests::with_store;

namespace {

tests::MigratedDatabase& database() {
    static tests::MigratedDatabase instance;
    return instance;
}

db::PostgresOptions through(FaultProxy const& proxy) {
    db::PostgresOptions options(tests::address_through(proxy, database().name()));
    options.backoff = tests::fast_backoff();
    return options;
}

/// One deposit of 100 on a's account.
Changes deposit(Books& books) {
    Changes changes;
    changes.transfers.push_back(books.book("@world", "a", 100, TransferKind::deposit));
    changes.totals.push_back(books.total(changes.transfers, TransferKind::deposit));
    changes.changed_accounts = books.all_accounts();
    return changes;
}

std::string transfers_in(Books const& books) {
    auto const id = books.ledger.id.to_string();
    return database().connect()("SELECT count(*) FROM transfers WHERE ledger_id = '" + id + "'");
}

asio::awaitable<void> load_all(LivingWriter& writer, Books const& books) {
    auto const loaded = co_await writer->load(books.keys(), soon());
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message());
}

/// The writer can still do its work.
asio::awaitable<void> require_usable(LivingWriter& writer, Books const& books) {
    co_await load_all(writer, books);
    co_await writer->abandon();
}

/// A database on a server that may crash, with a store behind a proxy.
struct Crashing {
    void crash() {
        cluster.stop_immediately();
        cluster.start();
    }
    db::PostgresOptions options() const {
        db::PostgresOptions all(tests::address_through(proxy, database.name()));
        all.backoff = tests::fast_backoff();
        return all;
    }
    std::string transfers() const { return database.connect()("SELECT count(*) FROM transfers"); }
    /// The number of the transaction that the one writer at work has open.
    std::string open_number() const {
        return database.connect()(
            "SELECT backend_xid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_xid IS NOT NULL");
    }
    /// False: the first number after the crash is beyond that one.
    bool give_again(std::string const& number) const {
        auto sql = database.connect();
        for (;;) {
            sql("BEGIN");
            auto const next = sql("SELECT pg_current_xact_id()");
            sql("SELECT pg_logical_emit_message(true, 'test', '')");
            sql("COMMIT");
            if (next == number) return true;
            if (std::stoull(next) > std::stoull(number)) return false;
        }
    }

    // What a batch locks does not reach the log by itself.
    tests::Cluster cluster{"-c wal_writer_delay=10s"};
    tests::MigratedDatabase database{cluster.url()};
    FaultProxy proxy{FaultProxy::Place::tcp(),
                     FaultProxy::Place::unix_socket(cluster.directory() + "/.s.PGSQL.5432")};
};

/// Commits `changes` and loses the connection before the answer, once `there` holds and after
/// `then`.
template <class There, class Then>
asio::awaitable<error_code> commit_unanswered(FaultProxy& proxy, LivingWriter& one, Changes changes,
                                              There there, Then then) {
    proxy.set(Way::to_client, Fault::Kind::swallow);
    std::optional<error_code> error;
    auto commit = [&]() -> asio::awaitable<void> {
        error = co_await one->commit(std::move(changes), soon());
    };
    auto const executor = co_await asio::this_coro::executor;
    reactor::TaskGroup tasks(executor);
    tasks.spawn(commit());
    co_await tests::eventually(there);
    BOOST_TEST(!error.has_value());
    then();
    proxy.heal();
    proxy.cut_all();
    co_await tasks.join(soon());
    BOOST_REQUIRE(error.has_value());
    co_return *error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(postgres_writer)

BOOST_AUTO_TEST_CASE(a_commit_whose_answer_was_lost_is_found_to_be_durable) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("answer_lost");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        auto const there = [&] { return transfers_in(books) == "1"; };
        auto const nothing = [] {};
        auto const error = co_await commit_unanswered(proxy, one, deposit(books), there, nothing);
        BOOST_TEST(!error, error.message());
        BOOST_TEST(transfers_in(books) == "1");
        co_await require_usable(one, books);
    };
    with_store(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(a_commit_that_never_arrived_is_found_to_be_lost) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("never_arrived");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        proxy.set(Way::to_server, Fault::Kind::cut);
        auto const error = co_await one->commit(deposit(books), soon());
        BOOST_TEST((error == Errc::connection_lost), error.message());
        BOOST_TEST(transfers_in(books) == "0");
        co_await require_usable(one, books);
    };
    with_store(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(a_commit_is_unknown_when_the_server_cannot_be_asked_in_time) {
    FaultProxy proxy(FaultProxy::Place::tcp(), server_place());
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("cannot_be_asked");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        proxy.refuse();
        proxy.set(Way::to_client, Fault::Kind::cut);
        auto const deadline = steady_now() + milliseconds{300};
        auto const error = co_await one->commit(deposit(books), deadline);
        BOOST_TEST((error == Errc::commit_unknown), error.message());
        proxy.heal();
        co_await require_usable(one, books);
    };
    with_store(through(proxy), body);
}

BOOST_AUTO_TEST_CASE(nothing_is_applied_when_the_connection_ends_between_load_and_commit) {
    auto sql = database().connect();
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("ends_between");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'");
        sql.await(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'",
            "0");
        auto const error = co_await one->commit(deposit(books), soon());
        BOOST_TEST((error == Errc::connection_lost), error.message());
        BOOST_TEST(transfers_in(books) == "0");
        co_await require_usable(one, books);
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_load_waits_for_the_account_and_then_sees_the_other_batch_and_its_key) {
    auto sql = database().connect();
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter& two) -> asio::awaitable<void> {
        Books books("waits");
        books.open("a");
        co_await found(one, books);
        auto const key = tests::some_key();
        auto keys = books.keys();
        keys.keys.insert(key.key);
        auto const first = co_await one->load(keys, soon());
        BOOST_TEST_REQUIRE(first.has_value());
        BOOST_TEST(first->keys.empty());

        std::optional<Result<Loaded>> second;
        auto load = [&]() -> asio::awaitable<void> { second = co_await two->load(keys, soon()); };
        auto const executor = co_await asio::this_coro::executor;
        reactor::TaskGroup tasks(executor);
        tasks.spawn(load());
        co_await tests::eventually([&] {
            return sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
                       " (SELECT oid FROM pg_database WHERE datname = current_database())"
                       " OR (NOT granted AND locktype = 'transactionid')") != "0";
        });
        BOOST_TEST(!second.has_value());
        auto changes = deposit(books);
        changes.transfers.front().key_use = key;
        auto const error = co_await one->commit(changes, soon());
        BOOST_TEST(!error, error.message());
        co_await tasks.join(soon());

        BOOST_TEST_REQUIRE((second.has_value() && second->has_value()));
        auto const& loaded = **second;
        BOOST_TEST_REQUIRE(loaded.keys.size() == 1u);
        BOOST_TEST((std::get<0>(loaded.keys.front().second.made) == changes.transfers.front()));
        auto accounts = loaded.accounts;
        auto const by_address = [](auto const& a, auto const& b) { return a.address < b.address; };
        std::sort(accounts.begin(), accounts.end(), by_address);
        BOOST_TEST((accounts == books.all_accounts()));
        co_await two->abandon();
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_key_that_another_batch_just_took_means_try_again) {
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter& two) -> asio::awaitable<void> {
        Books books("just_taken");
        for (auto const* address : {"a", "b", "c", "d"}) books.open(address);
        co_await found(one, books);
        auto const key = tests::some_key();
        KeySet keys;
        keys.ledgers.insert(books.ledger.id);
        keys.keys.insert(key.key);
        auto const first = co_await one->load(keys, soon());
        auto const second = co_await two->load(keys, soon());
        BOOST_TEST_REQUIRE((first.has_value() && second.has_value()));
        Changes changes, others;
        changes.transfers.push_back(books.book("a", "b", 1));
        changes.transfers.back().key_use = key;
        others.transfers.push_back(books.book("c", "d", 1));
        others.transfers.back().key_use = key;
        auto const error = co_await one->commit(changes, soon());
        BOOST_TEST(!error, error.message());
        auto const refused = co_await two->commit(others, soon());
        BOOST_TEST((refused == Errc::retry_transaction), refused.message());
        BOOST_TEST(transfers_in(books) == "1");
        co_await require_usable(two, books);
    };
    with_store(database().store_options(), body);
}

BOOST_AUTO_TEST_CASE(a_lock_that_does_not_come_means_try_again) {
    auto options = database().store_options();
    options.connection.lock_timeout = milliseconds{50};
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter& two) -> asio::awaitable<void> {
        Books books("lock_timeout");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        auto const second = co_await two->load(books.keys(), soon());
        BOOST_TEST_REQUIRE(!second.has_value());
        BOOST_TEST((second.error() == Errc::retry_transaction), second.error().message());
        co_await one->abandon();
        co_await require_usable(two, books);
    };
    with_store(options, body);
}

BOOST_AUTO_TEST_CASE(a_row_that_the_schema_refuses_is_refused_and_reported) {
    auto options = database().store_options();
    std::vector<std::string> constraints;
    options.on_failure = [&](auto const& failure) { constraints.push_back(failure.constraint); };
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("refused");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        auto changes = deposit(books);
        changes.transfers.front().amount = 0;
        auto const error = co_await one->commit(changes, soon());
        BOOST_TEST((error == Errc::refused_by_database), error.message());
        BOOST_TEST_REQUIRE(constraints.size() == 1u);
        BOOST_TEST(constraints.front() == "transfers_amount_check");
        co_await require_usable(one, books);
    };
    with_store(options, body);
}

BOOST_AUTO_TEST_CASE(a_ledger_in_use_is_not_locked_exclusively_until_the_batch_has_ended) {
    auto options = database().store_options();
    options.connection.lock_timeout = milliseconds{50};
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter& two) -> asio::awaitable<void> {
        Books books("in_use");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        KeySet exclusive;
        exclusive.ledgers_exclusive.insert(books.ledger.id);
        auto const early = co_await two->load(exclusive, soon());
        BOOST_TEST((early.error() == Errc::retry_transaction));
        auto const error = co_await one->commit(deposit(books), soon());
        BOOST_TEST(!error, error.message());
        auto const later = co_await two->load(exclusive, soon());
        BOOST_TEST_REQUIRE(later.has_value());
        BOOST_TEST(later->ledgers.size() == 1u);
        BOOST_TEST(later->ledgers_not_empty.contains(books.ledger.id));
        co_await two->abandon();
    };
    with_store(options, body);
}

BOOST_AUTO_TEST_CASE(a_commit_that_outlived_the_crash_of_its_server_is_found_there) {
    Crashing server;
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("outlived");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        auto const there = [&] { return server.transfers() == "1"; };
        auto const crash = [&] { server.crash(); };
        auto const error =
            co_await commit_unanswered(server.proxy, one, deposit(books), there, crash);
        BOOST_TEST(!error, error.message());
        BOOST_TEST(server.transfers() == "1");
        co_await require_usable(one, books);
    };
    with_store(server.options(), body);
}

BOOST_AUTO_TEST_CASE(a_commit_without_a_trace_of_its_own_is_unknown_after_a_crash) {
    Crashing server;
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("no_trace");
        books.open("a");
        co_await found(one, books);
        co_await load_all(one, books);
        books.accounts.at("a").standing.version = 7;
        Changes changes;
        changes.changed_accounts.push_back(books.accounts.at("a"));
        auto const there = [&] {
            auto const sql = "SELECT count(*) FROM accounts WHERE version = 7";
            return server.database.connect()(sql) == "1";
        };
        auto const crash = [&] { server.crash(); };
        auto const error =
            co_await commit_unanswered(server.proxy, one, std::move(changes), there, crash);
        BOOST_TEST((error == Errc::commit_unknown), error.message());
        co_await require_usable(one, books);
    };
    with_store(server.options(), body);
}

BOOST_AUTO_TEST_CASE(another_transaction_with_its_number_after_a_crash_is_not_its_commit) {
    Crashing server;
    auto body = [&](db::Store&, LivingWriter& one, LivingWriter&) -> asio::awaitable<void> {
        Books books("number_again");
        books.open("a");
        co_await found(one, books);
        bool again = false;
        for (int i = 0; i < 10 && !again; ++i) {
            co_await tests::eventually([&] { return server.open_number().empty(); });
            co_await load_all(one, books);
            auto const number = server.open_number();
            BOOST_TEST_REQUIRE(!number.empty());
            server.crash();
            again = server.give_again(number);
            // It does not know of the crash yet when it sends its COMMIT.
            auto const error = co_await one->commit(deposit(books), soon());
            BOOST_TEST((error == Errc::connection_lost), error.message());
            BOOST_TEST(server.transfers() == "0");
        }
        BOOST_TEST(again);
        co_await require_usable(one, books);
    };
    with_store(server.options(), body);
}

BOOST_AUTO_TEST_SUITE_END()
