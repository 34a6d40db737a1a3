#include "bench/chaos/chaos.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <exception>

#include "bench/chaos/sale_round.hpp"
#include "bench/client.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench::chaos {
namespace {

void add(RoundResult& total, RoundResult const& round) {
    total.judgement.add(round.judgement);
    total.crew.add(round.crew);
    total.sales.stock += round.sales.stock;
    total.sales.sold += round.sales.sold;
    total.sales.rest += round.sales.rest;
    total.sales.over_sold += round.sales.over_sold;
    total.sales.over_limit += round.sales.over_limit;
    total.sales.cancelled += round.sales.cancelled;
    total.sales.restocked += round.sales.restocked;
    for (auto const& difference : round.off) {
        if (total.off.size() < Judgement::details_max) total.off.push_back(difference);
    }
}

std::string describe(Options const& o) {
    std::string text = o.scenario + ", " + std::to_string(o.connections) + " connections, " +
                       std::to_string(std::max<std::size_t>(o.chaos.servers.size(), 1)) +
                       " server(s)";
    if (!o.chaos.redis.empty()) text += ", Redis";
    if (!o.chaos.postgres.empty()) text += ", PostgreSQL";
    if (o.scenario != "sale") return text;
    text += "; " + std::to_string(o.sale.users) + " users for " + std::to_string(o.sale.stock) +
            " units, at most " + std::to_string(o.sale.per_user_limit) + " each";
    return text + (o.sale.paid ? ", paid in a ledger" : "");
}

class Campaign {
public:
    Campaign(asio::any_io_executor executor, Options const& options)
        : executor_(executor), options_(options), background_(executor), random_(options.seed) {
        result_.conditions = describe(options);
        result_.seed = options.seed;
    }

    asio::awaitable<void> main();
    void stop() { stopped_ = true; }
    ChaosResult take_result() { return std::move(result_); }

private:
    asio::awaitable<void> play(Stage& stage);
    asio::awaitable<RoundResult> play_one(Stage& stage, std::string name);
    void say(RoundResult const& round) const;

    asio::any_io_executor executor_;
    Options options_;
    Sweeper sweeper_;
    reactor::TaskGroup background_;
    Random random_;
    ChaosResult result_;
    bool stopped_ = false;
};

asio::awaitable<void> Campaign::main() {
    background_.spawn(sweeper_.run());
    std::exception_ptr failure;
    auto const began = steady_now();
    try {
        Stage stage(executor_, sweeper_, options_, random_.next());
        co_await play(stage);
        result_.faults = stage.faults();
        result_.surprises = stage.surprises();
    } catch (...) {
        failure = std::current_exception();
    }
    result_.seconds = std::chrono::duration<double>(steady_now() - began).count();
    background_.cancel();
    co_await background_.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Campaign::play(Stage& stage) {
    co_await stage.open();
    std::string run_id;
    Random names(entropy());
    append_uuid4(run_id, names);
    for (unsigned i = 0; i < options_.chaos.rounds && !stopped_; ++i) {
        std::string const name = "chaos-" + run_id.substr(0, 8) + "-" + std::to_string(i);
        auto const played = co_await play_one(stage, name);
        add(result_.total, played);
        result_.rounds += 1;
        say(played);
    }
    co_await stage.close();
}

asio::awaitable<RoundResult> Campaign::play_one(Stage& stage, std::string name) {
    auto const seed = random_.next();
    if (options_.scenario == "sale") {
        SaleRound round(executor_, sweeper_, stage, options_, name, seed);
        co_return co_await round.play();
    }
    Round round(executor_, sweeper_, stage, options_, name, seed);
    co_return co_await round.play();
}

void Campaign::say(RoundResult const& round) const {
    auto const& j = round.judgement;
    auto const& sales = round.sales;
    std::string sold;
    if (sales.stock > 0) {
        sold = std::to_string(sales.sold) + " of " + std::to_string(sales.stock) + " sold (" +
               std::to_string(sales.rest) + " at the end), " + std::to_string(sales.over_sold) +
               " over, ";
    }
    std::fprintf(stderr, "round %u: %s%llu acknowledged, %llu unanswered at first, %s\n",
                 result_.rounds, sold.c_str(), static_cast<unsigned long long>(j.acknowledged),
                 static_cast<unsigned long long>(j.unanswered),
                 round.sound() ? "nothing lost, nothing doubled" : "NOT SOUND");
}

}  // namespace

ChaosResult run_chaos(Options const& options) {
    asio::io_context context{1};
    Campaign campaign(context.get_executor(), options);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&campaign, &signals](error_code error, int) {
        if (error) return;
        campaign.stop();
        signals.clear();  // the second one kills
    });
    std::exception_ptr failure;
    asio::co_spawn(context, campaign.main(), [&](std::exception_ptr e) {
        failure = e;
        signals.cancel();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return campaign.take_result();
}

}  // namespace penstock::bench::chaos
