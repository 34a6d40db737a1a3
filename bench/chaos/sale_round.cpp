#include "bench/chaos/sale_round.hpp"

#include <algorithm>

#include "bench/instant.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::chaos {
namespace {

/// The crowd keeps coming for at least so long: blows take their time.
constexpr double spread_least_ms = 3000;
/// The first blow falls between a bit before the start and a bit after it.
constexpr milliseconds attack_before{500};
constexpr milliseconds lead{1500};
constexpr std::int64_t rest_max = 20'000;

SaleOptions long_enough(SaleOptions options) {
    options.spread_ms = std::max(options.spread_ms, spread_least_ms);
    return options;
}

/// Bots come with the others here: nobody has a connection of his own.
sale::Crowd crowd_of(SaleOptions const& options, Random& random) {
    auto crowd = sale::gather(options, random);
    auto const begin = std::chrono::microseconds(-sale::bots_before).count();
    auto const spread = static_cast<std::int64_t>(options.spread_ms * 1000) - begin;
    for (auto const& bot : crowd.bots) {
        for (std::size_t i = 0; i < bot.size(); ++i) {
            auto const share =
                spread * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(bot.size());
            crowd.arrivals.push_back({std::chrono::microseconds(begin + share), bot[i]});
        }
    }
    auto const earlier = [](auto const& a, auto const& b) { return a.at < b.at; };
    std::stable_sort(crowd.arrivals.begin(), crowd.arrivals.end(), earlier);
    return crowd;
}

}  // namespace

SaleRound::SaleRound(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage,
                     Options const& options, std::string name, std::uint64_t seed)
    : stage_(stage),
      options_(options),
      random_(seed),
      client_(executor, sweeper, stage.servers().front().endpoint, stage.servers().front().target,
              entropy()),
      shop_(std::move(name), options.sale, stage.servers().front().target, entropy()),
      crowd_(crowd_of(long_enough(options.sale), random_)),
      crew_(executor, sweeper, stage, options, *this) {}

asio::awaitable<RoundResult> SaleRound::play() {
    co_await set_up();
    co_await crew_.load(stage_, start_ - attack_before);
    auto& books = shop_.books();
    auto undecided = books.with_fate(sale::Fate::unanswered);
    // Refused, but an earlier request under that key was still on its way somewhere.
    for (auto const number : books.with_fate(sale::Fate::refused)) {
        if (books.at(number).ever_unanswered) undecided.push_back(number);
    }
    co_await crew_.resolve(std::move(undecided));
    co_await sell_the_rest();
    co_await crew_.replay(books.with_fate(sale::Fate::acknowledged), random_);
    auto const judgement = co_await shop_.check(client_, sale::Returns::some);
    result_.judgement = judgement.requests;
    result_.sales.stock = judgement.stock;
    result_.sales.sold = judgement.sold;
    result_.sales.over_sold = judgement.over_sold;
    result_.sales.over_limit = judgement.over_limit;
    for (auto const& difference : judgement.off) note(difference);
    result_.crew = crew_.result();
    co_return std::move(result_);
}

asio::awaitable<void> SaleRound::set_up() {
    auto const& sale = options_.sale;
    auto const latecomers = static_cast<std::uint32_t>(std::min(sale.stock, rest_max) + 1);
    co_await shop_.prepare(client_, crowd_.users + latecomers);
    auto const clock = co_await shop_.read_clock(client_);
    auto const start_ms = clock.server_ms(steady_now() + sale::early_max + lead);
    start_ = clock.steady(start_ms);
    co_await shop_.open(client_, sale.stock, sale.per_user_limit, text_of_instant(start_ms));
    for (auto const& wish : crowd_.wishes) {
        auto const number = shop_.books().begin(wish.user, wish.quantity);
        shop_.write(requests_.emplace_back(), 0, number);
    }
}

asio::awaitable<std::optional<std::uint32_t>> SaleRound::next() {
    if (next_ >= crowd_.arrivals.size()) co_return std::nullopt;
    auto const arrival = crowd_.arrivals[next_++];
    auto const due = start_ + arrival.at;
    if (due > steady_now()) co_await reactor::sleep_until(due);
    co_return arrival.wish;
}

SaleRound::Word SaleRound::take_answer(std::uint32_t number, Response const& response) {
    auto& books = shop_.books();
    if (response.status == 201) {
        note(books.acknowledge(number, response.body));
        return Word::final;
    }
    if (auto const refusal = sale::refusal_of(response)) {
        note(books.refuse(number, *refusal, sale::SaleBooks::Told::nothing));
        return Word::final;
    }
    if (judge(response, 201) != Verdict::wrong) return Word::unknown;
    books.wrong(number, response.body);
    return Word::final;
}

/// Whatever is left when everything is settled can be bought, to the last unit, and no more: what
/// a lost reservation still held back, or a gate that knows too much, would show here.
asio::awaitable<void> SaleRound::sell_the_rest() {
    auto& books = shop_.books();
    co_await sale::observe_gate(client_, books.terms().product);
    auto const product = co_await client_.get_ok("/v1/products/" + books.terms().product);
    auto const remaining = product.at("remaining").to_number<std::int64_t>();
    auto const rest = std::clamp<std::int64_t>(remaining, 0, rest_max);
    bool const to_the_end = rest == remaining;
    std::vector<std::uint32_t> numbers;
    for (std::int64_t i = 0; i < rest + (to_the_end ? 1 : 0); ++i) {
        auto const number = books.begin(crowd_.users + static_cast<std::uint32_t>(i), 1);
        shop_.write(requests_.emplace_back(), 0, number);
        numbers.push_back(number);
    }
    co_await crew_.resolve(numbers);
    auto const bought = std::count_if(numbers.begin(), numbers.end(), [&](std::uint32_t number) {
        return books.at(number).fate == sale::Fate::acknowledged;
    });
    result_.sales.rest += rest;
    if (bought == rest) co_return;
    note("of " + std::to_string(rest) + " units that were left " + std::to_string(bought) +
         " could be bought");
}

SaleRound::Replay SaleRound::compare(std::uint32_t number, Response const& response) {
    if (judge(response, 201) == Verdict::unclear) return Replay::unclear;
    auto const& attempt = shop_.books().at(number);
    bool const same =
        response.status == 201 && response.replayed && response.body == attempt.answer;
    if (same) return Replay::same;
    note("replay of " + attempt.answer + " is " + std::string(response.body));
    return Replay::different;
}

void SaleRound::note(std::optional<std::string> fault) {
    if (fault && result_.off.size() < Judgement::details_max)
        result_.off.push_back(std::move(*fault));
}

}  // namespace penstock::bench::chaos
