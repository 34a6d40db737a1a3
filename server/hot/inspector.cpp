#include "server/hot/inspector.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <map>
#include <string>
#include <utility>

#include "cache/redis_client.hpp"
#include "db/hot_store.hpp"
#include "reactor/deadline.hpp"

namespace penstock::server {
namespace {

bool are_ok(std::vector<db::Check> const& checks) {
    return std::ranges::all_of(checks, [](auto const& check) { return check.ok; });
}

std::string words_of(cache::Failure const& failure) {
    return failure.code.message() + (failure.text.empty() ? "" : ": " + failure.text);
}

/// Both as text, where they differ.
std::string difference(cache::BookedAccount const& booked, db::HotStanding const* found) {
    if (found == nullptr) return booked.address + ": not in the store";
    auto const& row = found->account;
    auto const& line = *booked.account;
    bool const same = row.id == line.id && row.standing.balance == line.balance &&
                      row.standing.held == line.held && row.standing.version == line.version;
    if (same && !found->is_behind) return {};
    auto const text = [](auto balance, auto held, auto version) {
        return "balance " + std::to_string(balance) + ", held " + std::to_string(held) +
               ", version " + std::to_string(version);
    };
    return booked.address + ": Redis has " + text(line.balance, line.held, line.version) +
           "; the store " + text(row.standing.balance, row.standing.held, row.standing.version) +
           (found->is_behind ? ", and its row is behind its transfers" : "");
}

}  // namespace

/// What was found so far of all accounts in the books.
struct HotInspector::Comparison {
    std::size_t equal = 0;
    std::size_t different = 0;
    std::string first;  ///< of these
    /// Not at rest when they were last seen: their lines, and since when those are the same.
    struct Waiting {
        std::string line;
        SteadyTime since;
    };
    std::map<std::string, Waiting> waiting;
    std::string failure;  ///< why it could not be ended

    void note_difference(std::string what) {
        if (different++ == 0) first = std::move(what);
    }
    void note_waiting(cache::BookedAccount const& booked) {
        auto& known = waiting[booked.address];
        if (known.line == booked.line) return;
        known = {booked.line, steady_now()};
    }
    void note_equal(std::string const& address) {
        ++equal;
        waiting.erase(address);
    }
};

HotInspector::HotInspector(db::Store& store, cache::RedisClient& redis, domain::Uuid database,
                           HotInspectorOptions options)
    : store_(store), journal_(redis, database), audit_(redis, database), options_(options) {}

SteadyTime HotInspector::step_until(SteadyTime deadline) const {
    return std::min(deadline, steady_now() + options_.step_max);
}

asio::awaitable<Result<std::vector<db::Check>>> HotInspector::verify(domain::LedgerId ledger,
                                                                     SteadyTime deadline) {
    auto checks = co_await check_store(ledger, deadline);
    if (!checks) co_return checks;
    auto books = co_await check_books(ledger, deadline);
    checks->push_back(std::move(books));
    auto accounts = co_await check_accounts(ledger, deadline);
    checks->push_back(std::move(accounts));
    co_return checks;
}

/// As it stands once nothing is on its way, or after a while. Nothing: there are no books.
asio::awaitable<std::optional<cache::HotStanding>> HotInspector::rest(domain::LedgerId ledger,
                                                                      SteadyTime deadline) {
    auto const until = std::min(deadline, steady_now() + options_.rest_max);
    std::optional<cache::HotStanding> standing;
    for (;;) {
        auto const seen = co_await journal_.look(ledger, step_until(deadline));
        if (seen) standing = *seen;
        if (standing && is_at_rest(*standing)) co_return standing;
        if (!seen || steady_now() + options_.pause >= until) co_return standing;
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.pause);
        if (!awake) co_return standing;
    }
}

/// Between the drain and the sync of a post the store's balances are behind its transfers: what
/// fails then is looked at again, unless nothing was on its way.
asio::awaitable<Result<std::vector<db::Check>>> HotInspector::check_store(domain::LedgerId ledger,
                                                                          SteadyTime deadline) {
    for (int scans = 1;; ++scans) {
        auto const before = co_await rest(ledger, deadline);
        auto checks = co_await store_.verify(ledger, deadline);
        if (!checks || are_ok(*checks) || scans == options_.scans_max) co_return checks;
        auto const after = co_await journal_.look(ledger, step_until(deadline));
        bool const was_at_rest = before && is_at_rest(*before) && after && *after &&
                                 (*after)->position == before->position;
        if (!before || was_at_rest || !after) co_return checks;
    }
}

asio::awaitable<db::Check> HotInspector::check_books(domain::LedgerId ledger, SteadyTime deadline) {
    db::Check check{"redis_books_equal_journal", false, ""};
    auto const standing = co_await rest(ledger, deadline);
    // In this order: what the store had, Redis has acknowledged before.
    auto const row = co_await store_.hot().find_hot_ledger(ledger, step_until(deadline));
    auto const seen = co_await journal_.look(ledger, step_until(deadline));
    if (!row) check.detail = "the store does not answer: " + row.error().message();
    if (!seen) check.detail = "Redis does not answer: " + words_of(seen.error());
    if (!row || !seen) co_return check;
    bool const is_new = *row && (*row)->epoch == 0;
    if (is_new) check = {check.name, true, "never opened"};
    if (!*row || is_new) co_return check;
    if (!standing || !*seen) {
        check.detail = "there are no books: what was not drained is lost";
        co_return check;
    }
    auto const& now = **seen;
    bool const moves = now.position != standing->position;
    bool const is_home = standing->position == standing->drained;
    check.ok = now.epoch == (*row)->epoch && (*row)->drained <= now.position && (is_home || moves);
    check.detail = "epoch " + std::to_string(now.epoch) + " (the store's " +
                   std::to_string((*row)->epoch) + "), position " + std::to_string(now.position) +
                   ", drained " + std::to_string((*row)->drained);
    if (now.dead_letters > 0) check.detail += ", dead letters " + std::to_string(now.dead_letters);
    co_return check;
}

asio::awaitable<db::Check> HotInspector::check_accounts(domain::LedgerId ledger,
                                                        SteadyTime deadline) {
    Comparison comparison;
    bool const is_whole = co_await scan(ledger, comparison, deadline);
    bool goes_on = is_whole;
    if (goes_on) goes_on = co_await wait(ledger, comparison, deadline);
    std::size_t stuck = 0;
    auto const recently = steady_now() - options_.rest_max / 2;
    for (auto const& [address, waiting] : comparison.waiting)
        if (waiting.since < recently) ++stuck;
    db::Check check{"redis_equals_accounts", goes_on && comparison.different == 0 && stuck == 0,
                    std::to_string(comparison.equal) + " accounts are equal"};
    if (comparison.different > 0)
        check.detail +=
            "; " + std::to_string(comparison.different) + " differ, " + comparison.first;
    if (stuck > 0) check.detail += "; " + std::to_string(stuck) + " were not brought home";
    if (comparison.waiting.size() > stuck)
        check.detail +=
            "; " + std::to_string(comparison.waiting.size() - stuck) + " were never at rest";
    if (!goes_on) check.detail += "; ended early: " + comparison.failure;
    co_return check;
}

/// Everyone in the books, once. False: it could not be done.
asio::awaitable<bool> HotInspector::scan(domain::LedgerId ledger, Comparison& comparison,
                                         SteadyTime deadline) {
    std::string cursor = "0";
    do {
        auto page = co_await audit_.scan(ledger, cursor, options_.page, step_until(deadline));
        if (!page) {
            comparison.failure = words_of(page.error());
            co_return false;
        }
        cursor = std::move(page->next);
        bool const done = co_await compare(ledger, std::move(page->accounts), comparison, deadline);
        if (!done) co_return false;
    } while (cursor != "0");
    co_return true;
}

/// Those that were not at rest, again.
asio::awaitable<bool> HotInspector::wait(domain::LedgerId ledger, Comparison& comparison,
                                         SteadyTime deadline) {
    auto const until = std::min(deadline, steady_now() + options_.rest_max);
    while (!comparison.waiting.empty() && steady_now() < until) {
        bool const awake = co_await reactor::sleep_until(steady_now() + options_.pause);
        if (!awake) co_return false;
        std::vector<std::string> addresses;
        for (auto const& [address, waiting] : comparison.waiting) {
            if (addresses.size() == options_.page) break;
            addresses.push_back(address);
        }
        auto booked = co_await audit_.find(ledger, std::move(addresses), step_until(deadline));
        if (!booked) {
            comparison.failure = words_of(booked.error());
            co_return false;
        }
        bool const done = co_await compare(ledger, std::move(*booked), comparison, deadline);
        if (!done) co_return false;
    }
    co_return true;
}

/// An account that is clean, and the same after the store was read, has come home.
asio::awaitable<bool> HotInspector::compare(domain::LedgerId ledger, Booked booked,
                                            Comparison& comparison, SteadyTime deadline) {
    std::vector<std::string> addresses;
    for (auto const& one : booked) {
        if (one.account && one.account->is_dirty) comparison.note_waiting(one);
        if (!one.account && one.line.empty()) comparison.waiting.erase(one.address);
        if (!one.account && !one.line.empty())
            comparison.note_difference(one.address + ": no account in Redis");
        if (one.account && !one.account->is_dirty) addresses.push_back(one.address);
    }
    if (addresses.empty()) co_return true;
    auto copy = addresses;
    auto const found =
        co_await store_.hot().find_standings(ledger, std::move(copy), step_until(deadline));
    if (!found) comparison.failure = found.error().message();
    if (!found) co_return false;
    auto const after = co_await audit_.find(ledger, std::move(addresses), step_until(deadline));
    if (!after) comparison.failure = words_of(after.error());
    if (!after) co_return false;
    std::map<std::string_view, db::HotStanding const*> rows;
    for (auto const& row : *found) rows.emplace(row.account.address, &row);
    std::map<std::string_view, cache::BookedAccount const*> lines;
    for (auto const& one : *after) lines.emplace(one.address, &one);
    for (auto const& one : booked) {
        auto const line = lines.find(one.address);
        if (line == lines.end()) continue;
        if (line->second->line != one.line) {
            comparison.note_waiting(*line->second);
            continue;
        }
        auto const row = rows.find(one.address);
        auto what = difference(one, row == rows.end() ? nullptr : row->second);
        if (what.empty()) {
            comparison.note_equal(one.address);
        } else {
            comparison.waiting.erase(one.address);
            comparison.note_difference(std::move(what));
        }
    }
    co_return true;
}

}  // namespace penstock::server
