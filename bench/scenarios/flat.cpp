// What must cost the same however long a ledger's past is: its totals, a balance, a page of a
// list at the top and in the depth, a commit. In turn, on a ledger that is there already.
#include "bench/books.hpp"
#include "bench/instant.hpp"
#include "bench/ledger_view.hpp"
#include "bench/pages.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/target.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

enum Route : std::size_t { totals, account, newest, deep, statement, commit };
constexpr std::size_t routes_count = 6;

/// How far a walk into an account's entries goes; a page has 200.
constexpr unsigned walk_pages_max = 500;

std::int64_t instant(std::string const& text) {
    auto const at = instant_of(text);
    if (!at) throw Unusable("not a time: " + text);
    return *at;
}

class Flat final : public Scenario {
public:
    explicit Flat(ScenarioContext const& context)
        : target_(context.target),
          books_(context.options.ledger),
          path_(ledger_path(books_.ledger())),
          route_(context.target, path_ + "/transfers"),
          random_(context.options.seed),
          keys_(context.key_seed) {}

    std::vector<std::string> routes() const override {
        return {"GET totals",
                "GET account",
                "GET transfers (newest 50)",
                "GET transfers (50 halfway)",
                "GET entries (50 halfway)",
                "POST transfers"};
    }
    std::string unit() const override { return "requests"; }

    asio::awaitable<void> setup(Client& client) override {
        auto const before = co_await observe(client, books_.ledger(), Ask::no_verify);
        books_.start_from(before);
        past_ = books_.total(Kind::transfer).count;
        for (auto const& [address, balance] : before.balances) {
            if (!address.starts_with('@')) accounts_.push_back(books_.open(address));
        }
        if (accounts_.size() < 2) throw Unusable(books_.ledger() + " has not two accounts");
        co_await find_middle_of_transfers(client);
        co_await find_middle_of_entries(client);
    }

    Next next(Call& call) override {
        call.route = turn_++ % routes_count;
        call.expected_status = call.route == commit ? 201 : 200;
        call.postings.clear();
        switch (static_cast<Route>(call.route)) {
            case totals:
                get(call, "/totals");
                break;
            case account:
                get(call, "/accounts/" + books_.address(any_account()));
                break;
            case newest:
                get(call, "/transfers?limit=50");
                break;
            case deep:
                get(call, "/transfers?limit=50&cursor=" + middle_of_transfers_);
                break;
            case statement:
                get(call, entries_ + "?limit=50&cursor=" + middle_of_entries_);
                break;
            case commit:
                pay(call);
                break;
        }
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const body = response.body;
        bool const page = call.route == newest || call.route == deep || call.route == statement;
        if (page && !body.starts_with(R"({"data":[{)")) return "an empty page";
        if (call.route != commit) return std::nullopt;
        auto const& posting = call.postings.front();
        books_.acknowledge(posting);
        if (has_integer(body, "amount", posting.amount)) return std::nullopt;
        return "a transfer other than the one asked for: " + std::string(body);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        auto const observed = co_await observe(client, books_.ledger(), Ask::no_verify);
        co_return books_.differences(observed);
    }

    Figures figures() const override { return {{"transfers beforehand", std::to_string(past_)}}; }

private:
    /// A page that ends halfway between the ledger's beginning and its newest transfer.
    asio::awaitable<void> find_middle_of_transfers(Client& client) {
        auto const ledger = co_await client.get_ok(path_);
        auto const top = co_await client.get_ok(path_ + "/transfers?limit=1");
        auto const& data = top.at("data").as_array();
        if (data.empty()) throw Unusable(books_.ledger() + " has no transfers");
        auto const began = instant(text_at(ledger, "created_at"));
        auto const middle = (began + instant(text_at(data.front(), "created_at"))) / 2;
        std::string const path = path_ + "/transfers?limit=1&to=" + text_of_instant(middle);
        auto const half = co_await client.get_ok(path);
        if (half.at("next_cursor").is_null()) throw Unusable(books_.ledger() + " is too short");
        middle_of_transfers_ = text_at(half, "next_cursor");
    }

    asio::awaitable<void> find_middle_of_entries(Client& client) {
        std::string const address = books_.address(accounts_[accounts_.size() / 2]);
        entries_ = "/accounts/" + address + "/entries";
        auto const standing = co_await client.get_ok(path_ + "/accounts/" + address);
        auto const half = standing.at("version").as_int64() / 2;
        std::string const first = path_ + entries_ + "?limit=" + (half < 200 ? "1" : "200");
        std::string path = first;
        for (unsigned page = 0; page < walk_pages_max; ++page) {
            auto const entries = co_await client.get_ok(path);
            if (entries.at("next_cursor").is_null()) break;
            middle_of_entries_ = text_at(entries, "next_cursor");
            path = first + "&cursor=" + middle_of_entries_;
            auto const& last = entries.at("data").as_array().back();
            if (last.at("version").as_int64() <= half) break;
        }
        if (middle_of_entries_.empty()) throw Unusable(address + " has too few entries");
    }

    AccountIndex any_account() { return accounts_[random_.below(accounts_.size())]; }

    void get(Call& call, std::string const& what) { write_get(call.bytes, target_, path_ + what); }

    void pay(Call& call) {
        auto const from = random_.below(accounts_.size());
        auto const to = (from + 1 + random_.below(accounts_.size() - 1)) % accounts_.size();
        Posting const posting{0, accounts_[from], accounts_[to], Kind::transfer, 1};
        body_.clear();
        append_transfer(body_, books_, posting);
        route_.write(call.bytes, body_, keys_);
        call.postings.assign(1, posting);
    }

    Target target_;
    Books books_;
    std::string path_;
    PostRoute route_;
    Random random_;
    Random keys_;
    std::vector<AccountIndex> accounts_;
    std::string middle_of_transfers_;
    std::string entries_;
    std::string middle_of_entries_;
    std::string body_;
    std::uint64_t past_ = 0;
    std::uint64_t turn_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_flat(ScenarioContext context) {
    return std::make_unique<Flat>(context);
}

}  // namespace penstock::bench
