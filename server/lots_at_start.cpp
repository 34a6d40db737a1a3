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

/// How many ledgers.
asio::awaitable<std::size_t> rebuild_all(db::Store& store, Log& log) {
    std::size_t rebuilt = 0;
    std::optional<domain::LedgerId> after;
    for (;;) {
        auto page = co_await store.credits().list_ledgers_behind(after, ledgers_at_once,
                                                                 steady_now() + look_max);
        auto const behind = must(std::move(page), "The ledgers of credits");
        for (auto const& ledger : behind) co_await rebuild(store, ledger, log);
        rebuilt += behind.size();
        if (behind.size() < ledgers_at_once) co_return rebuilt;
        after = behind.back().ledger;
    }
}

}  // namespace

void bring_lots_up_to_date(Options const& options, Log& log) {
    auto const work = [&](db::Store& store) { return rebuild_all(store, log); };
    auto const rebuilt = run_to_end(on_database<std::size_t>(options, work));
    if (rebuilt > 0) tell_shadow_of_repair(options);
}

}  // namespace penstock::server
