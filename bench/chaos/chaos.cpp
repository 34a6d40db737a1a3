#include "bench/chaos/chaos.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <exception>

#include "bench/client.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench::chaos {
namespace {

void add(RoundResult& total, RoundResult const& round) {
    total.judgement.add(round.judgement);
    total.sent += round.sent;
    total.replays_compared += round.replays_compared;
    total.replays_different += round.replays_different;
    for (auto const& difference : round.off) {
        if (total.off.size() < details_max) total.off.push_back(difference);
    }
    total.unusable = std::max(total.unusable, round.unusable);
    total.unusable_while_answered =
        std::max(total.unusable_while_answered, round.unusable_while_answered);
}

std::string describe(Options const& o) {
    std::string text = o.scenario + ", " + std::to_string(o.connections) + " connections, " +
                       std::to_string(std::max<std::size_t>(o.chaos.servers.size(), 1)) +
                       " server(s)";
    if (!o.chaos.redis.empty()) text += ", Redis";
    if (!o.chaos.postgres.empty()) text += ", PostgreSQL";
    return text;
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
        Round round(executor_, sweeper_, stage, options_, name, random_.next());
        auto const played = co_await round.play();
        add(result_.total, played);
        result_.rounds += 1;
        say(played);
    }
    co_await stage.close();
}

void Campaign::say(RoundResult const& round) const {
    auto const& j = round.judgement;
    std::fprintf(stderr, "round %u: %llu acknowledged, %llu unanswered at first, %s\n",
                 result_.rounds, static_cast<unsigned long long>(j.acknowledged),
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
