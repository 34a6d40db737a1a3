// What to do when Redis says no, or says nothing.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <iosfwd>
#include <string>
#include <string_view>
#include <type_traits>

#include "reactor/result.hpp"

namespace boost {
struct source_location;
}

namespace penstock::cache {

/// Cut by reaction, not by cause. A full queue is reactor::Errc::overloaded and a late answer
/// reactor::Errc::deadline_exceeded, as everywhere.
enum class Errc {
    /// The command was handed over and no answer will come: it may have happened.
    connection_lost = 1,
    /// Nothing was done and Redis cannot do it now: go on without it.
    unavailable,
    /// Nothing was done, and doing it again will end the same way; the text says why.
    refused_by_redis,
    /// Somebody else is at this idempotency key: ask again in a moment.
    key_in_flight,
};

error_code make_error_code(Errc value);

/// Everything known about a "no". The code is what the program acts on, the text is for the log.
struct Failure {
    error_code code;
    std::string text;  ///< what Redis said; empty when it said nothing. May quote arguments.

    bool operator==(Failure const&) const = default;
};

std::ostream& operator<<(std::ostream& out, Failure const& failure);

/// A failure without a text.
Failure failure_of(error_code code);

/// What to do about an error reply, by its first word.
Errc reaction_to(std::string_view error_reply);

/// True when this connection will go on answering so and a new one may not: the server became a
/// replica after a failover, or forgot who we are.
bool wants_new_connection(std::string_view error_reply);

/// Lets system::result<T, Failure>::value() throw: system_error of the code.
[[noreturn]] void throw_exception_from_error(Failure const& failure,
                                             boost::source_location const& where);

/// A result that can say why.
template <class T>
using Answer = boost::system::result<T, Failure>;

}  // namespace penstock::cache

template <>
struct boost::system::is_error_code_enum<penstock::cache::Errc> : std::true_type {};
