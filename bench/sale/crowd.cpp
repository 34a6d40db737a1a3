#include "bench/sale/crowd.hpp"

#include <algorithm>
#include <cmath>

namespace penstock::bench::sale {
namespace {

using std::chrono::microseconds;

/// Nobody who is early is so near to the start that the clocks could be in doubt.
constexpr microseconds early_min{50'000};
constexpr microseconds double_click_max{30'000};

microseconds share_of(microseconds span, double share) {
    return microseconds(std::llround(static_cast<double>(span.count()) * share));
}

class Gathering {
public:
    Gathering(SaleOptions const& options, Random& random)
        : options_(options),
          random_(random),
          spread_(std::llround(options.spread_ms * 1000)),
          last_(spread_) {}

    Crowd take() {
        for (std::uint32_t user = 0; user < options_.users; ++user) add_person(user);
        for (std::uint32_t bot = 0; bot < options_.bots; ++bot) add_bot(options_.users + bot);
        crowd_.users = options_.users + options_.bots;
        auto const earlier = [](Arrival const& a, Arrival const& b) { return a.at < b.at; };
        std::stable_sort(crowd_.arrivals.begin(), crowd_.arrivals.end(), earlier);
        return std::move(crowd_);
    }

private:
    std::uint32_t wish(std::uint32_t user) {
        auto const quantity = 1 + static_cast<std::uint32_t>(random_.below(options_.quantity_max));
        crowd_.wishes.push_back({user, quantity});
        return static_cast<std::uint32_t>(crowd_.wishes.size() - 1);
    }

    void send(std::uint32_t wish, microseconds at) {
        // Nobody comes after the spread is over: it is when everybody must have come by.
        crowd_.arrivals.push_back({std::min(at, last_), wish});
    }

    microseconds moment() { return share_of(spread_, 1 - std::sqrt(1 - random_.unit())); }
    microseconds between(microseconds from, microseconds to) {
        return from + share_of(to - from, random_.unit());
    }

    void add_person(std::uint32_t user) {
        auto const first = wish(user);
        auto const at = moment();
        if (random_.unit() < options_.early) send(first, -between(early_min, early_max));
        send(first, at);
        if (random_.unit() < options_.repetitions)
            send(first, at + between(microseconds{0}, double_click_max));
        if (random_.unit() < options_.repeat_buyers) send(wish(user), between(at, last_));
    }

    void add_bot(std::uint32_t user) {
        auto& wishes = crowd_.bots.emplace_back();
        for (unsigned i = 0; i < options_.bot_attempts; ++i) wishes.push_back(wish(user));
    }

    SaleOptions const& options_;
    Random& random_;
    microseconds spread_;
    microseconds last_;
    Crowd crowd_;
};

}  // namespace

Crowd gather(SaleOptions const& options, Random& random) {
    return Gathering(options, random).take();
}

}  // namespace penstock::bench::sale
