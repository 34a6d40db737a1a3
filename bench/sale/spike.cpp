#include "bench/sale/spike.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <deque>
#include <utility>

#include "bench/conditions.hpp"
#include "bench/ground.hpp"
#include "bench/instant.hpp"
#include "bench/retry.hpp"
#include "bench/sale/crowd.hpp"
#include "bench/sale/shop.hpp"
#include "bench/verdict.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench::sale {
namespace {

constexpr std::size_t faults_shown_max = 20;
constexpr std::chrono::seconds resolve_max{60};
/// For the crowd to gather: connections are opened, requests written.
constexpr milliseconds lead{2500};
/// A bot takes a breath after a connection that was refused or cut.
constexpr milliseconds after_cut{20};

std::size_t moment_of(std::chrono::nanoseconds since_start) {
    auto const since_first = since_start + early_max;
    return static_cast<std::size_t>(std::max<std::int64_t>(since_first / SpikeResult::moment, 0));
}

std::uint64_t nanoseconds_of(SteadyTime::duration span) {
    auto const count = std::chrono::duration_cast<std::chrono::nanoseconds>(span).count();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0));
}

class Spike {
public:
    Spike(Ground& ground, Options const& options)
        : ground_(ground),
          options_(options),
          client_(ground.executor(), ground.sweeper(), ground.endpoint(), ground.target(),
                  entropy()),
          shop_("bench-sale-" + new_run_id(), options.sale, ground.target(), entropy()) {
        result.options = options;
        result.started_at = utc_now();
    }

    asio::awaitable<void> play();

    SpikeResult result;

private:
    /// One request on its way.
    struct Sent {
        std::uint32_t wish = 0;
        bool person = true;
        SteadyTime due{};
        SaleBooks::Told told = SaleBooks::Told::nothing;
    };

    asio::awaitable<void> set_up();
    asio::awaitable<void> connect_all();
    asio::awaitable<void> look(Connection& connection);
    asio::awaitable<void> walk(Connection& connection);
    asio::awaitable<void> run_bot(Connection& connection, std::vector<std::uint32_t> wishes);
    asio::awaitable<void> send(Connection& connection, Sent sent);
    asio::awaitable<void> resolve();
    void take(Sent const& sent, Connection const& connection, End end);
    void take_refusal(Sent const& sent, Refusal refusal, SteadyTime now);
    void accept(Sent const& sent, Response const& response, SteadyTime now);
    void note(std::optional<std::string> fault);
    Moment& moment_at(SteadyTime at);

    Ground& ground_;
    Options options_;
    Client client_;
    Shop shop_;
    Crowd crowd_;
    SteadyTime start_{};
    std::vector<std::string> requests_;  ///< by wish
    std::vector<std::uint8_t> decided_;  ///< by wish: somebody has had a definite answer
    std::deque<Connection> connections_;
    std::size_t next_ = 0;
};

asio::awaitable<void> Spike::play() {
    auto const version = co_await client_.get("/version");
    if (version.status == 200) result.server = boost::json::serialize(version.body);
    co_await set_up();
    co_await connect_all();
    CpuShare const share;
    reactor::TaskGroup group(ground_.executor());
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        bool const bot = i >= options_.connections;
        if (!bot) group.spawn(walk(connections_[i]));
        if (bot) group.spawn(run_bot(connections_[i], crowd_.bots[i - options_.connections]));
    }
    co_await group.join();
    result.generator_cpu = share.of_one_core();
    co_await resolve();
    result.judgement = co_await shop_.check(client_, Returns::none);
}

asio::awaitable<void> Spike::set_up() {
    Random random(options_.seed);
    crowd_ = gather(options_.sale, random);
    result.arrivals = crowd_.arrivals.size();
    co_await shop_.prepare(client_, crowd_.users);
    auto const clock = co_await shop_.read_clock(client_);
    auto const now = steady_now();
    auto const start_ms = clock.server_ms(now + early_max + lead);
    start_ = clock.steady(start_ms);
    co_await shop_.open(client_, options_.sale.stock, options_.sale.per_user_limit,
                        text_of_instant(start_ms));
    auto& books = shop_.books();
    for (auto const& wish : crowd_.wishes) {
        auto const number = books.begin(wish.user, wish.quantity);
        shop_.write(requests_.emplace_back(), 0, number);
    }
    decided_.resize(crowd_.wishes.size());
    for (auto const& arrival : crowd_.arrivals) moment_at(start_ + arrival.at).arrived += 1;
    std::size_t of_bots = 0;
    for (auto const& bot : crowd_.bots) of_bots += bot.size();
    result.wishes = crowd_.wishes.size() - of_bots;
}

/// As the page does that everybody has open: it has looked at the sale once.
asio::awaitable<void> Spike::connect_all() {
    auto const count = options_.connections + crowd_.bots.size();
    for (std::size_t i = 0; i < count; ++i) {
        connections_.emplace_back(ground_.executor(), ground_.sweeper(), ground_.endpoint());
    }
    for (auto& connection : connections_) co_await look(connection);
    if (steady_now() >= start_ - early_max)
        throw Unusable("the crowd was not there in time: fewer --users or --connections");
}

asio::awaitable<void> Spike::look(Connection& connection) {
    std::string request;
    write_get(request, ground_.target(), sale_path(shop_.books().terms().product));
    auto const deadline = steady_now() + options_.timeout;
    auto const end = co_await connection.exchange(request, deadline);
    bool const seen = end == End::answered && connection.response().status == 200;
    if (!seen) throw Unusable("the sale cannot be looked at before its start");
}

asio::awaitable<void> Spike::walk(Connection& connection) {
    while (next_ < crowd_.arrivals.size()) {
        auto const arrival = crowd_.arrivals[next_++];
        Sent sent;
        sent.wish = arrival.wish;
        sent.due = start_ + arrival.at;
        if (sent.due > steady_now()) co_await reactor::sleep_until(sent.due);
        result.late.record(nanoseconds_of(steady_now() - sent.due));
        co_await send(connection, sent);
    }
}

asio::awaitable<void> Spike::run_bot(Connection& connection, std::vector<std::uint32_t> wishes) {
    co_await reactor::sleep_until(start_ - bots_before);
    for (auto const wish : wishes) {
        Sent sent;
        sent.wish = wish;
        sent.person = false;
        sent.due = steady_now();
        co_await send(connection, sent);
    }
}

asio::awaitable<void> Spike::send(Connection& connection, Sent sent) {
    sent.told = shop_.books().told(sent.wish);
    auto const deadline = steady_now() + options_.timeout;
    auto const end = co_await connection.exchange(requests_[sent.wish], deadline);
    take(sent, connection, end);
    if (end == End::cut) co_await reactor::sleep_until(steady_now() + after_cut);
}

void Spike::take(Sent const& sent, Connection const& connection, End end) {
    auto& books = shop_.books();
    auto const now = steady_now();
    if (end != End::answered) {
        result.unclear[end == End::timed_out ? "timed out" : "cut or malformed"] += 1;
        books.lost(sent.wish);
        return;
    }
    auto const& response = connection.response();
    if (response.status == 201) return accept(sent, response, now);
    std::string const label = std::to_string(response.status) + " " + problem_code(response.body);
    if (auto const refusal = refusal_of(response)) {
        result.answers[label] += 1;
        return take_refusal(sent, *refusal, now);
    }
    switch (judge(response, 201)) {
        case Verdict::accepted:
        case Verdict::wrong:
            result.wrong[label] += 1;
            books.wrong(sent.wish, response.body);
            break;
        case Verdict::refused:
            result.unclear[label] += 1;
            books.turned_away(sent.wish);
            break;
        case Verdict::unclear:
            result.unclear[label] += 1;
            // That key's other request is on its way, and its answer will say.
            if (response.status == 409) books.turned_away(sent.wish);
            if (response.status != 409) books.lost(sent.wish);
            break;
    }
}

void Spike::accept(Sent const& sent, Response const& response, SteadyTime now) {
    result.answers[response.replayed ? "201 replayed" : "201"] += 1;
    bool const first = shop_.books().at(sent.wish).fate != Fate::acknowledged;
    note(shop_.books().acknowledge(sent.wish, response.body));
    if (!response.replayed) {
        result.accepted.record(nanoseconds_of(now - sent.due));
        moment_at(now).accepted += 1;
    }
    if (first) result.last_accepted = std::max(result.last_accepted, now - start_);
    if (!sent.person || std::exchange(decided_[sent.wish], 1) != 0) return;
    result.decided = std::max(result.decided, now - start_);
}

void Spike::take_refusal(Sent const& sent, Refusal refusal, SteadyTime now) {
    note(shop_.books().refuse(sent.wish, refusal, sent.told));
    auto const took = nanoseconds_of(now - sent.due);
    if (!sent.person) {
        result.bots.record(took);
        moment_at(now).bots += 1;
        return;
    }
    moment_at(now).refused += 1;
    bool const early = refusal == Refusal::not_started;
    (early ? result.early : result.refused).record(took);
    if (early || std::exchange(decided_[sent.wish], 1) != 0) return;
    result.decided = std::max(result.decided, now - start_);
}

void Spike::note(std::optional<std::string> fault) {
    if (fault && result.faults.size() < faults_shown_max)
        result.faults.push_back(std::move(*fault));
}

Moment& Spike::moment_at(SteadyTime at) {
    auto const index = moment_of(at - start_);
    if (index >= result.moments.size()) result.moments.resize(index + 1);
    return result.moments[index];
}

/// Everybody who was not told yes or no asks again, under the same key.
asio::awaitable<void> Spike::resolve() {
    auto& books = shop_.books();
    auto const undecided = books.with_fate(Fate::unanswered);
    result.undecided = undecided.size();
    auto const give_up = steady_now() + resolve_max;
    Random random(entropy());
    auto& connection = connections_.front();
    for (auto const wish : undecided) {
        for (unsigned attempt = 1; steady_now() < give_up; ++attempt) {
            auto const deadline = steady_now() + options_.timeout;
            auto const end = co_await connection.exchange(requests_[wish], deadline);
            bool const answered = end == End::answered;
            auto const& response = connection.response();
            auto const refusal = answered ? refusal_of(response) : std::nullopt;
            if (refusal) note(books.refuse(wish, *refusal, SaleBooks::Told::nothing));
            if (answered && response.status == 201) note(books.acknowledge(wish, response.body));
            if (books.at(wish).fate != Fate::unanswered) {
                result.resolved += 1;
                break;
            }
            auto const delay = retry_delay(attempt, response.retry_after_s, random);
            co_await reactor::sleep_until(std::min(give_up, steady_now() + delay));
        }
    }
}

}  // namespace

SpikeResult play_spike(Options const& options) {
    if (!options.against.empty())
        throw BadOptions("a spike looks at one server: no --against (or --load accepted, refused)");
    claim_descriptors(options.connections + options.sale.bots);
    Ground ground(options);
    Spike spike(ground, options);
    ground.run(spike.play());
    return std::move(spike.result);
}

}  // namespace penstock::bench::sale
