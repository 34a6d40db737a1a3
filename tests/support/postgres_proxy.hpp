// PostgreSQL as somebody sees it who has a bad network between.
#pragma once

#include <string>

#include "tests/db/pg/database.hpp"
#include "tests/support/fault_proxy.hpp"

namespace penstock::tests {

/// Where the server that the environment names listens.
inline FaultProxy::Place postgres_place() {
    Operator sql(Database::server_url());
    auto const directories = sql("SHOW unix_socket_directories");
    auto const first = directories.substr(0, directories.find(','));
    return FaultProxy::Place::unix_socket(first + "/.s.PGSQL." + sql("SHOW port"));
}

/// That database behind the proxy. Without TLS: the proxy counts and cuts what is said.
inline std::string url_through(FaultProxy const& proxy, Database const& database) {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + '/' +
           database.name() + "?sslmode=disable";
}

}  // namespace penstock::tests
