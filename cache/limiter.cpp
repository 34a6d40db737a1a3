#include "cache/limiter.hpp"

#include <utility>
#include <vector>

#include "cache/judgement.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"

namespace penstock::cache {
namespace {

bool is_admission(Reply const& reply) {
    return reply.kind == Reply::Kind::array && reply.elements.size() == 2 &&
           reply.elements[0].kind == Reply::Kind::integer &&
           reply.elements[1].kind == Reply::Kind::integer;
}

}  // namespace

asio::awaitable<Answer<Admission>> Limiter::admit(std::string subject, RateLimit limit) {
    auto const now = steady_now();
    auto const pass = breaker_.admit(now);
    if (!pass) co_return failure_of(Errc::unavailable);
    Judgement judgement(breaker_, *pass);
    std::vector<std::string> keys;
    keys.push_back("ps:rl:" + std::move(subject));
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(limit.interval.count()));
    arguments.push_back(std::to_string(limit.window().count()));
    auto const answer = co_await redis_.eval(scripts::rate_limit, std::move(keys),
                                             std::move(arguments), never, wait_);
    // Whatever the reason, Redis is of no use here: also when it is full, or refuses the script.
    bool const good = answer && is_admission(*answer);
    judgement.set(good ? Verdict::success : Verdict::failure);
    if (!answer) co_return answer.error();
    if (!good) co_return failure_of(Errc::refused_by_redis);
    co_return Admission{answer->elements[0].number != 0, microseconds{answer->elements[1].number}};
}

}  // namespace penstock::cache
