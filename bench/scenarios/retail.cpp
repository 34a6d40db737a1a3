// A real shop's invoice lines, replayed: a purchase is a transfer from customer to product, a
// refund one back. Lines of one customer or product keep their order.
#include "bench/ledger_view.hpp"
#include "bench/lines.hpp"
#include "bench/retail_plan.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {
namespace {

RetailPlan read_plan(std::string const& path, std::uint64_t lines_max) {
    RetailPlan plan;
    bool header = true;
    std::string bad;
    read_lines(path, [&](std::string_view line) {
        if (std::exchange(header, false)) return true;
        if (lines_max > 0 && plan.counts().lines >= lines_max) return false;
        if (!plan.add_line(line)) bad = line;
        return bad.empty();
    });
    if (!bad.empty()) throw Unusable("a line of " + path + " has not seven columns: " + bad);
    if (plan.commands().empty()) throw Unusable(path + " holds nothing to replay");
    return plan;
}

class Retail final : public Scenario {
public:
    explicit Retail(ScenarioContext context)
        : plan_(read_plan(context.options.input, context.options.lines)),
          order_(plan_.commands()),
          books_(context.options.ledger.empty() ? "bench-retail-" + context.run_id
                                                : context.options.ledger),
          route_(context.target, ledger_path(books_.ledger()) + "/transfers"),
          keys_(context.key_seed) {
        for (auto const& address : plan_.customers()) customers_.push_back(books_.open(address));
        for (auto const& address : plan_.products()) products_.push_back(books_.open(address));
    }

    std::vector<std::string> routes() const override {
        return {"POST transfers (purchase)", "POST transfers (refund)"};
    }
    std::string unit() const override { return "lines"; }
    bool must_finish() const override { return true; }
    std::size_t available() const override { return order_.available(); }

    asio::awaitable<void> setup(Client& client) override {
        bool const made = co_await create_ledger(client, books_.ledger());
        if (!made) {
            auto const before = co_await observe(client, books_.ledger());
            books_.start_from(before);
        }
        for (std::size_t i = 0; i < customers_.size(); ++i) {
            Posting posting{0, Books::world, customers_[i], Kind::deposit, plan_.deposits()[i]};
            co_await deposit(client, books_, posting);
        }
    }

    Next next(Call& call) override {
        if (order_.all_started()) return Next::done;
        auto const index = order_.start();
        if (!index) return Next::wait;
        auto const& command = plan_.commands()[*index];
        bool const purchase = command.kind == RetailKind::purchase;
        auto const customer = customers_[command.customer];
        auto const product = products_[command.product];
        Posting const posting{0, purchase ? customer : product, purchase ? product : customer,
                              Kind::transfer, command.amount};
        body_.clear();
        append_transfer(body_, books_, posting);
        route_.write(call.bytes, body_, keys_);
        call.postings.assign(1, posting);
        call.route = purchase ? 0 : 1;
        call.tag = *index;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const& posting = call.postings.front();
        auto const index = static_cast<std::uint32_t>(call.tag);
        books_.acknowledge(posting);
        order_.answered(index);
        bool const refund = plan_.commands()[index].kind == RetailKind::refund;
        auto& done = refund ? refunds_ : purchases_;
        done.count += 1;
        done.amount += posting.amount;
        bool const same = has_integer(response.body, "amount", posting.amount) &&
                          has_text(response.body, "from", books_.address(posting.from)) &&
                          has_text(response.body, "to", books_.address(posting.to));
        if (same) return std::nullopt;
        return "a transfer other than the one asked for: " + std::string(response.body);
    }

    void on_failure(Call const& call) override {
        order_.answered(static_cast<std::uint32_t>(call.tag));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        auto const observed = co_await observe(client, books_.ledger());
        auto found = books_.differences(observed);
        auto const& planned = plan_.counts();
        if (purchases_ != Total{planned.purchases, planned.purchased}) {
            found.push_back("not every purchase was acknowledged: " + text(purchases_));
        }
        if (refunds_ != Total{planned.refunds, planned.refunded}) {
            found.push_back("not every refund was acknowledged: " + text(refunds_));
        }
        co_return found;
    }

    Figures figures() const override {
        auto const& planned = plan_.counts();
        return {{"ledger", books_.ledger()},
                {"lines", std::to_string(planned.lines)},
                {"purchases", text(purchases_)},
                {"refunds", text(refunds_)},
                {"unmatched refunds", std::to_string(planned.unmatched)},
                {"skipped lines", std::to_string(planned.skipped)},
                {"customers", std::to_string(customers_.size())},
                {"products", std::to_string(products_.size())},
                {"products together", std::to_string(sum_of(products_))},
                {"customers together", std::to_string(sum_of(customers_))},
                {"longest chain", std::to_string(order_.longest_chain())}};
    }

private:
    static std::string text(Total const& total) {
        return std::to_string(total.count) + " for " + std::to_string(total.amount);
    }

    Amount sum_of(std::vector<AccountIndex> const& accounts) const {
        Amount sum = 0;
        for (auto const account : accounts) sum += books_.balance(account);
        return sum;
    }

    RetailPlan plan_;
    RetailOrder order_;
    Books books_;
    PostRoute route_;
    Random keys_;
    std::vector<AccountIndex> customers_;
    std::vector<AccountIndex> products_;
    std::string body_;
    Total purchases_;
    Total refunds_;
};

}  // namespace

std::unique_ptr<Scenario> make_retail(ScenarioContext context) {
    return std::make_unique<Retail>(std::move(context));
}

}  // namespace penstock::bench
