// A migrated database with a living PostgresStore on it, and books to write into it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "db/migration.hpp"
#include "db/migrations.hpp"
#include "db/postgres_store.hpp"
#include "tests/db/pg/with_session.hpp"

namespace penstock::tests {

/// A database of the test's own with the program's schema.
class MigratedDatabase : public Database {
public:
    MigratedDatabase() : MigratedDatabase(server_url()) {}
    explicit MigratedDatabase(std::string url) : Database(std::move(url)) {
        auto body = [this]() -> asio::awaitable<void> {
            auto const report = co_await db::migrate(address(), db::migrations::all, soon());
            BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().message);
        };
        run(body);
    }

    db::PostgresOptions store_options() const {
        db::PostgresOptions options(address());
        options.backoff = fast_backoff();
        return options;
    }
};

/// A writer with its connection, for as long as the object lives; close() before it goes.
class LivingWriter {
public:
    LivingWriter(asio::any_io_executor executor, db::Store& store)
        : writer_(store.make_writer()), tasks_(executor) {
        tasks_.spawn(writer_->run());
    }

    db::Writer* operator->() const { return writer_.get(); }

    asio::awaitable<void> close() {
        tasks_.cancel();
        co_await tasks_.join();
    }

private:
    std::unique_ptr<db::Writer> writer_;
    reactor::TaskGroup tasks_;
};

/// body(db::Store&, LivingWriter&, LivingWriter&) beside a living store.
template <class Body>
void with_store(db::PostgresOptions options, Body body) {
    asio::io_context context{1};
    db::PostgresStore store(context.get_executor(), std::move(options));
    auto whole = [&]() -> asio::awaitable<void> {
        LivingWriter one(context.get_executor(), store);
        LivingWriter two(context.get_executor(), store);
        std::exception_ptr failure;
        try {
            co_await body(store, one, two);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await one.close();
        co_await two.close();
        if (failure) std::rethrow_exception(failure);
    };
    run_beside(context, store, whole);
}

/// Ids and rows of one ledger, kept as the rules would keep them.
class Books {
public:
    explicit Books(std::string name) {
        ledger.id = {next()};
        ledger.name = std::move(name);
        ledger.asset_code = "EUR";
        ledger.asset_scale = 2;
        ledger.created_at = now;
        open("@world");
    }

    static domain::Uuid next() {
        static std::uint32_t ordinal = 0;
        ++ordinal;
        return domain::make_uuid7(now, ordinal, ordinal);
    }

    domain::Account& open(std::string const& address) {
        auto& account = accounts[address];
        account.id = {next()};
        account.ledger = ledger.id;
        account.address = address;
        account.created_at = account.standing.updated_at = now;
        return account;
    }

    domain::Transfer book(std::string const& from, std::string const& to, domain::Amount amount,
                          domain::TransferKind kind = domain::TransferKind::transfer) {
        domain::Transfer transfer;
        transfer.id = {next()};
        transfer.ledger = ledger.id;
        transfer.kind = kind;
        transfer.amount = amount;
        transfer.from = moved(from, -amount);
        transfer.to = moved(to, amount);
        return transfer;
    }

    domain::Total total(std::vector<domain::Transfer> const& transfers, domain::TransferKind kind) {
        domain::Total total{ledger.id, domain::total_kind_of(kind), 0, 0};
        for (auto const& transfer : transfers) {
            if (transfer.kind != kind) continue;
            ++total.count;
            total.amount += transfer.amount;
        }
        return total;
    }

    domain::AccountName name(std::string const& address) const { return {ledger.id, address}; }

    domain::KeySet keys() const {
        domain::KeySet keys;
        keys.ledgers.insert(ledger.id);
        for (auto const& [address, account] : accounts) keys.accounts.insert(name(address));
        return keys;
    }

    std::vector<domain::Account> all_accounts() const {
        std::vector<domain::Account> all;
        for (auto const& [address, account] : accounts) all.push_back(account);
        return all;
    }

    static inline domain::Instant now{1'700'000'000'000};
    domain::Ledger ledger;
    std::map<std::string, domain::Account> accounts;

private:
    domain::Leg moved(std::string const& address, domain::Amount change) {
        auto& account = accounts.at(address);
        account.standing.balance += change;
        ++account.standing.version;
        account.standing.updated_at = now;
        return {account.id, address, account.standing.balance, account.standing.version};
    }
};

inline domain::KeyUse some_key() {
    domain::KeyUse use{{Books::next()}, {}};
    std::copy_n(use.key.value.bytes.begin(), 16, use.fingerprint.begin() + 8);
    return use;
}

/// load() and commit() in one; both must succeed.
inline asio::awaitable<void> write(LivingWriter& writer, domain::KeySet keys,
                                   domain::Changes changes) {
    auto const loaded = co_await writer->load(std::move(keys), soon());
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message());
    auto const error = co_await writer->commit(std::move(changes), soon());
    BOOST_REQUIRE_MESSAGE(!error, error.message());
}

/// The ledger and its accounts, in their present standing.
inline asio::awaitable<void> found(LivingWriter& writer, Books& books) {
    domain::Changes changes;
    changes.new_ledgers.push_back(books.ledger);
    changes.new_accounts = books.all_accounts();
    co_await write(writer, domain::KeySet(), std::move(changes));
}

}  // namespace penstock::tests
