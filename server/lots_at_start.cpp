#include "server/lots_at_start.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "db/credit_store.hpp"
#include "server/on_database.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/shadow_note.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {
namespace {

constexpr std::size_t ledgers_at_once = 100;
/// The check itself; a rebuild may take scan_max.
constexpr std::chrono::seconds look_max{30};

asio::awaitable<void> rebuild(db::Store& store, db::LedgerBehind ledger, Log& log) {
    auto const name = ledger.organization + "/" + ledger.name;
    log.warning("credit_lots_behind", {{"ledger", name}});
    auto const since = steady_now();
    auto repaired =
        co_await store.credits().repair_lots(ledger.ledger, std::nullopt, since + scan_max);
    auto const found = must(std::move(repaired), "The lots of ledger " + name);
    if (found.contradiction)
        throw std::runtime_error("The lots of ledger " + name +
                                 " cannot be rebuilt: " + describe(found));
    auto const took = std::chrono::duration_cast<milliseconds>(steady_now() - since);
    log.warning("credit_lots_rebuilt", {{"ledger", name},
                                        {"history_rows", found.entries},
                                        {"lots", found.lots},
                                        {"wrong", wrong_lots(found)},
                                        {"found", describe(found)},
                                        {"duration_ms", took.count()}});
}

/// Were there any? A shadow has them from the next backfill.
asio::awaitable<bool> rebuild_all(db::Store& store, Options const& options, Log& log) {
    std::optional<ShadowNote> note;
    std::optional<domain::LedgerId> after;
    for (;;) {
        auto page = co_await store.credits().list_ledgers_behind(after, ledgers_at_once,
                                                                 steady_now() + look_max);
        auto const behind = must(std::move(page), "The ledgers of credits");
        if (!behind.empty() && !note) note.emplace(options);
        for (auto const& ledger : behind) co_await rebuild(store, ledger, log);
        if (behind.size() < ledgers_at_once) break;
        after = behind.back().ledger;
    }
    if (note) note->settle(true);
    co_return note.has_value();
}

}  // namespace

void bring_lots_up_to_date(Options const& options, Log& log) {
    auto const work = [&](db::Store& store) { return rebuild_all(store, options, log); };
    run_to_end(on_database<bool>(options, work));
}

}  // namespace penstock::server
