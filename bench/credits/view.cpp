#include "bench/credits/view.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bench/credits/expected.hpp"
#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::credits {
namespace {

namespace json = boost::json;

constexpr std::size_t entries_max = 10'000;
constexpr std::int64_t day_ms = 86'400'000;
/// The background work that records expiries gets so long.
constexpr std::chrono::seconds quiet_max{60};
constexpr milliseconds quiet_pause{100};

SeenRow row_of(json::value const& row) {
    SeenRow seen;
    seen.id = text_at(row, "id");
    seen.kind = text_at(row, "kind");
    seen.reference = text_at(row, "reference");
    seen.address = text_at(row, "address");
    seen.index = number_at(row, "index");
    seen.amount = number_at(row, "amount");
    seen.expires_ms = instant_at(row, "expires_at", never_ms);
    seen.created_ms = instant_at(row, "created_at");
    return seen;
}

SeenPurse purse_of(CreditBooks const& books, json::value const& answer) {
    SeenPurse seen;
    seen.balance = number_at(answer, "balance");
    for (auto const& row : answer.at("lots").as_array()) {
        Lot lot;
        auto const reference = text_at(row, "reference");
        auto const number = books.number_of(reference);
        if (!number) throw std::invalid_argument("a lot of " + reference);
        lot.operation = *number;
        lot.index = static_cast<std::uint32_t>(number_at(row, "index"));
        lot.amount = number_at(row, "amount");
        lot.remaining = number_at(row, "amount_remaining");
        lot.granted_ms = instant_at(row, "granted_at");
        lot.expires_ms = instant_at(row, "expires_at", never_ms);
        seen.lots.push_back(lot);
    }
    for (auto const& part : answer.at("expiring").as_array())
        seen.expiring.emplace_back(instant_at(part, "expires_at", never_ms),
                                   number_at(part, "amount"));
    return seen;
}

/// So many of the addresses, evenly spread, the first one among them.
std::vector<Address> some_of(CreditBooks const& books, std::size_t most) {
    auto const all = books.addresses();
    std::vector<Address> chosen;
    auto const count = std::min(all, most);
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(static_cast<Address>(i * all / count));
    return chosen;
}

class Check {
public:
    Check(Client& client, CreditBooks const& books, CheckLimits limits)
        : client_(client),
          books_(books),
          limits_(limits),
          path_(credits_path(books.ledger())),
          expected_(books, quiet_at(books)) {}

    asio::awaitable<std::vector<std::string>> all() {
        co_await totals();
        bool const whole = books_.rows() <= limits_.rows_max;
        if (whole) co_await history();
        if (!whole) co_await histories();
        co_await balances();
        co_await purses();
        co_await counts();
        auto found = expected_.take();
        Observed observed;
        co_await verify(client_, books_.ledger(), observed);
        for (auto const& check : observed.failed_checks) found.push_back("verify: " + check);
        bool const silent = observed.verified != Verified::yes && observed.failed_checks.empty();
        if (silent) found.push_back("verify is not ok");
        co_return found;
    }

private:
    /// When the last of those lots is over that do not live for days.
    static std::int64_t quiet_at(CreditBooks const& books) {
        std::int64_t last = 0;
        for (auto const& operation : books.operations())
            last = std::max(last, operation.created_ms);
        return books.last_expiry_before(last + day_ms);
    }

    /// Once every expiry is recorded, each short-lived lot is over.
    asio::awaitable<void> totals() {
        std::string const path = ledger_path(books_.ledger()) + "/totals";
        auto const give_up = steady_now() + quiet_max;
        for (;;) {
            auto const answer = co_await client_.get_ok(path);
            auto const seen = read_answer(path, [&] { return totals_of(answer); });
            auto const expired = seen.find("credits_expired");
            std::uint64_t const recorded = expired == seen.end() ? 0 : expired->second.count;
            bool const quiet = recorded >= expected_.expired_lots();
            if (quiet || steady_now() >= give_up) {
                expected_.see_totals(seen);
                co_return;
            }
            co_await reactor::sleep_until(steady_now() + quiet_pause);
        }
    }

    asio::awaitable<void> history() {
        VisitRow const see = [this](json::value const& row) { expected_.see(row_of(row)); };
        co_await each_row(client_, path_ + "/history?limit=200", see);
        expected_.end_of_history();
    }

    asio::awaitable<void> histories() {
        for (auto const address : some_of(books_, limits_.histories_max)) {
            VisitRow const see = [this, address](json::value const& row) {
                expected_.see_of(address, row_of(row));
            };
            std::string const query = "/history?limit=200&address=" + books_.address(address);
            co_await each_row(client_, path_ + query, see);
            expected_.end_of(address);
        }
    }

    asio::awaitable<void> balances() {
        VisitRow const see = [this](json::value const& row) {
            expected_.see_balance(text_at(row, "address"), number_at(row, "balance"));
        };
        co_await each_row(client_, path_ + "/balances?limit=200", see);
        expected_.end_of_balances();
    }

    asio::awaitable<void> purses() {
        for (auto const address : some_of(books_, limits_.purses_max)) {
            std::string const path = path_ + "/balances/" + books_.address(address);
            auto const answer = co_await client_.get_ok(path);
            auto const seen = read_answer(path, [&] { return purse_of(books_, answer); });
            expected_.see_purse(address, seen);
        }
    }

    asio::awaitable<void> counts() {
        std::string const path = path_ + "/balances/count";
        auto const all = co_await client_.get_ok(path);
        auto const rich = co_await client_.get_ok(path + "?min_balance=1");
        read_answer(
            path, [&] { expected_.see_counts(number_at(all, "count"), number_at(rich, "count")); });
    }

    Client& client_;
    CreditBooks const& books_;
    CheckLimits limits_;
    std::string path_;
    Expected expected_;
};

}  // namespace

std::string credits_path(std::string const& ledger) { return ledger_path(ledger) + "/credits"; }

asio::awaitable<std::int64_t> create_credits(Client& client, std::string ledger, Drain drain) {
    std::string const body = R"({"name":")" + ledger +
                             R"(","asset":{"code":"CRD","scale":0},"kind":"credits","drain":")" +
                             name_of(drain) + "\"}";
    std::string const path = "/v1/ledgers";
    auto const answer = co_await client.post_ok(path, body, 201);
    co_return read_answer(path, [&] { return instant_at(answer, "created_at"); });
}

asio::awaitable<void> post_all(Client& client, CreditBooks& books, Deed deed,
                               std::vector<Entry> entries) {
    std::string const route = deed == Deed::grant ? "/grants" : "/expenses";
    std::string const path = credits_path(books.ledger()) + route;
    for (std::size_t first = 0; first < entries.size(); first += entries_max) {
        auto const end = std::min(entries.size(), first + entries_max);
        auto const at = [&entries](std::size_t i) {
            return entries.begin() + static_cast<std::ptrdiff_t>(i);
        };
        auto const number = books.begin(deed, {at(first), at(end)});
        std::string body;
        books.write_body(body, number);
        auto const answer = co_await client.post_ok(path, std::move(body), 201);
        auto const fault = books.acknowledge(number, json::serialize(answer));
        if (fault) throw Unusable(*fault);
    }
}

asio::awaitable<std::vector<std::string>> check_credits(Client& client, CreditBooks const& books,
                                                        CheckLimits limits) {
    Check check(client, books, limits);
    co_return co_await check.all();
}

}  // namespace penstock::bench::credits
