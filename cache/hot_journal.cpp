#include "cache/hot_journal.hpp"

#include <utility>

#include "cache/hot_replies.hpp"
#include "cache/journal_text.hpp"
#include "cache/redis_client.hpp"
#include "cache/scripts.hpp"

namespace penstock::cache {
namespace {

using Entries = std::vector<ReadEntry>;

/// "17-0", and "17-3" too: where it lies.
std::int64_t place_of(std::string_view id) {
    return read_position(id.substr(0, id.find('-'))).value_or(0);
}

/// {id, {"entry", text}}. What was trimmed while somebody had it has no fields: the store has it.
void add_entry(domain::LedgerId ledger, Reply const& pair, Entries& to) {
    if (pair.elements.size() != 2 || pair.elements[1].elements.empty()) return;
    auto const& fields = pair.elements[1].elements;
    ReadEntry read;
    read.id = pair.elements[0].text;
    read.position = place_of(read.id);
    read.text = fields.back().text;
    for (auto const& field : fields) read.bytes += field.text.size();
    if (read_position(read.id) && fields.size() == 2)
        read.entry = read_entry(ledger, std::to_string(read.position), read.text);
    if (read.entry) read.text.clear();
    to.push_back(std::move(read));
}

/// What XREADGROUP answers: of the one stream, its entries.
Answer<std::optional<Entries>> entries_of(domain::LedgerId ledger, Reply const& reply) {
    std::optional<Entries> entries(std::in_place);
    for (auto const& stream : reply.elements) {
        if (stream.elements.size() != 2) return unexpected_reply();
        for (auto const& pair : stream.elements[1].elements) add_entry(ledger, pair, *entries);
    }
    return entries;
}

/// No group, or no stream: what the ledger is opened for.
template <class T>
Answer<std::optional<T>> unless_no_group(Failure const& failure) {
    if (failure.text.starts_with("NOGROUP")) return std::optional<T>();
    return failure;
}

std::optional<domain::Instant> instant_of(std::string const& text) {
    auto const ms = read_position(text);
    if (!ms) return std::nullopt;
    return domain::Instant{*ms};
}

}  // namespace

HotJournal::HotJournal(RedisClient& redis, domain::Uuid database)
    : redis_(redis), keys_(database) {}

asio::awaitable<Answer<std::optional<Entries>>> HotJournal::read(domain::LedgerId ledger,
                                                                 std::string consumer,
                                                                 std::size_t limit,
                                                                 SteadyTime deadline) {
    Command command("XREADGROUP", "GROUP", "drain", consumer, "COUNT", limit, "STREAMS",
                    keys_.part(ledger, "journal"), ">");
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return unless_no_group<Entries>(reply.error());
    co_return entries_of(ledger, *reply);
}

asio::awaitable<Answer<std::optional<Entries>>> HotJournal::read_own(domain::LedgerId ledger,
                                                                     std::string consumer,
                                                                     std::string after,
                                                                     std::size_t limit,
                                                                     SteadyTime deadline) {
    Command command("XREADGROUP", "GROUP", "drain", consumer, "COUNT", limit, "STREAMS",
                    keys_.part(ledger, "journal"), after);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return unless_no_group<Entries>(reply.error());
    co_return entries_of(ledger, *reply);
}

asio::awaitable<Answer<std::optional<std::int64_t>>> HotJournal::first_behind(
    domain::LedgerId ledger, std::int64_t after, SteadyTime deadline) {
    Command command("XRANGE", keys_.part(ledger, "journal"), std::to_string(after + 1) + "-0", "+",
                    "COUNT", 1);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return reply.error();
    std::optional<std::int64_t> first;
    if (reply->elements.empty()) co_return first;
    auto const& pair = reply->elements.front().elements;
    if (pair.size() != 2) co_return unexpected_reply();
    first = place_of(pair.front().text);
    co_return first;
}

asio::awaitable<Answer<std::optional<Entries>>> HotJournal::take_over(domain::LedgerId ledger,
                                                                      std::string consumer,
                                                                      milliseconds idle,
                                                                      std::size_t limit,
                                                                      SteadyTime deadline) {
    Command command("XAUTOCLAIM", keys_.part(ledger, "journal"), "drain", consumer, idle.count(),
                    "0-0", "COUNT", limit);
    auto const reply = co_await redis_.command(std::move(command), deadline);
    if (!reply) co_return unless_no_group<Entries>(reply.error());
    if (reply->elements.size() < 2) co_return unexpected_reply();
    std::optional<Entries> entries(std::in_place);
    for (auto const& pair : reply->elements[1].elements) add_entry(ledger, pair, *entries);
    co_return entries;
}

asio::awaitable<Answer<bool>> HotJournal::settle(domain::LedgerId ledger, std::int64_t epoch,
                                                 std::int64_t drained,
                                                 std::vector<std::int64_t> entries,
                                                 std::vector<domain::HoldId> ended,
                                                 SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(epoch));
    arguments.push_back(std::to_string(drained));
    arguments.push_back(std::to_string(entries.size()));
    for (auto const position : entries) arguments.push_back(std::to_string(position));
    for (auto const& hold : ended) arguments.push_back(hold.to_string());
    auto names = keys_.parts(ledger, {"books", "journal", "holds"});
    auto const reply =
        co_await redis_.eval(scripts::hot_settle, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->text == "settled";
}

asio::awaitable<Answer<bool>> HotJournal::bury(domain::LedgerId ledger, ReadEntry entry,
                                               std::string why, domain::Instant now,
                                               SteadyTime deadline) {
    std::vector<std::string> arguments;
    arguments.push_back(std::to_string(now.ms));
    arguments.push_back(std::move(why));
    arguments.push_back(std::move(entry.id));
    auto names = keys_.parts(ledger, {"dead", "journal"});
    auto const reply =
        co_await redis_.eval(scripts::hot_bury, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    co_return reply->number == 1;
}

asio::awaitable<Answer<std::optional<HotStanding>>> HotJournal::look(domain::LedgerId ledger,
                                                                     SteadyTime deadline) {
    auto names = keys_.parts(ledger, {"books", "journal", "due", "claimed", "dead"});
    std::vector<std::string> arguments;
    auto const reply =
        co_await redis_.eval(scripts::hot_look, std::move(names), std::move(arguments), deadline);
    if (!reply) co_return reply.error();
    auto const& parts = reply->elements;
    std::optional<HotStanding> standing;
    if (parts.empty()) co_return standing;
    if (parts.size() != 11) co_return unexpected_reply();
    auto const epoch = read_position(parts[1].text);
    auto const position = read_position(parts[2].text);
    auto const drained = read_position(parts[3].text);
    if (!epoch || !position || !drained) co_return unexpected_reply();
    standing.emplace();
    standing->process = parts[0].text;
    standing->epoch = *epoch;
    standing->position = *position;
    standing->drained = *drained;
    // "after at …"
    auto const& entry = parts[4].text;
    if (auto const space = entry.find(' '); space != entry.npos)
        standing->oldest_entry =
            instant_of(entry.substr(space + 1, entry.find(' ', space + 1) - space - 1));
    standing->due = parts[5].number;
    standing->oldest_due = instant_of(parts[6].text);
    standing->claimed = parts[7].number;
    standing->dead_letters = parts[8].number;
    standing->last_flush_at = instant_of(parts[9].text);
    standing->unmended = read_position(parts[10].text).value_or(0);
    co_return standing;
}

}  // namespace penstock::cache
