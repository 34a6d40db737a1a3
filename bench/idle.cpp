#include "bench/idle.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "bench/client.hpp"
#include "bench/connection.hpp"
#include "bench/ground.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"

namespace penstock::bench {
namespace {

/// So many connections ask at the same time: the others wait their turn, as idle ones do.
constexpr std::size_t askers = 64;

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
    Crowd(Ground& ground, Options const& options)
        : ground_(ground),
          options_(options),
          health_(get_request(ground.target(), "/healthz")),
          metrics_(get_request(ground.target(), "/metrics")) {
        result.connections = options.connections;
        result.silence_s = options.duration_s;
    }

    asio::awaitable<void> work();

    IdleResult result;

private:
    asio::awaitable<unsigned> ask_all();
    asio::awaitable<void> ask_every(std::size_t first);
    asio::awaitable<double> resident();

    Ground& ground_;
    Options options_;
    std::string health_;
    std::string metrics_;
    std::deque<Connection> crowd_;
    std::optional<Connection> observer_;
    unsigned answered_ = 0;
};

asio::awaitable<void> Crowd::work() {
    observer_.emplace(ground_.executor(), ground_.sweeper(), ground_.endpoint());
    for (unsigned i = 0; i < options_.connections; ++i)
        crowd_.emplace_back(ground_.executor(), ground_.sweeper(), ground_.endpoint());
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
    reactor::TaskGroup asking(ground_.executor());
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
    Ground ground(options);
    Crowd crowd(ground, options);
    ground.run(crowd.work());
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
