#include "cache/hot_closing.hpp"

#include "cache/hot_opened.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"

namespace penstock::cache {

asio::awaitable<Answer<HotOpened>> HotClosing::close(domain::LedgerId ledger, std::int64_t epoch,
                                                     std::int64_t drained, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.emplace_back(closed_books);
    for (auto const number : {epoch, drained, std::int64_t{0}})
        arguments.push_back(std::to_string(number));
    auto names = keys_.parts(ledger, {"books", "journal", "due", "claimed", "owners", "holds"});
    auto const reply =
        co_await redis_.eval(scripts::hot_open, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return opened_of(*reply);
}

asio::awaitable<Answer<bool>> HotClosing::forget(domain::LedgerId ledger, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.emplace_back(closed_books);
    auto names =
        keys_.parts(ledger, {"books", "journal", "due", "claimed", "owners", "holds", "dead"});
    auto const reply =
        co_await redis_.eval(scripts::hot_forget, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->number == 1;
}

}  // namespace penstock::cache
