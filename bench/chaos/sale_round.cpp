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

/// After so many requests of the crowd comes one of the shop's.
constexpr std::uint32_t requests_per_cancel = 30;
constexpr std::uint32_t requests_per_restock = 150;
constexpr std::uint32_t restock_units_max = 3;
constexpr std::uint32_t restocks_max = 100;

/// The shop's requests are numbered apart from the orders.
constexpr std::uint32_t act_mark = 1U << 31;
constexpr bool is_act(std::uint32_t number) { return (number & act_mark) != 0; }
constexpr std::uint32_t act_of(std::uint32_t number) { return number & ~act_mark; }

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
    co_await crew_.resolve(undecided());
    co_await sell_the_rest();
    co_await crew_.replay(acknowledged(), random_);
    auto const judgement = co_await shop_.check(client_, sale::Returns::some);
    result_.judgement = judgement.requests;
    upkeep_.judge(result_.judgement);
    result_.sales.cancelled = upkeep_.cancelled();
    result_.sales.restocked = upkeep_.restocked();
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
    auto const more = restocks_max * restock_units_max;
    co_await shop_.prepare(client_, crowd_.users + latecomers + more);
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
    if (auto const act = think_of_an_act()) co_return act;
    auto const arrival = crowd_.arrivals[next_++];
    auto const due = start_ + arrival.at;
    if (due > steady_now()) co_await reactor::sleep_until(due);
    co_return arrival.wish;
}

/// What the shop does itself, as soon as it can.
std::optional<std::uint32_t> SaleRound::think_of_an_act() {
    auto const sent = static_cast<std::uint32_t>(next_);
    sale::Act act;
    if (cancels_ < sent / requests_per_cancel && !cancellable_.empty()) {
        cancels_ += 1;
        std::swap(cancellable_[random_.below(cancellable_.size())], cancellable_.back());
        act.attempt = cancellable_.back();
        cancellable_.pop_back();
        shop_.write_cancel(act.request, 0, act.attempt);
        return upkeep_.begin(std::move(act)) | act_mark;
    }
    auto const restocks_due = std::min(sent / requests_per_restock, restocks_max);
    if (restocks_ >= restocks_due || steady_now() < start_) return std::nullopt;
    restocks_ += 1;
    act.kind = sale::Act::Kind::restock;
    act.quantity = 1 + static_cast<std::uint32_t>(random_.below(restock_units_max));
    shop_.write_restock(act.request, 0, act.quantity);
    return upkeep_.begin(std::move(act)) | act_mark;
}

std::string const& SaleRound::request(std::uint32_t number) const {
    return is_act(number) ? upkeep_.at(act_of(number)).request : requests_[number];
}

void SaleRound::lost(std::uint32_t number) {
    if (is_act(number)) return upkeep_.lost(act_of(number));
    shop_.books().lost(number);
}

/// Everything that nobody knows the end of.
std::vector<std::uint32_t> SaleRound::undecided() const {
    auto const& books = shop_.books();
    auto numbers = books.with_fate(sale::Fate::unanswered);
    // Refused, but an earlier request under that key was still on its way somewhere.
    for (auto const number : books.with_fate(sale::Fate::refused)) {
        if (books.at(number).ever_unanswered) numbers.push_back(number);
    }
    for (auto const act : upkeep_.with_fate(sale::Fate::unanswered))
        numbers.push_back(act | act_mark);
    return numbers;
}

std::vector<std::uint32_t> SaleRound::acknowledged() const {
    auto numbers = shop_.books().with_fate(sale::Fate::acknowledged);
    for (auto const act : upkeep_.with_fate(sale::Fate::acknowledged))
        numbers.push_back(act | act_mark);
    return numbers;
}

SaleRound::Word SaleRound::take_answer_to_act(std::uint32_t act, Response const& response) {
    if (response.status == 200) {
        note(upkeep_.acknowledge(act, response.body, shop_.books()));
        return Word::final;
    }
    if (judge(response, 200) != Verdict::wrong) return Word::unknown;
    upkeep_.wrong(act, response.body);
    return Word::final;
}

SaleRound::Word SaleRound::take_answer(std::uint32_t number, Response const& response) {
    if (is_act(number)) return take_answer_to_act(act_of(number), response);
    auto& books = shop_.books();
    if (response.status == 201) {
        bool const first = books.at(number).fate != sale::Fate::acknowledged;
        if (first) cancellable_.push_back(number);
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
    int const status = is_act(number) ? 200 : 201;
    if (judge(response, status) == Verdict::unclear) return Replay::unclear;
    auto const& answer =
        is_act(number) ? upkeep_.at(act_of(number)).answer : shop_.books().at(number).answer;
    bool const same = response.status == status && response.replayed && response.body == answer;
    if (same) return Replay::same;
    note("replay of " + answer + " is " + std::string(response.body));
    return Replay::different;
}

void SaleRound::note(std::optional<std::string> fault) {
    if (fault && result_.off.size() < Judgement::details_max)
        result_.off.push_back(std::move(*fault));
}

}  // namespace penstock::bench::chaos
