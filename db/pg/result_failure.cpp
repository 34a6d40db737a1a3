#include "db/pg/result_failure.hpp"

#include <libpq-fe.h>

#include <string_view>

namespace penstock::db::pg {
namespace {

std::string field(PGresult const* result, int code) {
    auto const* value = PQresultErrorField(result, code);
    return value != nullptr ? value : "";
}

std::string one_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    std::string line(text);
    for (auto& c : line)
        if (c == '\n' || c == '\t') c = ' ';
    return line;
}

}  // namespace

Failure failure_of(PGresult const* result) {
    Failure failure;
    failure.sqlstate = field(result, PG_DIAG_SQLSTATE);
    failure.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
    auto const severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool const fatal = severity == "FATAL" || severity == "PANIC";
    failure.code = reaction_to(failure.sqlstate, fatal);
    failure.message = one_line(field(result, PG_DIAG_MESSAGE_PRIMARY));
    // Without a primary message it is libpq speaking, about the connection.
    if (failure.message.empty()) failure.message = one_line(PQresultErrorMessage(result));
    return failure;
}

std::string last_words(PGconn const* connection) { return one_line(PQerrorMessage(connection)); }

}  // namespace penstock::db::pg
