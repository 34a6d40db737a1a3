#include "bench/hot/view.hpp"

#include <algorithm>
#include <optional>

#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::hot {
namespace {

constexpr milliseconds look_again{20};
constexpr std::size_t accounts_max = 50;

/// Null where there is nothing that has an age.
std::int64_t age_at(boost::json::value const& status, char const* name) {
    auto const& value = status.at(name);
    return value.is_null() ? 0 : value.to_number<std::int64_t>();
}

SyncStatus status_of(boost::json::value const& answer) {
    SyncStatus status;
    status.journal_lag = number_at(answer, "journal_lag");
    status.journal_oldest_ms = age_at(answer, "journal_oldest_ms");
    status.schedule_depth = number_at(answer, "schedule_depth");
    status.schedule_oldest_ms = age_at(answer, "schedule_oldest_ms");
    status.claimed = number_at(answer, "claimed");
    status.dead_letters = number_at(answer, "dead_letters");
    return status;
}

/// Ages grow while nothing moves.
bool has_moved(SyncStatus before, SyncStatus const& now) {
    before.journal_oldest_ms = now.journal_oldest_ms;
    before.schedule_oldest_ms = now.schedule_oldest_ms;
    return before != now;
}

std::string stuck(SyncStatus const& status) {
    return "does not come home: " + std::to_string(status.journal_lag) + " items, " +
           std::to_string(status.schedule_depth) + " accounts due, " +
           std::to_string(status.claimed) + " claimed";
}

}  // namespace

asio::awaitable<SyncStatus> read_status(Client& client, std::string ledger) {
    std::string const path = ledger_path(ledger) + "/sync";
    auto const answer = co_await client.get_ok(path);
    co_return read_answer(path, [&] { return status_of(answer); });
}

asio::awaitable<std::vector<std::string>> await_home(Client& client, std::string ledger,
                                                     std::chrono::duration<double> patience) {
    std::vector<std::string> found;
    SyncStatus before;
    auto moved = steady_now();
    for (;;) {
        auto const now = co_await read_status(client, ledger);
        if (has_moved(before, now)) moved = steady_now();
        before = now;
        if (now.is_home() || steady_now() > moved + patience) break;
        co_await reactor::sleep_until(steady_now() + look_again);
    }
    if (!before.is_home()) found.push_back(ledger + ": " + stuck(before));
    if (before.dead_letters > 0)
        found.push_back(ledger + ": dead letters: " + std::to_string(before.dead_letters));
    co_return found;
}

asio::awaitable<std::vector<std::string>> compare_at_once(Client& client, Books const& books) {
    std::vector<std::string> found;
    auto const step = std::max<std::size_t>(1, books.accounts() / accounts_max);
    for (std::size_t i = 0; i < books.accounts(); i += step) {
        auto const account = static_cast<AccountIndex>(i);
        // Nobody has paid it, perhaps.
        if (books.balance(account) == 0) continue;
        auto const& address = books.address(account);
        std::string const path = ledger_path(books.ledger()) + "/accounts/" + address;
        auto const reply = co_await client.get(path);
        std::optional<Amount> seen;
        if (reply.status == 200)
            seen = read_answer(path, [&] { return number_at(reply.body, "balance"); });
        if (seen == books.balance(account)) continue;
        found.push_back(books.ledger() + ": balance of " + address + " at once: expected " +
                        std::to_string(books.balance(account)) + ", found " +
                        (seen ? std::to_string(*seen) : "no account"));
    }
    co_return found;
}

}  // namespace penstock::bench::hot
