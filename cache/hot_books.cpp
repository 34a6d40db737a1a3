// The scripts hot_post, hot_load and hot_open, with their words and replies.
#include "cache/hot_books.hpp"

#include <array>
#include <boost/describe/enum_from_string.hpp>
#include <utility>

#include "cache/hot_opened.hpp"
#include "cache/hot_replies.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"
#include "domain/assert.hpp"

namespace penstock::cache {
namespace {

std::string_view name_of(HotItem::Verb verb) {
    switch (verb) {
        case HotItem::Verb::move:
            return "move";
        case HotItem::Verb::hold:
            return "hold";
        case HotItem::Verb::capture:
            return "capture";
        case HotItem::Verb::void_:
            return "void";
        case HotItem::Verb::expire:
            break;
    }
    return "expire";
}

std::string nonce_of(std::uint64_t nonce) {
    std::array<std::uint8_t, 7> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(nonce >> (48 - 8 * i));
    return hex_of(bytes);
}

void add_item(HotItem const& item, Command& command) {
    bool const whole = item.verb == HotItem::Verb::capture && item.amount == 0;
    bool const is_amount = item.verb != HotItem::Verb::void_ && item.verb != HotItem::Verb::expire;
    PENSTOCK_ASSERT(item.amount >= 0 && item.amount <= domain::amount_max);
    PENSTOCK_ASSERT(item.amount > 0 || whole || !is_amount);
    command.add(name_of(item.verb)).add(item.from).add(item.to);
    if (is_amount && !whole)
        command.add(item.amount);
    else
        command.add("");
    if (item.term)
        command.add(item.term->count());
    else
        command.add("");
    if (item.verb == HotItem::Verb::move)
        command.add(said_of(item.words));
    else
        command.add(nothing_said);
}

/// EVALSHA: a process that forgot the script is not sent its text, but asked for its name again.
Command command_of(HotPost const& post, HotBooksOptions const& options, HotKeys const& keys,
                   std::string const& process) {
    Command command("EVALSHA", scripts::hot_post.sha1(), 5);
    for (auto const& key : keys.parts(post.ledger, {"books", "journal", "due", "holds"}))
        command.add(key);
    std::string print;
    if (post.key_use) {
        command.add(keys.record(post.ledger, post.key_use->key));
        print = hex_of(post.key_use->fingerprint);
    } else {
        command.add(keys.part(post.ledger, "key"));
    }
    bool const is_implicit = post.accounts == domain::AccountPolicy::implicit;
    command.add(process).add(post.now.ms).add(nonce_of(post.nonce)).add(print);
    command.add(options.key_kept.count()).add(post.asked).add(options.undrained_max);
    command.add(is_implicit ? "implicit" : "explicit").add(post.together ? "all" : "each");
    command.add(said_of(RequestWords{post.key_use, post.request_id, post.is_bulk}));
    command.add(post.nobodys.size());
    for (auto const& address : post.nobodys) command.add(address);
    for (auto const& item : post.items) add_item(item, command);
    return command;
}

Answer<HotAnswer> posted_of(HotPost const& post, std::vector<Reply> const& parts, bool is_replay) {
    if (parts.size() != 3 || !is_string(parts[1]) || !is_string(parts[2]))
        return unexpected_reply();
    auto entry = read_entry(post.ledger, parts[1].text, parts[2].text);
    if (!entry) return unexpected_reply();
    return HotAnswer(HotPosted{std::move(*entry), is_replay});
}

Answer<HotAnswer> refused_of(HotPost const& post, std::vector<Reply> const& parts) {
    HotRefused refused;
    if (parts.size() != 4 || parts[1].kind != Reply::Kind::integer || parts[1].number < 0 ||
        !boost::describe::enum_from_string(parts[2].text.c_str(), refused.code))
        return unexpected_reply();
    refused.item = static_cast<std::size_t>(parts[1].number);
    refused.where = parts[3].text;
    if (refused.item >= post.items.size()) return unexpected_reply();
    return HotAnswer(std::move(refused));
}

Answer<HotAnswer> cold_of(std::vector<Reply> const& parts) {
    if (parts.size() < 4 || !are_strings(parts)) return unexpected_reply();
    HotCold cold;
    cold.token = parts[1].text;
    cold.are_holds = parts[2].text == "hold";
    for (auto name = parts.begin() + 3; name != parts.end(); ++name)
        cold.names.push_back(name->text);
    return HotAnswer(std::move(cold));
}

Answer<HotAnswer> answer_of(HotPost const& post, Reply const& reply) {
    auto const& parts = reply.elements;
    if (parts.empty() || !is_string(parts[0])) return unexpected_reply();
    auto const& word = parts[0].text;
    if (word == "posted" || word == "again") return posted_of(post, parts, word == "again");
    if (word == "refused") return refused_of(post, parts);
    if (word == "cold") return cold_of(parts);
    if (word == "ask" && parts.size() == 2) return HotAnswer(HotAsk{parts[1].text});
    if (word == "known") return HotAnswer(HotSays::known);
    if (word == "reused") return HotAnswer(HotSays::reused);
    if (word == "nothing") return HotAnswer(HotSays::nothing);
    if (word == "busy") return HotAnswer(HotSays::busy);
    if (word == "unready") return HotAnswer(HotSays::unready);
    return unexpected_reply();
}

}  // namespace

HotBooks::HotBooks(RedisClient& redis, HotBooksOptions options)
    : redis_(redis), options_(options), keys_(options.database), process_(redis) {
    PENSTOCK_ASSERT(options.undrained_max > 0 && options.key_kept.count() > 0);
}

asio::awaitable<Answer<std::string>> HotBooks::process(SteadyTime deadline) {
    if (!process_.name().empty()) co_return process_.name();
    co_return co_await process_.learn(scripts::hot_post, deadline);
}

asio::awaitable<Answer<HotAnswer>> HotBooks::post(HotPost post, SteadyTime deadline) {
    PENSTOCK_ASSERT(!post.items.empty());
    auto const began = steady_now();
    for (bool again = false;; again = true) {
        auto const known = co_await process(deadline);
        if (!known) co_return known.error();
        // No waiting from here until it is on its way, or it might reach another process.
        auto const& name = process_.name();
        if (name.empty()) co_return failure_of(Errc::unavailable);
        auto command = command_of(post, options_, keys_, name);
        auto const reply = co_await redis_.command(std::move(command), deadline);
        if (reply) {
            metrics_.wait.record(steady_now() - began);
            co_return count(answer_of(post, *reply));
        }
        bool const forgotten = reply.error().text.starts_with("NOSCRIPT");
        if (!forgotten || again) co_return reply.error();
        process_.forget();
    }
}

Answer<HotAnswer> HotBooks::count(Answer<HotAnswer> answer) {
    if (!answer) return answer;
    if (auto const* posted = std::get_if<HotPosted>(&*answer))
        (posted->is_replay ? metrics_.replayed : metrics_.posted).add();
    if (std::holds_alternative<HotRefused>(*answer)) metrics_.refused.add();
    if (std::holds_alternative<HotCold>(*answer)) metrics_.cold.add();
    auto const* const says = std::get_if<HotSays>(&*answer);
    if (says && *says == HotSays::busy) metrics_.busy.add();
    if (says && *says == HotSays::unready) metrics_.unready.add();
    return answer;
}

asio::awaitable<Answer<HotFound>> HotBooks::find(domain::LedgerId ledger,
                                                 std::vector<std::string> addresses,
                                                 SteadyTime deadline) {
    auto const process_name = co_await process(deadline);
    if (!process_name) co_return process_name.error();
    Command command("HMGET", keys_.part(ledger, "books"), "#");
    for (auto const& address : addresses) command.add(address);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return reply.error();
    auto const& parts = reply->elements;
    if (parts.size() != addresses.size() + 1) co_return unexpected_reply();
    HotFound found;
    if (!parts[0].text.starts_with(*process_name + ' ')) co_return found;
    found.emplace();
    for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
        auto account = read_account(part->text);
        if (!account && !part->is_nil()) co_return unexpected_reply();
        found->push_back(std::move(account));
    }
    co_return found;
}

asio::awaitable<Answer<std::optional<domain::Hold>>> HotBooks::find_hold(domain::LedgerId ledger,
                                                                         domain::HoldId hold,
                                                                         SteadyTime deadline) {
    auto const id = hold.to_string();
    Command command("HGET", keys_.part(ledger, "holds"), id);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return reply.error();
    std::optional<domain::Hold> found;
    if (reply->is_nil()) co_return found;
    found = read_hold(ledger, id, reply->text);
    if (!found) co_return unexpected_reply();
    co_return found;
}

asio::awaitable<Answer<HotLoaded>> HotBooks::load(
    domain::LedgerId ledger, std::string token, domain::Instant now,
    std::vector<std::pair<std::string, HotAccount>> accounts, std::vector<domain::Hold> holds,
    SteadyTime deadline) {
    auto const process_name = co_await process(deadline);
    if (!process_name) co_return process_name.error();
    std::vector<std::string> arguments;
    arguments.push_back(*process_name);
    arguments.push_back(std::move(token));
    arguments.push_back(std::to_string(now.ms));
    for (auto const& [address, account] : accounts) {
        arguments.push_back("account");
        arguments.push_back(address);
        arguments.push_back(line_of(account));
    }
    for (auto const& hold : holds) {
        arguments.push_back("hold");
        arguments.push_back(hold.id.to_string());
        arguments.push_back(line_of(hold));
    }
    auto names = keys_.parts(ledger, {"books", "due", "holds"});
    auto const reply =
        co_await redis_.eval(scripts::hot_load, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    if (reply->text == "loaded") co_return HotLoaded::loaded;
    if (reply->text == "stale") co_return HotLoaded::stale;
    if (reply->text == "unready") co_return HotLoaded::unready;
    co_return unexpected_reply();
}

asio::awaitable<Answer<HotOpened>> HotBooks::open(domain::LedgerId ledger, std::int64_t epoch,
                                                  std::int64_t drained, domain::Instant keys_from,
                                                  SteadyTime deadline) {
    PENSTOCK_ASSERT(epoch > 0 && drained >= 0);
    auto const process_name = co_await process(deadline);
    if (!process_name) co_return process_name.error();
    std::vector<std::string> arguments;
    arguments.push_back(*process_name);
    for (auto const number : {epoch, drained, keys_from.ms})
        arguments.push_back(std::to_string(number));
    auto names = keys_.parts(ledger, {"books", "journal", "due", "claimed", "owners", "holds"});
    auto const reply =
        co_await redis_.eval(scripts::hot_open, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return opened_of(*reply);
}

}  // namespace penstock::cache
