// How a wait ends when the world says no: an error_code, never an exception.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <type_traits>

namespace penstock {

namespace asio = boost::asio;
using boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

/// The time that waits are measured in. Instants that rules use are domain::Instant.
using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

/// A deadline for what may wait for ever: a background loop that only cancellation ends.
inline constexpr SteadyTime never = SteadyTime::max();

inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

namespace reactor {

/// Named after what the caller should do about it.
enum class Errc {
    overloaded = 1,     ///< a bounded queue is full: nothing was done, try again later
    deadline_exceeded,  ///< we stopped waiting; what was submitted may still happen
    shutting_down,      ///< the owner is closing: nothing was done
};

error_code make_error_code(Errc value);

/// The one completion token of this program: co_await gives a tuple that begins with the error.
inline constexpr auto as_result = asio::as_tuple(asio::deferred);

}  // namespace reactor
}  // namespace penstock

template <>
struct boost::system::is_error_code_enum<penstock::reactor::Errc> : std::true_type {};
