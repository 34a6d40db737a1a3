// One grant or one expense of credits per request, at addresses chosen uniformly, by Zipf's law, or
// always the same: a hot spender.
#include "bench/credits/purse_plan.hpp"
#include "bench/credits/view.hpp"
#include "bench/ledger_view.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "reactor/result.hpp"

namespace penstock::bench {
namespace {

using credits::Address;
using credits::CreditBooks;
using credits::Deed;
using credits::Entry;
using credits::PursePlan;

enum Route : std::size_t { grants, expenses };

constexpr std::int64_t day_ms = 86'400'000;
/// Credits that expire, but not while anybody looks: after thirty days, or up to twice as many.
constexpr double long_life_ms = 30 * 86'400'000.0;

/// What time it is on the server at least: as its answers say, and what has passed since.
class ServerTime {
public:
    void observe(std::int64_t server_ms) {
        if (server_ms <= now_ms()) return;
        server_ms_ = server_ms;
        at_ = steady_now();
    }
    std::int64_t now_ms() const {
        return server_ms_ + std::chrono::duration_cast<milliseconds>(steady_now() - at_).count();
    }

private:
    std::int64_t server_ms_ = 0;
    SteadyTime at_ = steady_now();
};

class Credits final : public Scenario {
public:
    explicit Credits(ScenarioContext const& context)
        : options_(context.options), random_(context.options.seed), keys_(context.key_seed) {
        auto const name = "bench-credits-" + context.run_id + "-";
        for (unsigned i = 0; i < options_.ledgers; ++i) {
            Load load{CreditBooks(name + std::to_string(i), options_.credits.drain),
                      PursePlan(options_, options_.seed + i),
                      {},
                      {}};
            auto const path = credits::credits_path(load.books.ledger());
            load.grants = PostRoute(context.target, path + "/grants");
            load.expenses = PostRoute(context.target, path + "/expenses");
            for (unsigned number = 0; number < options_.accounts; ++number)
                load.books.open(numbered_account(number));
            ledgers_.push_back(std::move(load));
        }
    }

    std::vector<std::string> routes() const override { return {"POST grants", "POST expenses"}; }
    std::string unit() const override { return "operations"; }

    asio::awaitable<void> setup(Client& client) override {
        for (auto& load : ledgers_) {
            auto& books = load.books;
            auto const now =
                co_await credits::create_credits(client, books.ledger(), books.drain());
            time_.observe(now);
            std::vector<Entry> everybody;
            for (Address address = 0; address < books.addresses(); ++address)
                if (load.plan.is_used(address)) everybody.push_back({address, load.plan.lot()});
            for (unsigned i = 0; i < load.plan.lots_at_first(); ++i) {
                co_await credits::post_all(client, books, Deed::grant, everybody);
                for (auto const& entry : everybody) load.plan.granted(entry.address, entry.amount);
            }
        }
    }

    Next next(Call& call) override {
        auto const ledger = random_.below(ledgers_.size());
        auto& load = ledgers_[ledger];
        auto const choice = load.plan.choose();
        std::vector<Entry> entries{{choice.address, choice.amount, expiry(choice.life)}};
        auto const number = load.books.begin(choice.deed, std::move(entries));
        body_.clear();
        load.books.write_body(body_, number);
        bool const grant = choice.deed == Deed::grant;
        (grant ? load.grants : load.expenses).write(call.bytes, body_, keys_);
        call.route = grant ? grants : expenses;
        call.tag = (ledger << 32) | number;
        call.keeps = true;
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        auto& load = ledgers_[call.tag >> 32];
        auto const number = static_cast<std::uint32_t>(call.tag);
        auto fault = load.books.acknowledge(number, response.body);
        auto const& operation = load.books.at(number);
        time_.observe(operation.created_ms);
        auto const& entry = operation.entries.front();
        bool const lasts = entry.expires_ms > operation.created_ms + day_ms;
        if (operation.deed == Deed::grant && lasts) load.plan.granted(entry.address, entry.amount);
        return fault;
    }

    void on_failure(Call const& call) override {
        auto& load = ledgers_[call.tag >> 32];
        auto const number = static_cast<std::uint32_t>(call.tag);
        load.books.refuse(number);
        auto const& operation = load.books.at(number);
        auto const& entry = operation.entries.front();
        if (operation.deed == Deed::expense) load.plan.not_spent(entry.address, entry.amount);
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        std::vector<std::string> found;
        for (auto const& load : ledgers_) {
            auto const off = co_await credits::check_credits(client, load.books);
            for (auto const& difference : off)
                found.push_back(load.books.ledger() + ": " + difference);
        }
        co_return found;
    }

    Figures figures() const override {
        std::uint64_t rows = 0;
        for (auto const& load : ledgers_) rows += load.books.rows();
        return {{"rows of history", std::to_string(rows)}};
    }

private:
    struct Load {
        CreditBooks books;
        PursePlan plan;
        PostRoute grants;
        PostRoute expenses;
    };

    std::int64_t expiry(PursePlan::Choice::Life life) {
        using Life = PursePlan::Choice::Life;
        if (life == Life::without_end) return credits::never_ms;
        double const ms = life == Life::short_ ? options_.credits.lifetime_s * 1000 : long_life_ms;
        return time_.now_ms() + static_cast<std::int64_t>(ms * (1 + random_.unit()));
    }

    Options options_;
    Random random_;
    Random keys_;
    ServerTime time_;
    std::vector<Load> ledgers_;
    std::string body_;
};

}  // namespace

std::unique_ptr<Scenario> make_credits(ScenarioContext context) {
    return std::make_unique<Credits>(context);
}

}  // namespace penstock::bench
