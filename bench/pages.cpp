#include "bench/pages.hpp"

#include <boost/system/system_error.hpp>

#include "bench/instant.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t pages_max = 100'000;

}  // namespace

asio::awaitable<void> each_row(Client& client, std::string path, VisitRow visit) {
    std::string cursor;
    for (std::size_t page = 0; page < pages_max; ++page) {
        std::string const page_path = cursor.empty() ? path : path + "&cursor=" + cursor;
        auto const rows = co_await client.get_ok(page_path);
        bool const more = read_answer(path, [&] {
            for (auto const& row : rows.at("data").as_array()) visit(row);
            auto const& next = rows.at("next_cursor");
            if (!next.is_null()) cursor = std::string(next.as_string());
            return !next.is_null();
        });
        if (!more) co_return;
    }
    throw Unusable(path + " has pages without end");
}

std::string text_at(boost::json::value const& object, char const* name) {
    return std::string(object.at(name).as_string());
}

std::int64_t number_at(boost::json::value const& object, char const* name) {
    return object.at(name).to_number<std::int64_t>();
}

std::int64_t instant_at(boost::json::value const& object, char const* name,
                        std::int64_t when_null) {
    auto const& value = object.at(name);
    if (value.is_null()) return when_null;
    auto const at = instant_of(value.as_string());
    if (!at) throw std::invalid_argument(std::string(name) + " is no instant");
    return *at;
}

void rethrow_as_unusable(std::string const& where) {
    try {
        throw;
    } catch (boost::system::system_error const& error) {
        throw Unusable(where + ": an answer is not of the documented form: " + error.what());
    } catch (std::out_of_range const& error) {
        throw Unusable(where + ": an answer lacks a member: " + error.what());
    } catch (std::invalid_argument const& error) {
        throw Unusable(where + ": a member has the wrong type: " + error.what());
    }
}

}  // namespace penstock::bench
