#include "cache/redis_memory.hpp"

#include <charconv>
#include <string_view>

#include "cache/redis_client.hpp"

namespace penstock::cache {
namespace {

/// The value of a member in INFO's lines; empty: there is none.
std::string_view value_in(std::string_view info, std::string_view member) {
    std::string const start = "\n" + std::string(member) + ":";
    auto const at = info.find(start);
    if (at == info.npos) return {};
    auto const value = info.substr(at + start.size());
    return value.substr(0, value.find_first_of("\r\n"));
}

bool read(std::string_view text, std::uint64_t& number) {
    auto const* const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && !text.empty();
}

}  // namespace

asio::awaitable<Answer<RedisMemory>> memory_of(RedisClient& redis, SteadyTime deadline) {
    Command info("INFO", "memory");
    auto const answer = co_await redis.command(std::move(info), deadline);
    if (!answer) co_return answer.error();
    RedisMemory memory;
    memory.policy = value_in(answer->text, "maxmemory_policy");
    bool const is_whole = read(value_in(answer->text, "used_memory"), memory.used) &&
                          read(value_in(answer->text, "maxmemory"), memory.most);
    if (!is_whole || memory.policy.empty())
        co_return Failure{Errc::refused_by_redis, "INFO memory does not say how much there is"};
    co_return memory;
}

}  // namespace penstock::cache
