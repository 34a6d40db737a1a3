#include "cache/redis_process.hpp"

#include <utility>

#include "cache/redis_client.hpp"

namespace penstock::cache {
namespace {

std::string const unknown;

/// The value of `run_id` in INFO's lines; empty: there is none.
std::string run_id_in(std::string_view info) {
    constexpr std::string_view member = "\nrun_id:";
    auto const at = info.find(member);
    if (at == info.npos) return {};
    auto const value = info.substr(at + member.size());
    return std::string(value.substr(0, value.find_first_of("\r\n")));
}

}  // namespace

std::string const& RedisProcess::name() const {
    bool const same = redis_.up() && redis_.metrics().connects.get() == connection_;
    return same ? name_ : unknown;
}

asio::awaitable<Answer<std::string>> RedisProcess::learn(Script const& script,
                                                         SteadyTime deadline) {
    auto const connection = redis_.metrics().connects.get();
    Command info("INFO", "server");
    auto const answer = co_await redis_.command(std::move(info), deadline);
    if (!answer) co_return answer.error();
    auto name = run_id_in(answer->text);
    if (name.empty()) co_return Failure{Errc::refused_by_redis, "INFO server names no run_id"};
    Command load("SCRIPT", "LOAD", script.text());
    auto const loaded = co_await redis_.command(std::move(load), deadline);
    if (!loaded) co_return loaded.error();
    if (redis_.metrics().connects.get() != connection) co_return failure_of(Errc::unavailable);
    name_ = name;
    connection_ = connection;
    co_return name;
}

}  // namespace penstock::cache
