#include "bench/chaos/stage.hpp"

#include <signal.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bench/client.hpp"
#include "domain/assert.hpp"
#include "reactor/deadline.hpp"

namespace penstock::bench::chaos {
namespace {

constexpr std::chrono::seconds ready_max{120};
constexpr std::chrono::seconds end_max{60};
constexpr std::chrono::seconds command_max{60};
constexpr milliseconds probe_max{2000};
constexpr milliseconds probe_pause{20};
constexpr milliseconds restart_pause{200};
/// How long what was killed stays away, and how long what was frozen stays so, at most.
constexpr milliseconds away_max{400};
constexpr milliseconds frozen_max{2500};
/// Before a blow and after the last.
constexpr milliseconds calm_least{200};
constexpr milliseconds calm_more{900};

/// Below the ports that the kernel gives to clients: connecting to a dead server's port from that
/// very port would meet itself.
constexpr unsigned port_first = 20'000;
constexpr unsigned port_count = 12'000;
constexpr int port_attempts = 200;

unsigned free_port(Random& random) {
    for (int i = 0; i < port_attempts; ++i) {
        auto const port = static_cast<unsigned short>(port_first + random.below(port_count));
        asio::io_context context;
        asio::ip::tcp::acceptor probe(context);
        asio::ip::tcp::endpoint const wanted(asio::ip::address_v4::loopback(), port);
        error_code error;
        probe.open(wanted.protocol(), error);
        probe.bind(wanted, error);
        if (!error) return port;
    }
    throw Unusable("no free port");
}

std::string with_address(std::string command, std::string const& address) {
    std::string const mark = "{listen}";
    for (auto at = command.find(mark); at != command.npos; at = command.find(mark, at)) {
        command.replace(at, mark.size(), address);
    }
    return command;
}

}  // namespace

Stage::Stage(asio::any_io_executor executor, Sweeper& sweeper, Options const& options,
             std::uint64_t seed)
    : executor_(executor), options_(options), random_(seed) {
    auto const& chaos = options.chaos;
    if (!chaos.postgres.empty()) {
        postgres_ = std::make_unique<Process>("PostgreSQL", chaos.postgres);
    }
    if (!chaos.redis.empty()) redis_ = std::make_unique<Process>("Redis", chaos.redis);
    // The ports are not the choices' business: two campaigns of one seed may run side by side.
    for (auto const& command : chaos.servers) add_server(executor, sweeper, command);
    if (chaos.servers.empty()) add_server(executor, sweeper, "");
    plan_blows();
}

void Stage::add_server(asio::any_io_executor executor, Sweeper& sweeper,
                       std::string const& command) {
    Server server;
    std::string url = options_.target;
    if (!command.empty()) {
        Random ports(entropy());
        auto const address = "127.0.0.1:" + std::to_string(free_port(ports));
        url = "http://" + address;
        std::string const name = "server " + std::to_string(servers_.size() + 1);
        server.process = std::make_unique<Process>(name, with_address(command, address));
    }
    server.target = *Target::parse(url);
    server.target.api_key = options_.api_key;
    asio::ip::tcp::resolver resolver(executor);
    error_code error;
    auto const found = resolver.resolve(server.target.host, server.target.port, error);
    if (error) throw Unusable("cannot resolve " + url + ": " + error.message());
    server.endpoint = found.begin()->endpoint();
    server.probe = std::make_unique<Connection>(executor, sweeper, server.endpoint);
    servers_.push_back(std::move(server));
}

void Stage::plan_blows() {
    bool const own_servers = !options_.chaos.servers.empty();
    if (own_servers) kinds_ = {Blow::kill_server, Blow::stop_server, Blow::freeze_server};
    if (redis_) kinds_.insert(kinds_.end(), {Blow::kill_redis, Blow::freeze_redis});
    if (redis_ && own_servers) kinds_.push_back(Blow::kill_server_and_redis);
    if (postgres_) kinds_.push_back(Blow::stop_postgres);
    for (std::size_t i = 0; i < options_.chaos.faults.size(); ++i) {
        kinds_.push_back(Blow::run_command);
    }
    PENSTOCK_ASSERT(!kinds_.empty());
}

asio::awaitable<void> Stage::open() {
    auto const give_up = steady_now() + ready_max;
    for (auto& server : servers_) {
        for (;;) {
            keep_running();
            bool const is_ready = co_await ready(server);
            if (is_ready) break;
            if (steady_now() >= give_up) {
                throw Unusable(server.target.url + " does not become ready");
            }
            co_await reactor::sleep_until(steady_now() + probe_pause);
        }
    }
    database_away_ = false;
}

void Stage::keep_running() {
    for (auto* const process : {postgres_.get(), redis_.get()}) {
        if (process && !process->running()) process->start();
    }
    for (auto& server : servers_) {
        if (!server.process || server.process->running()) continue;
        note_surprise(*server.process);
        server.process->start();
    }
}

void Stage::note_surprise(Process& process) {
    if (database_away_ || !process.ended_by_itself()) return;
    surprises_.push_back(process.name() + " ended by itself with " +
                         std::to_string(process.outcome()));
}

asio::awaitable<bool> Stage::ready(Server& server) {
    std::string request;
    write_get(request, server.target, "/readyz");
    auto const end = co_await server.probe->exchange(request, steady_now() + probe_max);
    if (end != End::answered) {
        // A server that found no database gives up at once: not as fast as we can start it.
        bool const down = server.process && !server.process->running();
        if (down) co_await reactor::sleep_until(steady_now() + restart_pause);
        co_return false;
    }
    co_return server.probe->response().status == 200;
}

asio::awaitable<void> Stage::attack() {
    auto const blows = 1 + random_.below(2);
    for (std::uint64_t i = 0; i <= blows; ++i) {
        co_await reactor::sleep_until(steady_now() + calm_least);
        co_await pause(calm_more);
        if (i < blows) co_await strike();
    }
}

asio::awaitable<void> Stage::strike() {
    if (bag_.empty()) {
        bag_ = kinds_;
        for (auto i = bag_.size(); i > 1; --i) std::swap(bag_[i - 1], bag_[random_.below(i)]);
    }
    auto const blow = bag_.back();
    bag_.pop_back();
    keep_running();
    co_await deal(blow);
    co_await open();
}

asio::awaitable<void> Stage::deal(Blow blow) {
    switch (blow) {
        case Blow::kill_server:
            faults_["server killed"] += 1;
            co_await kill(any_server(), SIGKILL);
            break;
        case Blow::stop_server:
            faults_["server stopped"] += 1;
            co_await stop(any_server());
            break;
        case Blow::freeze_server:
            faults_["server frozen"] += 1;
            co_await freeze(any_server());
            break;
        case Blow::kill_redis:
            faults_["Redis killed"] += 1;
            co_await kill(*redis_, SIGKILL);
            break;
        case Blow::freeze_redis:
            faults_["Redis frozen"] += 1;
            co_await freeze(*redis_);
            break;
        case Blow::kill_server_and_redis:
            faults_["server and Redis killed"] += 1;
            redis_->signal(SIGKILL);
            co_await kill(any_server(), SIGKILL);
            break;
        case Blow::stop_postgres:
            // SIGQUIT is "immediate": no checkpoint, every session dropped, recovery at the start.
            faults_["PostgreSQL stopped at once"] += 1;
            database_away_ = true;
            co_await kill(*postgres_, SIGQUIT);
            break;
        case Blow::run_command:
            co_await run_command();
            break;
    }
}

asio::awaitable<void> Stage::kill(Process& process, int signal_number) {
    process.signal(signal_number);
    auto const how = co_await process.ended(steady_now() + end_max);
    if (!how) throw Unusable(process.name() + " does not end");
    co_await pause(away_max);
}

asio::awaitable<void> Stage::stop(Process& process) {
    process.signal(SIGTERM);
    auto const how = co_await process.ended(steady_now() + end_max);
    if (!how) throw Unusable(process.name() + " does not end when it is asked to");
    if (*how != 0) {
        surprises_.push_back(process.name() + " was asked to end and ended with " +
                             std::to_string(*how));
    }
    co_await pause(away_max);
}

asio::awaitable<void> Stage::freeze(Process& process) {
    process.signal(SIGSTOP);
    co_await pause(frozen_max);
    process.signal(SIGCONT);
}

asio::awaitable<void> Stage::run_command() {
    auto const& commands = options_.chaos.faults;
    auto const& command = commands[commands_run_++ % commands.size()];
    faults_[command] += 1;
    Process process(command, command);
    process.start();
    auto const how = co_await process.ended(steady_now() + command_max);
    if (how && *how == 0) co_return;
    surprises_.push_back("`" + command + "` failed");
}

asio::awaitable<void> Stage::pause(milliseconds most) {
    auto const length = milliseconds(random_.below(static_cast<std::uint64_t>(most.count())));
    co_await reactor::sleep_until(steady_now() + length);
}

Process& Stage::any_server() { return *servers_[random_.below(servers_.size())].process; }

asio::awaitable<void> Stage::close() {
    for (auto& server : servers_) {
        if (server.process) co_await stop(*server.process);
    }
    for (auto* const process : {redis_.get(), postgres_.get()}) {
        if (!process) continue;
        process->signal(process == postgres_.get() ? SIGINT : SIGTERM);
        auto const how = co_await process->ended(steady_now() + end_max);
        if (!how) surprises_.push_back(process->name() + " does not end");
    }
}

}  // namespace penstock::bench::chaos
