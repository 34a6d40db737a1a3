// One transfer or one purchase per request: transfers between accounts chosen uniformly, by Zipf's
// law, or all to one; purchases from authors all over, from one, or all in one ledger.
#include <stop_token>
#include <utility>

#include "bench/movements.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace penstock::bench {
namespace {

class Transfers final : public Scenario {
public:
    Transfers(ScenarioContext const& context, As as) : movements_(name_of(as), context, as) {}

    std::vector<std::string> routes() const override { return {movements_.route()}; }
    std::string unit() const override { return movements_.unit(); }

    asio::awaitable<void> setup(Client& client) override { return movements_.setup(client); }

    Next next(Call& call) override {
        movements_.next(call);
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        return movements_.on_answer(call, response);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return movements_.check(client);
    }

    asio::awaitable<void> watch(Client& client, std::stop_token over) override {
        return movements_.watch(client, std::move(over));
    }
    Figures figures() const override { return movements_.figures(); }

private:
    Movements movements_;
};

}  // namespace

std::unique_ptr<Scenario> make_transfers(ScenarioContext context) {
    return std::make_unique<Transfers>(context, As::transfers);
}

std::unique_ptr<Scenario> make_purchases(ScenarioContext context) {
    return std::make_unique<Transfers>(context, As::purchases);
}

}  // namespace penstock::bench
