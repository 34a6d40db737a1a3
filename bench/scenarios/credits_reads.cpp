// What does it cost to read a balance of credits, compared with a plain account? On the servers
// compared with, accounts of a money ledger are read; without one, on the same server in turn.
#include <boost/json/array.hpp>

#include "bench/credits/view.hpp"
#include "bench/funded_ledgers.hpp"
#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

using credits::CreditBooks;
using credits::Deed;
using credits::Entry;

/// Grants that nothing is spent of, so that an address has some lots.
constexpr unsigned lots_left = 3;
constexpr Amount lot = 100;

class CreditReads final : public Scenario {
public:
    explicit CreditReads(ScenarioContext const& context)
        : target_(context.target),
          options_(context.options),
          random_(context.options.seed),
          ledger_(options_.ledger.empty() ? "bench-credits-" + context.run_id : options_.ledger),
          books_(ledger_, options_.credits.drain) {}

    std::vector<std::string> routes() const override { return {"GET credits/balances/{address}"}; }
    std::string unit() const override { return "reads"; }

    asio::awaitable<void> setup(Client& client) override {
        if (options_.ledger.empty()) co_await fill(client);
        co_await look(client);
        if (addresses_.empty()) throw Unusable(ledger_ + " has no addresses");
        auto const answer = co_await client.get_ok(ledger_path(ledger_) + "/totals");
        for (auto const& [kind, total] : totals_of(answer))
            if (kind != "credits_expired") rows_ += total.count;
    }

    Next next(Call& call) override {
        call.tag = random_.below(addresses_.size());
        path_ = credits::credits_path(ledger_) + "/balances/" + addresses_[call.tag].first;
        write_get(call.bytes, target_, path_);
        call.expected_status = 200;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const& [address, balance] = addresses_[call.tag];
        auto const body = response.body;
        bool const right =
            has_text(body, "address", address) && has_integer(body, "balance", balance);
        if (right) return std::nullopt;
        return "expected " + std::to_string(balance) + " of " + address + ": " +
               std::string(body.substr(0, 300));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        if (options_.ledger.empty()) co_return co_await credits::check_credits(client, books_);
        auto const before = std::exchange(addresses_, {});
        co_await look(client);
        std::vector<std::string> found;
        if (before != addresses_) found.push_back("the balances of " + ledger_ + " have changed");
        co_return found;
    }

    Figures figures() const override {
        return {{"addresses", std::to_string(addresses_.size())},
                {"rows of history", std::to_string(rows_)}};
    }

private:
    /// The first addresses and what they have.
    asio::awaitable<void> look(Client& client) {
        std::string cursor;
        std::string const path = credits::credits_path(ledger_) + "/balances?limit=200";
        while (addresses_.size() < options_.accounts) {
            auto const page = co_await client.get_ok(path + cursor);
            bool const more = read_answer(path, [&] {
                for (auto const& row : page.at("data").as_array())
                    addresses_.emplace_back(text_at(row, "address"), number_at(row, "balance"));
                if (page.at("next_cursor").is_null()) return false;
                cursor = "&cursor=" + text_at(page, "next_cursor");
                return true;
            });
            if (!more) co_return;
        }
    }

    /// Grants and expenses in turn over all addresses, until the history has so many rows.
    asio::awaitable<void> fill(Client& client) {
        co_await credits::create_credits(client, ledger_, books_.drain());
        std::vector<Entry> everybody;
        for (unsigned number = 0; number < options_.accounts; ++number)
            everybody.push_back({books_.open(numbered_account(number)), lot});
        for (unsigned i = 0; i < lots_left; ++i)
            co_await credits::post_all(client, books_, Deed::grant, everybody);
        while (books_.rows() < options_.history) {
            co_await credits::post_all(client, books_, Deed::grant, everybody);
            co_await credits::post_all(client, books_, Deed::expense, everybody);
        }
    }

    Target target_;
    Options options_;
    Random random_;
    std::string ledger_;
    CreditBooks books_;  ///< nothing in them when the ledger was there already
    std::vector<std::pair<std::string, Amount>> addresses_;
    std::uint64_t rows_ = 0;
    std::string path_;
};

class PlainReads final : public Scenario {
public:
    explicit PlainReads(ScenarioContext const& context)
        : target_(context.target), ledgers_("bench-plain-" + context.run_id, context.options) {}

    std::vector<std::string> routes() const override { return {"GET accounts/{address}"}; }
    std::string unit() const override { return "reads"; }

    asio::awaitable<void> setup(Client& client) override { return ledgers_.setup(client); }

    Next next(Call& call) override {
        auto const& books = ledgers_.books(0);
        auto const account = ledgers_.choose_account();
        call.tag = account;
        path_ = ledger_path(books.ledger()) + "/accounts/" + books.address(account);
        write_get(call.bytes, target_, path_);
        call.expected_status = 200;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const& books = ledgers_.books(0);
        auto const balance = books.balance(static_cast<AccountIndex>(call.tag));
        if (has_integer(response.body, "balance", balance)) return std::nullopt;
        return "expected " + std::to_string(balance) + ": " +
               std::string(response.body.substr(0, 300));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return ledgers_.check(client);
    }

private:
    Target target_;
    FundedLedgers ledgers_;
    std::string path_;
};

}  // namespace

std::unique_ptr<Scenario> make_credits_reads(ScenarioContext context) {
    if (context.compared_with) return std::make_unique<PlainReads>(context);
    return std::make_unique<CreditReads>(context);
}

}  // namespace penstock::bench
