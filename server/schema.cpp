// The database before the program serves.
#include "server/schema.hpp"

#include <stdexcept>

#include "db/migrations.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"

namespace penstock::server {
namespace {

/// A migration may rewrite a large table.
constexpr std::chrono::minutes migration_max{10};
constexpr std::chrono::seconds check_max{15};

db::MigrationReport report_of(db::pg::Answer<db::MigrationReport> answer) {
    if (answer) return *answer;
    auto const& failure = answer.error();
    throw std::runtime_error("The database's schema is not ready: " + failure.code.message() +
                             (failure.message.empty() ? "" : ": " + failure.message));
}

}  // namespace

db::pg::Address database_address(std::string const& url) {
    auto address = db::pg::Address::parse(url);
    if (!address)
        throw UnusableOptions("--database-url must be a URL like postgresql://user@host/database");
    return *address;
}

db::MigrationReport migrate_database(std::string const& url) {
    auto const deadline = steady_now() + migration_max;
    return report_of(run_to_end(db::migrate(database_address(url), db::migrations::all, deadline)));
}

db::MigrationReport check_database(std::string const& url) {
    auto const deadline = steady_now() + check_max;
    return report_of(
        run_to_end(db::check_schema(database_address(url), db::migrations::all, deadline)));
}

std::string describe_database(std::string const& url) { return database_address(url).describe(); }

}  // namespace penstock::server
