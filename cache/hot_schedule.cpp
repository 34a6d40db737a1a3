#include "cache/hot_schedule.hpp"

#include <utility>

#include "cache/hot_replies.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"

namespace penstock::cache {
namespace {

/// {"claimed", drained, address, line, …}
Answer<std::optional<Claims>> claims_of(std::vector<Reply> const& parts) {
    if (!are_strings(parts)) return unexpected_reply();
    std::optional<Claims> claims;
    if (parts[0].text == "superseded") return claims;
    if (parts[0].text != "claimed" || parts.size() % 2 != 0) return unexpected_reply();
    auto const drained = read_position(parts[1].text);
    if (!drained) return unexpected_reply();
    claims.emplace();
    claims->drained = *drained;
    for (std::size_t i = 2; i < parts.size(); i += 2) {
        Claim claim;
        claim.address = parts[i].text;
        claim.line = parts[i + 1].text;
        claim.account = read_account(claim.line);
        claims->items.push_back(std::move(claim));
    }
    return claims;
}

}  // namespace

HotSchedule::HotSchedule(RedisClient& redis, domain::Uuid database)
    : redis_(redis), keys_(database) {}

asio::awaitable<Answer<std::optional<Claims>>> HotSchedule::claim(
    domain::LedgerId ledger, std::int64_t epoch, std::string owner, domain::Instant now,
    domain::Instant due_until, std::size_t limit, milliseconds lease, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(epoch));
    arguments.push_back(std::to_string(now.ms));
    arguments.push_back(std::to_string(due_until.ms));
    arguments.push_back(std::to_string(limit));
    arguments.push_back(std::move(owner));
    arguments.push_back(std::to_string(lease.count()));
    auto names = keys_.parts(ledger, {"books", "due", "claimed", "owners"});
    auto const reply =
        co_await redis_.eval(scripts::hot_claim, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return claims_of(reply->elements);
}

asio::awaitable<Answer<std::vector<std::string>>> HotSchedule::renew(
    domain::LedgerId ledger, std::string owner, domain::Instant until,
    std::vector<std::string> addresses, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::move(owner));
    arguments.push_back(std::to_string(until.ms));
    for (auto& address : addresses) arguments.push_back(std::move(address));
    auto names = keys_.parts(ledger, {"claimed", "owners"});
    auto const reply =
        co_await redis_.eval(scripts::hot_renew, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    std::vector<std::string> lost;
    for (auto const& address : reply->elements) lost.push_back(address.text);
    co_return lost;
}

asio::awaitable<Answer<std::int64_t>> HotSchedule::release(domain::LedgerId ledger,
                                                           std::string owner, domain::Instant now,
                                                           std::vector<Claim> claims,
                                                           bool is_written, SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::move(owner));
    arguments.push_back(std::to_string(now.ms));
    for (auto& claim : claims) {
        arguments.push_back(std::move(claim.address));
        arguments.push_back(is_written ? std::move(claim.line) : std::string());
    }
    auto names = keys_.parts(ledger, {"books", "due", "claimed", "owners"});
    auto const reply = co_await redis_.eval(scripts::hot_release, std::move(names),
                                            std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->number;
}

asio::awaitable<Answer<bool>> HotSchedule::bury(domain::LedgerId ledger, std::string owner,
                                                Claim claim, std::string why, domain::Instant now,
                                                SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(now.ms));
    arguments.push_back(std::move(why));
    arguments.push_back(std::move(claim.address));
    arguments.push_back(std::move(claim.line));
    arguments.push_back(std::move(owner));
    auto names = keys_.parts(ledger, {"dead", "due", "claimed", "owners"});
    auto const reply =
        co_await redis_.eval(scripts::hot_bury, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->number == 1;
}

asio::awaitable<Answer<bool>> HotSchedule::mended(domain::LedgerId ledger, std::int64_t base,
                                                  SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(base));
    auto names = keys_.parts(ledger, {"books"});
    auto const reply =
        co_await redis_.eval(scripts::hot_mended, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->number == 1;
}

}  // namespace penstock::cache
