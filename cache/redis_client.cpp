#include "cache/redis_client.hpp"

#include <algorithm>
#include <utility>

#include "cache/judgement.hpp"

namespace penstock::cache {
namespace {

/// What the end of a call says about Redis. Not connected is known already and answered at once;
/// a caller who left before our patience ended proves nothing.
Verdict verdict_on(Result<Reply> const& reply, bool patience_ended) {
    if (reply) {
        bool const passing = reply->is_error() && reaction_to(reply->text) == Errc::unavailable;
        return passing ? Verdict::failure : Verdict::success;
    }
    if (reply.error() == Errc::connection_lost) return Verdict::failure;
    bool const late = reply.error() == reactor::Errc::deadline_exceeded;
    return late && patience_ended ? Verdict::failure : Verdict::none;
}

Command call_of(std::string_view verb, std::string_view script,
                std::vector<std::string> const& keys, std::vector<std::string> const& arguments) {
    Command command(verb, script, keys.size());
    for (auto const& key : keys) command.add(key);
    for (auto const& argument : arguments) command.add(argument);
    return command;
}

}  // namespace

RedisClient::RedisClient(asio::any_io_executor executor, RedisClientOptions options,
                         RandomSource random)
    : breaker_(options.breaker),
      connection_(std::move(executor), std::move(options.address), options.connection,
                  std::move(random), metrics_),
      patience_(options.patience) {}

asio::awaitable<Answer<Reply>> RedisClient::command(Command command, SteadyTime deadline,
                                                    milliseconds reply_max) {
    auto const pass = breaker_.admit(steady_now());
    show_breaker();
    if (!pass) co_return failed(Errc::unavailable);
    Result<Reply> reply = Errc::unavailable;
    {
        Judgement judgement(breaker_, *pass);
        reply = co_await connection_.execute(std::move(command), deadline,
                                             std::min(reply_max, patience_));
        judgement.set(verdict_on(reply, reply_max >= patience_ && steady_now() < deadline));
    }
    show_breaker();
    if (!reply) co_return failed(reply.error());
    if (reply->is_error()) co_return refused(std::move(reply->text));
    co_return std::move(*reply);
}

asio::awaitable<Answer<Reply>> RedisClient::eval(Script const& script,
                                                 std::vector<std::string> keys,
                                                 std::vector<std::string> arguments,
                                                 SteadyTime deadline, milliseconds reply_max) {
    auto by_hash = call_of("EVALSHA", script.sha1(), keys, arguments);
    auto answer = co_await command(std::move(by_hash), deadline, reply_max);
    if (answer || !answer.error().text.starts_with("NOSCRIPT")) co_return answer;
    metrics_.scripts_sent.add();
    auto by_text = call_of("EVAL", script.text(), keys, arguments);
    co_return co_await command(std::move(by_text), deadline, reply_max);
}

asio::awaitable<error_code> RedisClient::ping(SteadyTime deadline) {
    Command ping("PING");
    auto const answer = co_await command(std::move(ping), deadline);
    if (answer) co_return error_code();
    co_return answer.error().code;
}

Failure RedisClient::failed(error_code code) {
    if (code == Errc::connection_lost) metrics_.failed_lost.add();
    if (code == Errc::unavailable) metrics_.failed_unavailable.add();
    if (code == Errc::refused_by_redis) metrics_.failed_refused.add();
    if (code == reactor::Errc::overloaded) metrics_.failed_overloaded.add();
    if (code == reactor::Errc::deadline_exceeded) metrics_.failed_late.add();
    return failure_of(code);
}

Failure RedisClient::refused(std::string text) {
    if (wants_new_connection(text)) connection_.reopen();
    // NOSCRIPT is a question, not a failure: eval() answers it.
    if (text.starts_with("NOSCRIPT")) return {Errc::refused_by_redis, std::move(text)};
    auto failure = failed(reaction_to(text));
    failure.text = std::move(text);
    return failure;
}

void RedisClient::show_breaker() {
    metrics_.breaker_state.set(static_cast<std::uint64_t>(breaker_.state()));
    metrics_.breaker_openings.set(breaker_.openings());
}

}  // namespace penstock::cache
