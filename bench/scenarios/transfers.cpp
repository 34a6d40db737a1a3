// One transfer per request, between accounts chosen uniformly, by Zipf's law, or all to one.
#include "bench/funded_ledgers.hpp"
#include "bench/ledger_view.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

class Transfers final : public Scenario {
public:
    explicit Transfers(ScenarioContext context)
        : ledgers_("bench-transfers-" + context.run_id, context.options), keys_(context.key_seed) {
        for (std::uint32_t i = 0; i < ledgers_.size(); ++i) {
            auto const path = ledger_path(ledgers_.books(i).ledger()) + "/transfers";
            routes_.emplace_back(context.target, path);
        }
    }

    std::vector<std::string> routes() const override { return {"POST transfers"}; }
    std::string unit() const override { return "transfers"; }

    asio::awaitable<void> setup(Client& client) override { return ledgers_.setup(client); }

    Next next(Call& call) override {
        auto const posting = ledgers_.choose();
        body_.clear();
        append_transfer(body_, ledgers_.books(posting.book), posting);
        routes_[posting.book].write(call.bytes, body_, keys_);
        call.postings.assign(1, posting);
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const& posting = call.postings.front();
        auto& books = ledgers_.books(posting.book);
        books.acknowledge(posting);
        bool const same = has_integer(response.body, "amount", posting.amount) &&
                          has_text(response.body, "from", books.address(posting.from)) &&
                          has_text(response.body, "to", books.address(posting.to)) &&
                          has_text(response.body, "kind", "transfer");
        if (same) return std::nullopt;
        return "a transfer other than the one asked for: " + std::string(response.body);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return ledgers_.check(client);
    }

private:
    FundedLedgers ledgers_;
    std::vector<PostRoute> routes_;
    std::string body_;
    Random keys_;
};

}  // namespace

std::unique_ptr<Scenario> make_transfers(ScenarioContext context) {
    return std::make_unique<Transfers>(std::move(context));
}

}  // namespace penstock::bench
