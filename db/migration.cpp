#include "db/migration.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "db/pg/connection.hpp"
#include "db/pg/plain_connection.hpp"
#include "domain/assert.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::db {
namespace {

// "penstock" in ASCII: the session advisory lock that one migrating server holds.
constexpr char const* take_lock = "SELECT pg_advisory_lock(8099000947049456491)";

constexpr char const* create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version integer PRIMARY KEY,"
    " name text NOT NULL,"
    " checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

struct Applied {
    int version;
    std::string name;
    std::string checksum;
};

/// "m0001_init" is version 1, "0001_init" in the table and in messages.
std::string_view shown(Migration const& migration) {
    auto name = migration.name;
    if (name.starts_with('m')) name.remove_prefix(1);
    return name;
}

int version_of(Migration const& migration) {
    auto const name = shown(migration);
    int version = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
    PENSTOCK_ASSERT(error == std::errc());
    PENSTOCK_ASSERT(end != name.data() + name.size() && *end == '_');
    return version;
}

void require_order(Migrations migrations) {
    int expected = 1;
    for (auto const* migration : migrations) PENSTOCK_ASSERT(version_of(*migration) == expected++);
}

pg::Failure mismatch(std::string message) {
    return pg::failure_of(Errc::schema_mismatch, std::move(message));
}

/// What this program and the database disagree about, if anything.
std::optional<pg::Failure> disagreement(std::vector<Applied> const& applied,
                                        Migrations migrations) {
    int expected = 1;
    for (auto const& row : applied) {
        if (row.version > static_cast<int>(migrations.size()))
            return mismatch("the database has migration " + row.name +
                            ", which this program does not know: it needs a newer program");
        if (row.version != expected++)
            return mismatch("the database lacks a migration before " + row.name);
        auto const& known = *migrations[static_cast<std::size_t>(row.version) - 1];
        if (row.name != shown(known) || row.checksum != checksum_of(known))
            return mismatch("migration " + row.name + " in the database is not the " +
                            std::string(shown(known)) + " of this program: it was changed");
    }
    return std::nullopt;
}

std::vector<Applied> read_applied(pg::Rows const& rows) {
    std::vector<Applied> applied;
    for (auto const row : rows) {
        Applied one;
        auto const digits = row.text(0);
        std::from_chars(digits.data(), digits.data() + digits.size(), one.version);
        one.name = row.text(1);
        one.checksum = row.text(2);
        applied.push_back(std::move(one));
    }
    return applied;
}

/// One connection that migrates or looks.
class Migrator {
public:
    Migrator(asio::any_io_executor executor, pg::ConnectionHandle dialled, SteadyTime deadline)
        : connection_(std::move(executor), std::move(dialled)), deadline_(deadline) {}

    asio::awaitable<pg::Answer<MigrationReport>> migrate(Migrations migrations) {
        auto locked = co_await connection_.script(take_lock, deadline_);
        if (!locked) co_return explained(locked.error(), "another server is migrating");
        auto created = co_await connection_.script(create_table, deadline_);
        if (!created) co_return explained(created.error(), "schema_migrations");
        auto report = co_await look(migrations);
        if (!report) co_return report.error();
        auto const done = static_cast<std::size_t>(report->version_before);
        for (auto const* migration : migrations.subspan(done)) {
            auto const failure = co_await apply(*migration);
            if (failure) co_return explained(*failure, std::string(shown(*migration)));
            report->applied.emplace_back(shown(*migration));
            report->version_after = version_of(*migration);
        }
        co_return co_await identified(std::move(*report));
    }

    asio::awaitable<pg::Answer<MigrationReport>> check(Migrations migrations) {
        auto report = co_await look(migrations);
        if (!report) co_return report.error();
        auto const done = static_cast<std::size_t>(report->version_before);
        if (done == migrations.size()) co_return co_await identified(std::move(*report));
        co_return mismatch("the database lacks migration " + std::string(shown(*migrations[done])) +
                           ": run `penstock migrate`");
    }

private:
    asio::awaitable<pg::Answer<MigrationReport>> look(Migrations migrations) {
        MigrationReport report;
        auto table =
            co_await connection_.script("SELECT to_regclass('schema_migrations')", deadline_);
        if (!table) co_return explained(table.error(), "schema_migrations");
        if ((*table)[0].is_null(0)) co_return report;
        auto rows = co_await connection_.script(
            "SELECT version, name, checksum FROM schema_migrations ORDER BY version", deadline_);
        if (!rows) co_return explained(rows.error(), "schema_migrations");
        auto const read = [&] { return read_applied(*rows); };
        auto applied = pg::decoded(read);
        if (!applied) co_return mismatch("schema_migrations cannot be read");
        auto const wrong = disagreement(*applied, migrations);
        if (wrong) co_return *wrong;
        report.version_before = static_cast<int>(applied->size());
        report.version_after = report.version_before;
        co_return report;
    }

    asio::awaitable<pg::Answer<MigrationReport>> identified(MigrationReport report) {
        auto row = co_await connection_.script(
            "SELECT d.oid || '/' || extract(epoch FROM m.applied_at)"
            " FROM pg_database d, schema_migrations m"
            " WHERE d.datname = current_database() AND m.version = 1",
            deadline_);
        if (!row) co_return explained(row.error(), "schema_migrations");
        if (row->size() == 1) report.identity = (*row)[0].text(0);
        co_return report;
    }

    asio::awaitable<std::optional<pg::Failure>> apply(Migration const& migration) {
        auto begun = co_await connection_.script("BEGIN", deadline_);
        if (!begun) co_return begun.error();
        auto done = co_await connection_.script(std::string(migration.text), deadline_);
        if (!done) co_return done.error();
        // A COMMIT inside the text would have torn it from its row in schema_migrations.
        if (!connection_.in_transaction())
            co_return pg::failure_of(Errc::refused_by_database, "it ends its own transaction");
        std::vector<std::string> row;
        row.push_back(std::to_string(version_of(migration)));
        row.emplace_back(shown(migration));
        row.push_back(checksum_of(migration));
        auto noted = co_await connection_.query(
            "INSERT INTO schema_migrations (version, name, checksum)"
            " VALUES ($1::int, $2, $3)",
            std::move(row), deadline_);
        if (!noted) co_return noted.error();
        auto committed = co_await connection_.script("COMMIT", deadline_);
        if (!committed) co_return committed.error();
        co_return std::nullopt;
    }

    static pg::Failure explained(pg::Failure failure, std::string const& what) {
        if (failure.code == reactor::Errc::deadline_exceeded) {
            failure.code = Errc::unavailable;
            failure.message = "not done before the deadline";
        }
        failure.message = what + ": " + failure.message;
        return failure;
    }

    pg::PlainConnection connection_;
    SteadyTime deadline_;
};

asio::awaitable<pg::Answer<pg::ConnectionHandle>> dial_for_migration(pg::Address address,
                                                                     SteadyTime deadline) {
    auto const left = std::chrono::ceil<milliseconds>(deadline - steady_now());
    pg::ConnectionOptions options(std::move(address));
    options.application_name = "penstock-migrate";
    // The one limit is the caller's: building an index may take longer than any request.
    milliseconds const most = std::chrono::hours{24};  // the setting is an int of milliseconds
    options.statement_timeout = std::clamp(left, milliseconds{1}, most);
    options.lock_timeout = options.statement_timeout;
    options.idle_in_transaction_max = options.statement_timeout;
    auto const attempt_ends = std::min(deadline, steady_now() + options.connect_max);
    co_return co_await pg::dial(std::move(options), attempt_ends);
}

}  // namespace

asio::awaitable<pg::Answer<MigrationReport>> migrate(pg::Address address, Migrations migrations,
                                                     SteadyTime deadline) {
    require_order(migrations);
    auto const executor = co_await asio::this_coro::executor;
    auto dialled = co_await dial_for_migration(std::move(address), deadline);
    if (!dialled) co_return dialled.error();
    Migrator migrator(executor, std::move(*dialled), deadline);
    co_return co_await migrator.migrate(migrations);
}

asio::awaitable<pg::Answer<MigrationReport>> check_schema(pg::Address address,
                                                          Migrations migrations,
                                                          SteadyTime deadline) {
    require_order(migrations);
    auto const executor = co_await asio::this_coro::executor;
    auto dialled = co_await dial_for_migration(std::move(address), deadline);
    if (!dialled) co_return dialled.error();
    Migrator migrator(executor, std::move(*dialled), deadline);
    co_return co_await migrator.check(migrations);
}

std::string checksum_of(Migration const& migration) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    int const done = EVP_Digest(migration.text.data(), migration.text.size(), digest, &size,
                                EVP_sha256(), nullptr);
    PENSTOCK_ASSERT(done == 1);
    std::string hex;
    for (unsigned int i = 0; i < size; ++i) {
        hex += "0123456789abcdef"[digest[i] >> 4];
        hex += "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

}  // namespace penstock::db
