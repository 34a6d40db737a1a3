// How long does one request take that grants to thousands of addresses, and one that spends from
// them? One after the other: addresses that are new, a part of a lot of each, the same addresses
// again, and an expense that ends each one's first lot and begins its second.
#include <algorithm>
#include <array>

#include "bench/credits/view.hpp"
#include "bench/ledger_view.hpp"
#include "bench/ratios.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/text_parts.hpp"
#include "reactor/result.hpp"

namespace penstock::bench {
namespace {

using credits::Address;
using credits::Deed;
using credits::Entry;

enum Route : std::size_t { grant_new, expense_part, grant_again, expense_across };
constexpr std::size_t routes_count = 4;
constexpr std::array<char const*, routes_count> labels{
    "POST grants (new)", "POST expenses (part)", "POST grants (again)", "POST expenses (across)"};

constexpr Amount granted = 100;
constexpr std::array<Amount, routes_count> amounts{granted, 60, granted, 100};

class CreditsWide final : public Scenario {
public:
    explicit CreditsWide(ScenarioContext const& context)
        : width_(context.options.credits.width),
          books_("bench-wide-" + context.run_id, context.options.credits.drain),
          grants_(context.target, credits::credits_path(books_.ledger()) + "/grants"),
          expenses_(context.target, credits::credits_path(books_.ledger()) + "/expenses"),
          keys_(context.key_seed) {}

    std::vector<std::string> routes() const override { return {labels.begin(), labels.end()}; }
    std::string unit() const override { return "rows"; }

    asio::awaitable<void> setup(Client& client) override {
        co_await credits::create_credits(client, books_.ledger(), books_.drain());
    }

    Next next(Call& call) override {
        // What comes after a request that was not acknowledged would not find what it spends.
        if (!std::exchange(answered_, false)) turn_ = 0;
        call.route = turn_++ % routes_count;
        if (call.route == grant_new) first_ = static_cast<Address>(books_.addresses());
        std::vector<Entry> entries;
        entries.reserve(width_);
        for (unsigned i = 0; i < width_; ++i) {
            auto const address = books_.open(numbered_account(first_ + i));
            entries.push_back({address, amounts[call.route]});
        }
        bool const grant = call.route == grant_new || call.route == grant_again;
        call.tag = books_.begin(grant ? Deed::grant : Deed::expense, std::move(entries));
        body_.clear();
        books_.write_body(body_, static_cast<std::uint32_t>(call.tag));
        (grant ? grants_ : expenses_).write(call.bytes, body_, keys_);
        call.units = width_;
        call.keeps = true;
        began_ = steady_now();
        return Next::ready;
    }

    std::optional<std::string> on_answer(Call const& call, Response const& response) override {
        std::chrono::duration<double> const took = steady_now() - began_;
        answered_ = true;
        auto& times = times_[call.route];
        times.seconds.push_back(took.count());
        times.request_bytes = call.bytes.size();
        times.answer_bytes = response.body.size();
        return books_.acknowledge(static_cast<std::uint32_t>(call.tag), response.body);
    }

    void on_failure(Call const& call) override {
        books_.refuse(static_cast<std::uint32_t>(call.tag));
    }

    asio::awaitable<std::vector<std::string>> check(Client& client) override {
        return credits::check_credits(client, books_);
    }

    Figures figures() const override {
        Figures found{{"entries in a request", std::to_string(width_)}};
        for (std::size_t route = 0; route < routes_count; ++route) {
            auto const& times = times_[route];
            auto const spread = spread_of(times.seconds);
            if (spread.median <= 0) continue;
            auto const rate = rate_text(width_ / spread.median);
            auto const bytes = "; " + std::to_string(times.request_bytes) + " bytes there, " +
                               std::to_string(times.answer_bytes) + " back";
            found.emplace_back(
                labels[route],
                format("min %.3f s, median %.3f s, max %.3f s of %zu; %s rows/s", spread.min,
                       spread.median, spread.max, times.seconds.size(), rate.c_str()) +
                    bytes);
        }
        return found;
    }

private:
    /// Of every request, those before the measured ones too.
    struct Times {
        std::vector<double> seconds;
        std::size_t request_bytes = 0;
        std::size_t answer_bytes = 0;
    };

    unsigned width_;
    credits::CreditBooks books_;
    PostRoute grants_;
    PostRoute expenses_;
    Random keys_;
    Address first_ = 0;  ///< of the addresses that are served now
    std::size_t turn_ = 0;
    bool answered_ = false;  ///< the last request
    SteadyTime began_{};
    std::array<Times, routes_count> times_;
    std::string body_;
};

}  // namespace

std::unique_ptr<Scenario> make_credits_wide(ScenarioContext context) {
    return std::make_unique<CreditsWide>(context);
}

}  // namespace penstock::bench
