#include "cache/lease.hpp"

#include <utility>
#include <vector>

#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"

namespace penstock::cache {

asio::awaitable<bool> Lease::hold(SteadyTime deadline) {
    std::vector<std::string> keys;
    keys.push_back(name_);
    std::vector<std::string> arguments;
    arguments.push_back(token_);
    arguments.push_back(std::to_string(length_.count()));
    auto const answer =
        co_await redis_.eval(scripts::mark_again, std::move(keys), std::move(arguments), deadline);
    co_return answer && answer->kind == Reply::Kind::integer && answer->number == 1;
}

void Lease::give_up() {
    // By its text: nobody waits who could answer a NOSCRIPT.
    redis_.post(Command("EVAL", scripts::compare_and_delete.text(), 1, name_, token_));
}

}  // namespace penstock::cache
