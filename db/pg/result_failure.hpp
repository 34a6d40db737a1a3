// What went wrong, read from libpq's objects. Included by pg/*.cpp only.
#pragma once

#include <string>

#include "db/pg/error.hpp"

struct pg_conn;
struct pg_result;

namespace penstock::db::pg {

/// From the fields of an error result, never from the connection's last message.
Failure failure_of(::pg_result const* result);

/// libpq's own words about a connection that it gave up, in one line.
std::string last_words(::pg_conn const* connection);

}  // namespace penstock::db::pg
