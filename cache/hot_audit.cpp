#include "cache/hot_audit.hpp"

#include <utility>

#include "cache/hot_replies.hpp"
#include "cache/redis_client.hpp"

namespace penstock::cache {
namespace {

BookedAccount booked(std::string address, std::string line) {
    BookedAccount one{std::move(address), std::move(line), {}};
    one.account = read_account(one.line);
    return one;
}

/// What the books say of the ledger itself, and of its epoch.
bool is_account(std::string_view field) { return !field.empty() && field.front() != '#'; }

}  // namespace

asio::awaitable<Answer<BookedPage>> HotAudit::scan(domain::LedgerId ledger, std::string cursor,
                                                   std::size_t about, SteadyTime deadline) {
    Command command("HSCAN", keys_.part(ledger, "books"), cursor, "COUNT", about);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return reply.error();
    auto const& parts = reply->elements;
    bool const is_page = parts.size() == 2 && is_string(parts[0]);
    if (!is_page || parts[1].elements.size() % 2 != 0) co_return unexpected_reply();
    BookedPage page;
    page.next = parts[0].text;
    auto const& fields = parts[1].elements;
    for (std::size_t i = 0; i < fields.size(); i += 2) {
        auto const& address = fields[i].text;
        if (is_account(address)) page.accounts.push_back(booked(address, fields[i + 1].text));
    }
    co_return page;
}

asio::awaitable<Answer<std::vector<BookedAccount>>> HotAudit::find(
    domain::LedgerId ledger, std::vector<std::string> addresses, SteadyTime deadline) {
    std::vector<BookedAccount> found;
    if (addresses.empty()) co_return found;
    Command command("HMGET", keys_.part(ledger, "books"), addresses.front());
    for (std::size_t i = 1; i < addresses.size(); ++i) command.add(addresses[i]);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return reply.error();
    auto const& lines = reply->elements;
    if (lines.size() != addresses.size()) co_return unexpected_reply();
    for (std::size_t i = 0; i < lines.size(); ++i)
        found.push_back(booked(std::move(addresses[i]), lines[i].text));
    co_return found;
}

}  // namespace penstock::cache
