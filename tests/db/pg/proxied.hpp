// The test server behind a proxy that breaks what passes.
#pragma once

#include <string>

#include "db/pg/address.hpp"
#include "tests/db/pg/database.hpp"
#include "tests/support/fault_proxy.hpp"

namespace penstock::tests {

/// Where the test's server listens.
inline FaultProxy::Place server_place() {
    Operator sql(Database::server_url());
    auto const directories = sql("SHOW unix_socket_directories");
    auto const first = directories.substr(0, directories.find(','));
    return FaultProxy::Place::unix_socket(first + "/.s.PGSQL." + sql("SHOW port"));
}

/// The way to a database of it that leads through the proxy.
inline db::pg::Address address_through(FaultProxy const& proxy, std::string const& database) {
    auto const url = "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + '/' +
                     database + "?sslmode=disable";
    return db::pg::Address::parse(url).value();
}

}  // namespace penstock::tests
