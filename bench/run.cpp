#include "bench/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <stop_token>

#include "bench/arm.hpp"
#include "bench/conditions.hpp"
#include "bench/scenario.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

/// A load without an end of its own (a replay) is cut after so long.
constexpr std::chrono::hours load_max{12};

/// What is refused is compared with the least that the same server does for anybody, a balance of
/// credits with a plain account.
bool compares_with_itself(Options const& options) {
    bool const refused = options.scenario == "sale" && options.sale.load == SaleLoad::refused;
    return refused || options.scenario == "credits-reads";
}

/// One server of the run, with everything that is its own.
struct Side {
    Side(asio::any_io_executor executor, Sweeper& sweeper, asio::ip::tcp::endpoint endpoint,
         ScenarioContext context, ArmLimits const& limits)
        : url(context.target.url),
          client(executor, sweeper, endpoint, context.target, entropy()),
          scenario(make_scenario(std::move(context))),
          arm(executor, sweeper, endpoint, *scenario, limits, entropy()) {}

    std::string url;
    std::string server;
    Client client;
    std::unique_ptr<Scenario> scenario;
    Arm arm;
};

class Run {
public:
    Run(asio::any_io_executor executor, Options const& options)
        : executor_(executor), options_(options), background_(executor) {}

    asio::awaitable<void> main();
    RunResult take_result() { return std::move(result_); }
    void stop();

private:
    asio::awaitable<void> work();
    asio::awaitable<void> open(std::string url);
    void add_side(Target target, asio::ip::tcp::endpoint endpoint);
    asio::awaitable<void> measure();
    asio::awaitable<void> measure_slice(Side& side, std::chrono::duration<double> length);
    asio::awaitable<void> finish(Side& side);
    asio::awaitable<void> show_progress();
    void say(char const* phase, Side const& side);
    bool all_exhausted() const;
    ArmLimits limits() const;

    asio::any_io_executor executor_;
    Options options_;
    Sweeper sweeper_;
    reactor::TaskGroup background_;
    std::vector<std::unique_ptr<Side>> sides_;
    RunResult result_;
    bool terminal_ = isatty(STDERR_FILENO) == 1;
    bool stopped_ = false;
};

asio::awaitable<void> Run::main() {
    background_.spawn(sweeper_.run());
    if (terminal_) background_.spawn(show_progress());
    std::exception_ptr failure;
    try {
        co_await work();
    } catch (...) {
        failure = std::current_exception();
    }
    background_.cancel();
    co_await background_.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Run::work() {
    result_.options = options_;
    result_.started_at = utc_now();
    co_await open(options_.target);
    if (compares_with_itself(options_) && options_.against.empty())
        options_.against.push_back(options_.target);
    for (auto const& url : options_.against) co_await open(url);
    for (auto const& side : sides_) {
        say("setting up", *side);
        auto const version = co_await side->client.get("/version");
        if (version.status == 200) side->server = boost::json::serialize(version.body);
        co_await side->scenario->setup(side->client);
    }
    result_.unit = sides_.front()->scenario->unit();
    co_await measure();
    for (auto const& side : sides_) co_await finish(*side);
    auto const& arms = result_.arms;
    for (std::size_t i = 1; i < arms.size(); ++i) {
        result_.comparisons.push_back({arms[i].url, compare(arms[0].stats, arms[i].stats)});
    }
}

asio::awaitable<void> Run::open(std::string url) {
    auto const target = *Target::parse(url);
    asio::ip::tcp::resolver resolver(executor_);
    auto const [error, found] =
        co_await resolver.async_resolve(target.host, target.port, reactor::as_result);
    if (error) throw Unusable("cannot resolve " + url + ": " + error.message());
    add_side(target, found.begin()->endpoint());
}

void Run::add_side(Target target, asio::ip::tcp::endpoint endpoint) {
    ScenarioContext context;
    context.target = std::move(target);
    context.target.api_key = options_.api_key;
    context.options = options_;
    context.compared_with = !sides_.empty();
    if (context.compared_with && options_.repeat_against) {
        context.options.repeat = *options_.repeat_against;
    }
    context.run_id = new_run_id();
    context.key_seed = entropy();
    sides_.push_back(std::make_unique<Side>(executor_, sweeper_, std::move(endpoint),
                                            std::move(context), limits()));
}

ArmLimits Run::limits() const {
    ArmLimits limits;
    limits.connections = options_.connections;
    limits.timeout = options_.timeout;
    limits.rate = options_.rate;
    limits.requests = options_.requests;
    return limits;
}

asio::awaitable<void> Run::measure() {
    using Seconds = std::chrono::duration<double>;
    bool const replay = sides_.front()->scenario->must_finish();
    bool const counted = replay || options_.requests > 0;
    Seconds const total = counted ? Seconds(load_max) : Seconds(options_.duration_s);
    Seconds const warmup(replay ? 0 : options_.warmup_s);
    Seconds const slice = sides_.size() > 1 ? Seconds(options_.slice_s) : total;
    CpuShare const share;
    for (auto const& side : sides_) {
        if (warmup.count() > 0) co_await side->arm.slice(warmup, false);
    }
    // A remainder shorter than a tenth of a slice is rounding, not a slice.
    for (Seconds left = total; left > slice * 0.1 && !all_exhausted(); left -= slice) {
        for (auto const& side : sides_) {
            if (side->arm.exhausted() || stopped_) continue;
            co_await measure_slice(*side, std::min(slice, left));
        }
    }
    result_.generator_cpu = share.of_one_core();
}

asio::awaitable<void> Run::measure_slice(Side& side, std::chrono::duration<double> length) {
    std::stop_source over;
    reactor::TaskGroup watching(executor_);
    watching.spawn(side.scenario->watch(side.client, over.get_token()));
    co_await side.arm.slice(length, true);
    over.request_stop();
    co_await watching.join();
}

bool Run::all_exhausted() const {
    auto const exhausted = [](auto const& side) { return side->arm.exhausted(); };
    return stopped_ || std::all_of(sides_.begin(), sides_.end(), exhausted);
}

asio::awaitable<void> Run::finish(Side& side) {
    say("checking the books of", side);
    co_await side.arm.resolve();
    ArmResult result;
    result.url = side.url;
    result.server = side.server;
    try {
        result.off = co_await side.scenario->check(side.client);
    } catch (Unusable const& error) {
        // The figures are worth printing even when the server does not live to be checked.
        result.off.push_back(std::string("cannot be checked: ") + error.what());
    }
    result.stats = side.arm.stats();
    result.figures = side.scenario->figures();
    result_.arms.push_back(std::move(result));
}

void Run::stop() {
    stopped_ = true;
    for (auto const& side : sides_) side->arm.stop();
}

void Run::say(char const* phase, Side const& side) {
    if (terminal_) std::fprintf(stderr, "\r\x1b[K%s %s", phase, side.url.c_str());
}

asio::awaitable<void> Run::show_progress() {
    std::vector<std::uint64_t> before;
    for (;;) {
        auto const began = steady_now();
        bool const awake = co_await reactor::sleep_until(began + milliseconds{1000});
        if (!awake) break;
        before.resize(sides_.size());
        std::string line;
        for (std::size_t i = 0; i < sides_.size(); ++i) {
            auto const& stats = sides_[i]->arm.stats();
            auto const accepted = stats.accepted();
            auto const fresh = accepted - std::exchange(before[i], accepted);
            if (accepted == 0) continue;
            auto const latency = stats.slices.back().latency.percentile(99);
            line += "  " + sides_[i]->url + " " + std::to_string(accepted) + " accepted, " +
                    std::to_string(fresh) + "/s, p99 " + duration_text(latency);
        }
        if (!line.empty()) std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    }
    std::fprintf(stderr, "\r\x1b[K");
}

}  // namespace

RunResult run(Options const& options) {
    asio::io_context context{1};
    Run the_run(context.get_executor(), options);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&the_run, &signals](error_code error, int) {
        if (error) return;
        the_run.stop();
        signals.clear();  // the second one kills
    });
    std::exception_ptr failure;
    asio::co_spawn(context, the_run.main(), [&](std::exception_ptr e) {
        failure = e;
        signals.cancel();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return the_run.take_result();
}

}  // namespace penstock::bench
