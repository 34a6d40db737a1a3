#include "bench/idle.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>

#include "bench/client.hpp"
#include "bench/connection.hpp"
#include "bench/target.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

/// So many connections ask at the same time: the others wait their turn, as idle ones do.
constexpr std::size_t askers = 64;

/// Descriptors that are not connections of the crowd.
constexpr rlim_t spare_descriptors = 32;

void claim_descriptors(unsigned connections) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_max < connections + spare_descriptors)
        throw Unusable("the hard limit of open files is " + std::to_string(limit.rlim_max) +
                       ": too low for --connections " + std::to_string(connections));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// The value of a metric that has no labels; negative when it is not there.
double metric(std::string_view text, std::string_view name) {
    std::string const line = "\n" + std::string(name) + " ";
    auto const at = text.find(line);
    if (at == std::string_view::npos) return -1;
    return std::strtod(std::string(text.substr(at + line.size(), 32)).c_str(), nullptr);
}

/// Without the Accept of the load's requests: /metrics is no JSON.
std::string get_request(Target const& target, std::string_view path) {
    std::string text = "GET ";
    text.append(path).append(" HTTP/1.1\r\nHost: ").append(target.authority).append("\r\n");
    if (!target.api_key.empty())
        text.append("Authorization: Bearer ").append(target.api_key).append("\r\n");
    return text.append("\r\n");
}

class Crowd {
public:
    Crowd(asio::any_io_executor executor, Options const& options, Target const& target)
        : executor_(executor),
          options_(options),
          health_(get_request(target, "/healthz")),
          metrics_(get_request(target, "/metrics")),
          background_(executor) {
        result.connections = options.connections;
        result.silence_s = options.duration_s;
    }

    asio::awaitable<void> main(asio::ip::tcp::endpoint endpoint);

    IdleResult result;

private:
    asio::awaitable<void> work(asio::ip::tcp::endpoint endpoint);
    asio::awaitable<unsigned> ask_all();
    asio::awaitable<void> ask_every(std::size_t first);
    asio::awaitable<double> resident();

    asio::any_io_executor executor_;
    Options options_;
    std::string health_;
    std::string metrics_;
    Sweeper sweeper_;
    std::deque<Connection> crowd_;
    std::optional<Connection> observer_;
    reactor::TaskGroup background_;
    unsigned answered_ = 0;
};

asio::awaitable<void> Crowd::main(asio::ip::tcp::endpoint endpoint) {
    background_.spawn(sweeper_.run());
    std::exception_ptr failure;
    try {
        co_await work(std::move(endpoint));
    } catch (...) {
        failure = std::current_exception();
    }
    background_.cancel();
    co_await background_.join();
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Crowd::work(asio::ip::tcp::endpoint endpoint) {
    observer_.emplace(executor_, sweeper_, endpoint);
    for (unsigned i = 0; i < options_.connections; ++i)
        crowd_.emplace_back(executor_, sweeper_, endpoint);
    result.resident_before = co_await resident();
    result.answered_first = co_await ask_all();
    std::chrono::duration<double> const silence(options_.duration_s);
    co_await reactor::sleep_until(steady_now() + std::chrono::duration_cast<milliseconds>(silence));
    result.resident_with = co_await resident();
    result.answered_again = co_await ask_all();
}

/// How many of the crowd were answered.
asio::awaitable<unsigned> Crowd::ask_all() {
    answered_ = 0;
    reactor::TaskGroup asking(executor_);
    for (std::size_t first = 0; first < std::min(askers, crowd_.size()); ++first)
        asking.spawn(ask_every(first));
    co_await asking.join();
    co_return answered_;
}

/// Every so many of the crowd, one after the other.
asio::awaitable<void> Crowd::ask_every(std::size_t first) {
    for (std::size_t i = first; i < crowd_.size(); i += askers) {
        auto& connection = crowd_[i];
        auto const end = co_await connection.exchange(health_, steady_now() + options_.timeout);
        if (end == End::answered && connection.response().status == 200) ++answered_;
    }
}

asio::awaitable<double> Crowd::resident() {
    auto const end = co_await observer_->exchange(metrics_, steady_now() + options_.timeout);
    auto const status = end == End::answered ? observer_->response().status : 0;
    if (status != 200)
        throw Unusable("/metrics gives no answer that can be used" +
                       (status != 0 ? ": status " + std::to_string(status) : std::string()));
    auto const bytes = metric(observer_->response().body, "process_resident_memory_bytes");
    if (bytes < 0) throw Unusable("/metrics does not tell the server's memory");
    co_return bytes;
}

double mebibytes(double bytes) { return bytes / 1024 / 1024; }

}  // namespace

IdleResult hold_idle(Options const& options) {
    if (!options.against.empty()) throw BadOptions("idle looks at one server: no --against");
    if (!options.html_file.empty()) throw BadOptions("idle has no plots: no --html");
    claim_descriptors(options.connections);
    auto target = *Target::parse(options.target);
    target.api_key = options.api_key;
    asio::io_context context{1};
    error_code error;
    asio::ip::tcp::resolver resolver(context);
    auto const found = resolver.resolve(target.host, target.port, error);
    if (error) throw Unusable("cannot resolve " + target.url + ": " + error.message());
    Crowd crowd(context.get_executor(), options, target);
    std::exception_ptr failure;
    auto const endpoint = found.begin()->endpoint();
    asio::co_spawn(context, crowd.main(endpoint), [&](std::exception_ptr e) { failure = e; });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return crowd.result;
}

std::string table(IdleResult const& result) {
    char text[512];
    auto const added = result.resident_with - result.resident_before;
    std::snprintf(text, sizeof text,
                  "%u keep-alive connections: %u answered, %u again after %.0f s of silence\n"
                  "resident memory of the server: %.1f MiB before them, %.1f MiB with them, "
                  "%.1f KiB each\n",
                  result.connections, result.answered_first, result.answered_again,
                  result.silence_s, mebibytes(result.resident_before),
                  mebibytes(result.resident_with), added / 1024 / result.connections);
    return text;
}

std::string to_json(IdleResult const& result) {
    boost::json::object const object{
        {"connections", result.connections},         {"answered_first", result.answered_first},
        {"answered_again", result.answered_again},   {"silence_s", result.silence_s},
        {"resident_before", result.resident_before}, {"resident_with", result.resident_with},
    };
    return boost::json::serialize(object) + "\n";
}

}  // namespace penstock::bench
