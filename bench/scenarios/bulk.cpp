// Many transfers in one request, each of which stands alone.
#include <boost/json/parse.hpp>
#include <stop_token>
#include <utility>

#include "bench/funded_ledgers.hpp"
#include "bench/ledger_view.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

/// Every so many answers one is parsed and each of its items compared: parsing all of them would
/// make the bench the bottleneck.
constexpr std::uint64_t full_check_every = 64;

class Bulk final : public Scenario {
public:
    explicit Bulk(ScenarioContext context)
        : batch_(context.options.batch),
          ledgers_("bench-bulk-" + context.run_id, context.options),
          keys_(context.key_seed) {
        for (std::uint32_t i = 0; i < ledgers_.size(); ++i) {
            auto const path = ledger_path(ledgers_.books(i).ledger()) + "/transfers/bulk";
            routes_.emplace_back(context.target, path);
        }
    }

    std::vector<std::string> routes() const override { return {"POST transfers/bulk"}; }
    std::string unit() const override { return "transfers"; }

    asio::awaitable<void> setup(Client& client) override { return ledgers_.setup(client); }

    Next next(Call& call) override {
        auto const ledger = ledgers_.choose_ledger();
        auto const& books = ledgers_.books(ledger);
        call.postings.clear();
        body_ = R"({"transfers":[)";
        for (unsigned i = 0; i < batch_; ++i) {
            if (i != 0) body_ += ',';
            call.postings.push_back(ledgers_.choose(ledger));
            append_transfer(body_, books, call.postings.back());
        }
        body_ += R"(],"atomic":false})";
        routes_[ledger].write(call.bytes, body_, keys_);
        call.expected_status = 200;
        call.units = batch_;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto& books = ledgers_.books(call.postings.front().book);
        for (auto const& posting : call.postings) books.acknowledge(posting);
        // Everybody has money: an item that was not accepted shows here and in the books.
        bool const all = has_integer(response.body, "accepted", batch_) &&
                         has_integer(response.body, "rejected", 0);
        if (!all) return "a bulk of which not every item was accepted";
        if (answers_++ % full_check_every != 0) return std::nullopt;
        return compare_items(call, response);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return ledgers_.check(client);
    }

    asio::awaitable<void> watch(Client& client, std::stop_token over) override {
        return ledgers_.watch(client, std::move(over));
    }
    Figures figures() const override { return ledgers_.figures(); }

private:
    std::optional<std::string> compare_items(Call const& call, Response const& response) {
        auto const& books = ledgers_.books(call.postings.front().book);
        try {
            auto const body = boost::json::parse({response.body.data(), response.body.size()});
            auto const& results = body.at("results").as_array();
            if (results.size() != call.postings.size()) return "a bulk of another length";
            for (std::size_t i = 0; i < results.size(); ++i) {
                auto const& transfer = results[i].at("transfer");
                auto const& posting = call.postings[i];
                bool const same = results[i].at("status") == 201 &&
                                  transfer.at("from").as_string() == books.address(posting.from) &&
                                  transfer.at("to").as_string() == books.address(posting.to) &&
                                  transfer.at("amount") == posting.amount;
                if (!same) return "item " + std::to_string(i) + " of a bulk is another transfer";
            }
        } catch (std::exception const& error) {
            return std::string("a bulk's answer is not of the documented form: ") + error.what();
        }
        return std::nullopt;
    }

    unsigned batch_;
    FundedLedgers ledgers_;
    std::vector<PostRoute> routes_;
    std::string body_;
    Random keys_;
    std::uint64_t answers_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_bulk(ScenarioContext context) {
    return std::make_unique<Bulk>(std::move(context));
}

}  // namespace penstock::bench
