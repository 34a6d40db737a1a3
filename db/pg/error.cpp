#include "db/pg/error.hpp"

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>
#include <utility>

namespace penstock::db {
namespace {

class Category final : public boost::system::error_category {
public:
    char const* name() const noexcept override { return "penstock.db"; }
    std::string message(int value) const override {
        switch (static_cast<Errc>(value)) {
            case Errc::retry_transaction:
                return "retry_transaction";
            case Errc::refused_by_database:
                return "refused_by_database";
            case Errc::connection_lost:
                return "connection_lost";
            case Errc::commit_unknown:
                return "commit_unknown";
            case Errc::unavailable:
                return "unavailable";
            case Errc::unexpected_reply:
                return "unexpected_reply";
            case Errc::schema_mismatch:
                return "schema_mismatch";
        }
        return "unknown";
    }
};

}  // namespace

error_code make_error_code(Errc value) {
    static Category const category;
    return {static_cast<int>(value), category};
}

}  // namespace penstock::db

namespace penstock::db::pg {
namespace {

struct Reaction {
    std::string_view prefix;  // of the SQLSTATE: a whole one or a class
    Errc errc;
};

// The first prefix that fits decides. Names are those of PostgreSQL's appendix A.
constexpr Reaction reactions[] = {
    {"40", Errc::retry_transaction},     // serialization_failure, deadlock_detected, …
    {"55P03", Errc::retry_transaction},  // lock_not_available: lock_timeout
    {"23505", Errc::retry_transaction},  // unique_violation: another process was first
    {"25P02", Errc::retry_transaction},  // in_failed_sql_transaction: an earlier segment failed
    {"26000", Errc::retry_transaction},  // the prepared statement has gone: a new connection
    {"0A000", Errc::retry_transaction},  // a cached plan's result type changed: same
    {"08", Errc::connection_lost},       // connection_exception
    {"25P03", Errc::connection_lost},    // idle_in_transaction_session_timeout
    {"57P01", Errc::connection_lost},    // admin_shutdown
    {"57P02", Errc::connection_lost},    // crash_shutdown
    {"57P03", Errc::connection_lost},    // cannot_connect_now
    {"57P05", Errc::connection_lost},    // idle_session_timeout
    // query_canceled is statement_timeout (or an operator). The transaction is rolled back for
    // certain, but trying again at once would only add to the load that made it slow.
    {"57014", Errc::unavailable},
    {"57", Errc::unavailable},     // operator_intervention: database_dropped
    {"53", Errc::unavailable},     // disk_full, out_of_memory, too_many_connections
    {"25006", Errc::unavailable},  // read_only_sql_transaction: after a failover
    {"28", Errc::unavailable},     // invalid_authorization
    {"3D000", Errc::unavailable},  // the database does not exist
    {"55", Errc::unavailable},     // object_not_in_prerequisite_state, object_in_use
    {"58", Errc::unavailable},     // system_error, io_error
};

}  // namespace

Errc reaction_to(std::string_view sqlstate, bool fatal) {
    for (auto const& reaction : reactions)
        if (sqlstate.starts_with(reaction.prefix)) return reaction.errc;
    if (fatal || sqlstate.empty()) return Errc::connection_lost;
    return Errc::refused_by_database;
}

bool wants_new_connection(std::string_view sqlstate) {
    return sqlstate == "26000" || sqlstate == "0A000" || sqlstate == "25006";
}

Failure failure_of(error_code code, std::string message) {
    Failure failure;
    failure.code = code;
    failure.message = std::move(message);
    return failure;
}

void throw_exception_from_error(Failure const& failure, boost::source_location const& where) {
    boost::throw_exception(boost::system::system_error(failure.code, failure.message), where);
}

}  // namespace penstock::db::pg
