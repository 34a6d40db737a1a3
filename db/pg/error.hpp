// What to do when the database says no. The .cpp is the only file that knows SQLSTATEs.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include "reactor/result.hpp"

namespace boost {
struct source_location;
}

namespace penstock::db {

/// Cut by reaction, not by cause.
enum class Errc {
    /// Nothing was done, and the same transaction may well succeed: roll back, reload, decide
    /// again. (Serialization failure, deadlock, lock timeout, a unique key just taken.)
    retry_transaction = 1,
    /// Nothing was done, and doing it again will end the same way: some command of the batch is
    /// at fault. Split the batch.
    refused_by_database,
    /// Nothing was committed, and the connection is gone: again on a new one.
    connection_lost,
    /// COMMIT had been handed over and no answer will come: ask_outcome() before answering.
    commit_unknown,
    /// Nothing was done, and the database cannot do it now: 503. (Not reachable, starting up, no
    /// connections left, disk full, read only after a failover, statement timeout.)
    unavailable,
    /// The answer is not what the statement promised: this program and the schema disagree.
    unexpected_reply,
    /// The schema is not the one of this program; the text says which migration.
    schema_mismatch,
};

error_code make_error_code(Errc value);

}  // namespace penstock::db

template <>
struct boost::system::is_error_code_enum<penstock::db::Errc> : std::true_type {};

namespace penstock::db::pg {

/// Everything known about a "no". `code` is what the program acts on, the rest is for the log.
struct Failure {
    // Not an aggregate: C++20 would make every error_code convertible to one, and g++ 12 destroys
    // aggregate temporaries twice beside a co_await.
    Failure() {}

    error_code code;
    std::string sqlstate;             ///< empty when the server did not say one
    std::string constraint;           ///< the violated constraint, if any
    std::size_t statement_index = 0;  ///< in the segment
    std::string statement;            ///< its name, empty when not about one
    std::string message;              ///< never holds a password; may hold data: not for clients
};

/// A failure without details.
Failure failure_of(error_code code, std::string message = {});

/// What to do about an SQLSTATE. `fatal`: the server ends the session with it.
Errc reaction_to(std::string_view sqlstate, bool fatal = false);

/// True when the session is of no further use although the server keeps it: its prepared plans
/// are stale, or it talks to a server that became read-only.
bool wants_new_connection(std::string_view sqlstate);

/// Lets system::result<T, Failure>::value() throw: system_error of the code.
[[noreturn]] void throw_exception_from_error(Failure const& failure,
                                             boost::source_location const& where);

/// The value of a Result that has nothing to say but success. (Not bool: an error_code converts
/// to that.)
struct Done {};

/// A result that can say everything about its failure.
template <class T>
using Answer = boost::system::result<T, Failure>;

}  // namespace penstock::db::pg
