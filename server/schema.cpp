// The database before the program serves.
#include "server/schema.hpp"

#include <stdexcept>

#include "db/migrations.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"

namespace penstock::server {
namespace {

constexpr std::chrono::seconds check_max{15};

db::MigrationReport report_of(db::pg::Answer<db::MigrationReport> answer) {
    if (answer) return *answer;
    auto const& failure = answer.error();
    throw std::runtime_error("The database's schema is not ready: " + failure.code.message() +
                             (failure.message.empty() ? "" : ": " + failure.message));
}

}  // namespace

db::pg::Address database_address(std::string const& url, char const* option) {
    auto address = db::pg::Address::parse(url);
    if (!address)
        throw UnusableOptions(std::string(option) +
                              " must be a URL like postgresql://user@host/database");
    return *address;
}

db::MigrationReport migrate_database(db::pg::Address const& address, milliseconds limit) {
    return report_of(run_to_end(db::migrate(address, db::migrations::all, steady_now() + limit)));
}

db::MigrationReport migrate_database(std::string const& url) {
    return migrate_database(database_address(url));
}

db::MigrationReport check_database(db::pg::Address const& address) {
    auto const deadline = steady_now() + check_max;
    return report_of(run_to_end(db::check_schema(address, db::migrations::all, deadline)));
}

db::MigrationReport check_database(std::string const& url) {
    return check_database(database_address(url));
}

std::string describe_database(std::string const& url) { return database_address(url).describe(); }

}  // namespace penstock::server
