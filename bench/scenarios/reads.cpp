// A mix of reads on ledgers with a history: an account, the totals, pages of transfers and of
// entries. The pages walk down to any depth by their cursors and then begin anew.
#include "bench/funded_ledgers.hpp"
#include "bench/ledger_view.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

enum Route : std::size_t { account, totals, transfer_page, entry_page };

/// Of a hundred requests.
constexpr std::uint64_t account_share = 50;
constexpr std::uint64_t totals_share = 20;
constexpr std::uint64_t transfer_page_share = 15;

class Reads final : public Scenario {
public:
    explicit Reads(ScenarioContext context)
        : target_(context.target),
          history_(context.options.history),
          ledgers_("bench-reads-" + context.run_id, context.options),
          random_(context.options.seed ^ 0x5eed),
          cursors_(ledgers_.size()) {}

    std::vector<std::string> routes() const override {
        return {"GET account", "GET totals", "GET transfers (page of 50)",
                "GET entries (page of 50)"};
    }
    std::string unit() const override { return "reads"; }

    asio::awaitable<void> setup(Client& client) override {
        co_await ledgers_.setup(client);
        for (std::uint32_t ledger = 0; ledger < ledgers_.size(); ++ledger) {
            std::vector<Posting> past;
            past.reserve(history_);
            for (unsigned i = 0; i < history_; ++i) past.push_back(ledgers_.choose(ledger));
            co_await transfer_all(client, ledgers_.books(ledger), std::move(past));
        }
    }

    Next next(Call& call) override {
        auto const dice = random_.below(100);
        auto const ledger = ledgers_.choose_ledger();
        auto const& books = ledgers_.books(ledger);
        auto const subject = ledgers_.choose_account();
        path_ = "/v1/ledgers/";
        path_ += books.ledger();
        if (dice < account_share) {
            call.route = account;
            path_ += "/accounts/";
            path_ += books.address(subject);
        } else if (dice < account_share + totals_share) {
            call.route = totals;
            path_ += "/totals";
        } else if (dice < account_share + totals_share + transfer_page_share) {
            call.route = transfer_page;
            path_ += "/transfers?limit=50";
            if (!cursors_[ledger].empty()) path_ += "&cursor=" + cursors_[ledger];
        } else {
            call.route = entry_page;
            path_ += "/accounts/";
            path_ += books.address(subject);
            path_ += "/entries?limit=50";
        }
        write_get(call.bytes, target_, path_);
        call.expected_status = 200;
        call.tag = (std::uint64_t{ledger} << 32) | subject;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const ledger = static_cast<std::uint32_t>(call.tag >> 32);
        auto const subject = static_cast<AccountIndex>(call.tag);
        auto const& books = ledgers_.books(ledger);
        auto const body = response.body;
        bool right = false;
        switch (static_cast<Route>(call.route)) {
            case account:
                right = has_text(body, "address", books.address(subject)) &&
                        has_integer(body, "balance", books.balance(subject));
                break;
            case totals: {
                auto const made = books.total(Kind::transfer);
                right = has_integer(body, "count", static_cast<Amount>(made.count)) &&
                        has_integer(body, "amount", made.amount);
                break;
            }
            case transfer_page:
                right = is_page(body);
                cursors_[ledger] = text_member(body, "next_cursor");
                break;
            case entry_page:
                right = is_page(body);
                break;
        }
        if (right) return std::nullopt;
        return routes()[call.route] + " answered " + std::string(body.substr(0, 300));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return ledgers_.check(client);
    }

private:
    static bool is_page(std::string_view body) {
        return body.starts_with(R"({"data":[)") && body.ends_with('}');
    }

    Target target_;
    unsigned history_;
    FundedLedgers ledgers_;
    Random random_;
    std::vector<std::string> cursors_;  ///< by ledger: the next page of transfers
    std::string path_;
};

}  // namespace

std::unique_ptr<Scenario> make_reads(ScenarioContext context) {
    return std::make_unique<Reads>(std::move(context));
}

}  // namespace penstock::bench
