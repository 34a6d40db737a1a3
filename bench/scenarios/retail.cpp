// A real shop's invoice lines, replayed: what was sold is a purchase from the product's account,
// what came back its refund; or plain transfers there and back. Lines of one customer or product
// keep their order.
#include <unordered_set>

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
        : target_(context.target),
          as_(context.options.as),
          plan_(read_plan(context.options.input, context.options.lines)),
          order_(plan_.commands()),
          books_(context.options.ledger.empty() ? "bench-retail-" + context.run_id
                                                : context.options.ledger),
          path_(ledger_path(books_.ledger())),
          route_(context.target, path_ + "/" + name_of(as_)),
          keys_(context.key_seed),
          purchase_ids_(plan_.commands().size()) {
        for (auto const& address : plan_.customers()) customers_.push_back(books_.open(address));
        for (auto const& address : plan_.products()) products_.push_back(books_.open(address));
    }

    std::vector<std::string> routes() const override {
        if (as_ == As::purchases) return {"POST purchases", "POST purchases/{id}/refund"};
        return {"POST transfers (purchase)", "POST transfers (refund)"};
    }
    std::string unit() const override { return "lines"; }
    bool must_finish() const override { return true; }
    std::size_t available() const override { return order_.available(); }

    asio::awaitable<void> setup(Client& client) override {
        bool const purchases = as_ == As::purchases;
        auto const policy = purchases ? Accounts::explicit_ : Accounts::implicit;
        bool const made = co_await create_ledger(client, books_.ledger(), policy);
        auto const before = co_await observe(client, books_.ledger());
        if (!made) books_.start_from(before);
        if (purchases) {
            for (auto const account : customers_) co_await create_account(client, books_, account);
            for (auto const account : products_) co_await create_account(client, books_, account);
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
        Posting posting{0, purchase ? customer : product, purchase ? product : customer,
                        Kind::transfer, command.amount};
        call.route = purchase ? 0 : 1;
        call.expected_status = 201;
        call.tag = *index;
        body_.clear();
        if (as_ == As::transfers) {
            append_transfer(body_, books_, posting);
            route_.write(call.bytes, body_, keys_);
        } else if (purchase) {
            posting.kind = Kind::purchase;
            append_purchase(body_, books_, posting);
            route_.write(call.bytes, body_, keys_);
        } else {
            posting.kind = Kind::refund;
            PostRoute const refund(target_, refund_path(command));
            refund.write(call.bytes, "{}", keys_);
            call.expected_status = 200;
        }
        call.postings.assign(1, posting);
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto const& posting = call.postings.front();
        auto const index = static_cast<std::uint32_t>(call.tag);
        order_.answered(index);
        bool const refund = plan_.commands()[index].kind == RetailKind::refund;
        auto& done = refund ? refunds_ : purchases_;
        done.count += 1;
        done.amount += posting.amount;
        if (as_ == As::transfers) return book_transfer(posting, response);
        return refund ? book_refund(index, posting, response)
                      : book_purchase(index, posting, response);
    }

    void on_failure(Call const& call) override {
        order_.answered(static_cast<std::uint32_t>(call.tag));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        after_ = co_await observe(client, books_.ledger());
        auto found = books_.differences(after_);
        auto const& planned = plan_.counts();
        if (purchases_ != Total{planned.purchases, planned.purchased}) {
            found.push_back("not every purchase was acknowledged: " + text(purchases_));
        }
        if (refunds_ != Total{planned.refunds, planned.refunded}) {
            found.push_back("not every refund was acknowledged: " + text(refunds_));
        }
        co_return found;
    }

    Figures figures() const override;

private:
    static std::string text(Total const& total) {
        return std::to_string(total.count) + " for " + std::to_string(total.amount);
    }

    static std::string compared(std::string const& found, std::string const& expected) {
        if (found == expected) return found + ", as expected";
        return found + ", EXPECTED " + expected;
    }

    std::string refund_path(RetailCommand const& command) const {
        return path_ + "/purchases/" + purchase_ids_[command.refunded] + "/refund";
    }

    std::optional<std::string> book_transfer(Posting const& posting, Response const& response) {
        books_.acknowledge(posting);
        bool const same = has_integer(response.body, "amount", posting.amount) &&
                          has_text(response.body, "from", books_.address(posting.from)) &&
                          has_text(response.body, "to", books_.address(posting.to));
        if (same) return std::nullopt;
        return "a transfer other than the one asked for: " + std::string(response.body);
    }

    /// One at a time for each product: what its author gets is known to the cent.
    std::optional<std::string> book_purchase(std::uint32_t index, Posting const& posting,
                                             Response const& response) {
        Amount const due = books_.fraction(posting.to) + posting.amount * books_.royalty_percent();
        auto fault = acknowledge_purchase(books_, posting, response);
        purchase_ids_[index] = text_member(response.body, "id");
        if (fault || has_integer(response.body, "author_amount", due / 100)) return fault;
        return "an author's part that is not " + std::to_string(due / 100) + ": " +
               std::string(response.body);
    }

    std::optional<std::string> book_refund(std::uint32_t index, Posting const& posting,
                                           Response const& response) {
        books_.acknowledge(posting);
        auto const& purchase = purchase_ids_[plan_.commands()[index].refunded];
        bool const same = has_text(response.body, "id", purchase) &&
                          has_text(response.body, "status", "refunded") &&
                          has_integer(response.body, "price", posting.amount);
        if (same) return std::nullopt;
        return "a refund other than the one asked for: " + std::string(response.body);
    }

    /// What the accounts hold together: by our books, and by what the server said at the end.
    std::string compared_sum(std::vector<AccountIndex> const& accounts) const;
    std::string compared_fractions() const;
    std::string compared_total(Kind kind) const;

    Target target_;
    As as_;
    RetailPlan plan_;
    RetailOrder order_;
    Books books_;
    std::string path_;
    PostRoute route_;
    Random keys_;
    std::vector<AccountIndex> customers_;
    std::vector<AccountIndex> products_;
    std::vector<std::string> purchase_ids_;  ///< by command
    std::string body_;
    Total purchases_;
    Total refunds_;
    Observed after_;
};

std::string Retail::compared_sum(std::vector<AccountIndex> const& accounts) const {
    Amount expected = 0;
    std::unordered_set<std::string_view> wanted;
    for (auto const account : accounts) {
        expected += books_.balance(account);
        wanted.insert(books_.address(account));
    }
    Amount found = 0;
    for (auto const& [address, balance] : after_.balances) {
        if (wanted.contains(address)) found += balance;
    }
    return compared(std::to_string(found), std::to_string(expected));
}

std::string Retail::compared_fractions() const {
    Amount expected = 0;
    for (auto const product : products_) expected += books_.fraction(product);
    Amount found = 0;
    for (auto const& [address, fraction] : after_.fractions) found += fraction;
    return compared(std::to_string(found), std::to_string(expected));
}

std::string Retail::compared_total(Kind kind) const {
    auto const found = after_.totals.find(name_of(kind));
    Total const actual = found == after_.totals.end() ? Total{} : found->second;
    return compared(text(actual), text(books_.total(kind)));
}

Figures Retail::figures() const {
    auto const& planned = plan_.counts();
    Figures rows{{"ledger", books_.ledger()}, {"lines", std::to_string(planned.lines)}};
    auto const add = [&rows](char const* name, std::string value) {
        rows.emplace_back(name, std::move(value));
    };
    add("purchases", compared(text(purchases_), text(Total{planned.purchases, planned.purchased})));
    add("refunds", compared(text(refunds_), text(Total{planned.refunds, planned.refunded})));
    add("unmatched refunds", std::to_string(planned.unmatched));
    add("skipped lines", std::to_string(planned.skipped));
    add("customers", std::to_string(customers_.size()));
    add("products", std::to_string(products_.size()));
    add("customers together", compared_sum(customers_));
    add("products together", compared_sum(products_));
    if (as_ == As::purchases) {
        add("@platform", compared_sum({Books::platform}));
        add("fractions, in 1/100 pence", compared_fractions());
        add("total of purchases", compared_total(Kind::purchase));
    } else {
        add("total of transfers", compared_total(Kind::transfer));
    }
    add("longest chain", std::to_string(order_.longest_chain()));
    return rows;
}

}  // namespace

std::unique_ptr<Scenario> make_retail(ScenarioContext context) {
    return std::make_unique<Retail>(std::move(context));
}

}  // namespace penstock::bench
