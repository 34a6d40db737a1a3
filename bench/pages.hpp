// Reading answers: lists page by page, and what to say when one has not the documented form.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "bench/client.hpp"

namespace penstock::bench {

using VisitRow = std::function<void(boost::json::value const& row)>;

/// Every row of a list. `path` has its query already. Throws Unusable when a row is not as `visit`
/// expects it, or the pages do not end.
asio::awaitable<void> each_row(Client& client, std::string path, VisitRow visit);

/// Members of an answer. What is not there or of another type is thrown as boost::json does.
std::string text_at(boost::json::value const& object, char const* name);
std::int64_t number_at(boost::json::value const& object, char const* name);
/// The instant, in milliseconds; null is `when_null`.
std::int64_t instant_at(boost::json::value const& object, char const* name,
                        std::int64_t when_null = 0);

/// For a catch block: what boost::json throws becomes Unusable, the rest is thrown on.
[[noreturn]] void rethrow_as_unusable(std::string const& where);

/// What `read` makes of an answer.
template <class Read>
auto read_answer(std::string const& where, Read read) {
    try {
        return read();
    } catch (...) {
        rethrow_as_unusable(where);
    }
}

}  // namespace penstock::bench
