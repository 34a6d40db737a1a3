#include "bench/pages.hpp"

#include <boost/system/system_error.hpp>

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
