// Orders without end: on products whose stock never ends, or on one that is sold out, where the
// servers compared with give the plainest answer they have.
#include <boost/json/serialize.hpp>

#include "bench/sale/shop.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace penstock::bench {
namespace {

constexpr std::int64_t stock_without_end = 1'000'000'000;
/// What the sale that is sold out had.
constexpr std::uint32_t stock_refused = 5;

/// The judgement in the words of a scenario's check.
std::vector<std::string> differences(sale::SaleJudgement const& judgement) {
    auto found = judgement.off;
    auto const& details = judgement.requests.details;
    found.insert(found.end(), details.begin(), details.end());
    if (!judgement.sound() && found.empty()) found.push_back("the sale is off");
    return found;
}

class AcceptedOrders final : public Scenario {
public:
    explicit AcceptedOrders(ScenarioContext const& context)
        : options_(context.options.sale),
          shop_("bench-sale-" + context.run_id, options_, context.target, context.key_seed),
          random_(context.options.seed) {}

    std::vector<std::string> routes() const override { return {"POST orders"}; }
    std::string unit() const override { return "orders"; }

    asio::awaitable<void> setup(Client& client) override {
        co_await shop_.prepare(client, options_.users);
        // The limit is no limit where buyers must come again.
        auto const limit = options_.paid ? stock_without_end : 1;
        for (unsigned i = 0; i < options_.products; ++i) {
            co_await shop_.open(client, stock_without_end, limit, "");
        }
    }

    Next next(Call& call) override {
        auto const product = static_cast<std::uint32_t>(random_.below(shop_.products()));
        auto const user = options_.paid ? users_ % options_.users : users_;
        ++users_;
        auto const attempt = shop_.books(product).begin(user, 1);
        shop_.write(call.bytes, product, attempt);
        call.tag = (std::uint64_t{product} << 32) | attempt;
        call.keeps = true;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        return books_of(call).acknowledge(static_cast<std::uint32_t>(call.tag), response.body);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        auto const judgement = co_await shop_.check(client, sale::Returns::none);
        sold_ = judgement.sold;
        co_return differences(judgement);
    }

    Figures figures() const override { return {{"units sold", std::to_string(sold_)}}; }

private:
    sale::SaleBooks& books_of(Call const& call) { return shop_.books(call.tag >> 32); }

    SaleOptions options_;
    sale::Shop shop_;
    Random random_;
    std::uint32_t users_ = 0;
    std::int64_t sold_ = 0;
};

class RefusedOrders final : public Scenario {
public:
    explicit RefusedOrders(ScenarioContext const& context)
        : target_(context.target),
          plain_(context.compared_with),
          shop_("bench-sale-" + context.run_id, without_payment(context.options.sale),
                context.target, context.key_seed) {}

    std::vector<std::string> routes() const override {
        return {plain_ ? "GET /healthz" : "POST orders (sold out)"};
    }
    std::string unit() const override { return "answers"; }

    asio::awaitable<void> setup(Client& client) override {
        if (plain_) co_return;
        co_await shop_.open(client, stock_refused, 1, "");
        auto& books = shop_.books();
        std::string const path = sale::sale_path(books.terms().product) + "/orders";
        for (std::uint32_t i = 0; i < stock_refused; ++i) {
            auto const attempt = books.begin(users_++, 1);
            std::string body;
            books.write_body(body, attempt);
            auto const reply = co_await client.post(path, body);
            if (reply.status != 201) throw Unusable(path + " does not sell: " + reply.code());
            auto const fault = books.acknowledge(attempt, boost::json::serialize(reply.body));
            if (fault) throw Unusable(*fault);
        }
    }

    Next next(Call& call) override {
        if (plain_) {
            write_get(call.bytes, target_, "/healthz");
            call.expected_status = 200;
            return Next::ready;
        }
        call.tag = shop_.books().begin(users_++, 1);
        shop_.write(call.bytes, 0, static_cast<std::uint32_t>(call.tag));
        call.expected_status = 409;
        call.keeps = true;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        if (plain_) return std::nullopt;
        auto const refusal = sale::refusal_of(response);
        if (refusal != sale::Refusal::sold_out)
            return "not sold out: " + std::string(response.body);
        auto const attempt = static_cast<std::uint32_t>(call.tag);
        return shop_.books().refuse(attempt, *refusal, sale::SaleBooks::Told::nothing);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        auto const judgement = co_await shop_.check(client, sale::Returns::none);
        co_return differences(judgement);
    }

private:
    static SaleOptions without_payment(SaleOptions options) {
        options.paid = false;
        return options;
    }

    Target target_;
    bool plain_;
    sale::Shop shop_;
    std::uint32_t users_ = 0;
};

}  // namespace

std::unique_ptr<Scenario> make_sale(ScenarioContext context) {
    bool const refused = context.options.sale.load == SaleLoad::refused;
    if (refused) return std::make_unique<RefusedOrders>(context);
    return std::make_unique<AcceptedOrders>(context);
}

}  // namespace penstock::bench
