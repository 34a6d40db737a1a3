// Are the lots of credits ledgers what their history says? If not, they are made so.
#include <cstdio>
#include <stdexcept>

#include "db/credit_store.hpp"
#include "server/commands.hpp"
#include "server/on_database.hpp"
#include "server/options.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"
#include "server/shadow_note.hpp"

namespace penstock::server {
namespace {

/// What was seen so far, over all ledgers.
struct Tally {
    std::size_t ledgers = 0;
    std::size_t mended = 0;
    std::size_t failed = 0;
};

void print(db::LotRepair const& found, SteadyTime since, Tally& tally) {
    auto const* verdict = "ok";
    if (found.contradiction) {
        verdict = "FAILED";
        ++tally.failed;
    } else if (!is_clean(found)) {
        verdict = "mended";
        ++tally.mended;
    }
    std::chrono::duration<double> const took = steady_now() - since;
    std::printf("  %-6s %s (%.2f s, %.0f rows/s)\n", verdict, describe(found).c_str(), took.count(),
                static_cast<double>(found.entries) / took.count());
}

asio::awaitable<void> mend(db::Store& store, domain::Organization organization,
                           domain::Ledger ledger, std::optional<std::string> address,
                           Tally& tally) {
    if (ledger.kind != domain::LedgerKind::credits) co_return;
    auto const deadline = steady_now() + scan_max;
    if (address) {
        domain::AccountName const name{ledger.id, *address};
        auto account = co_await store.find_account(name, deadline);
        auto const found = must(std::move(account), "find " + *address);
        if (!found) co_return;
    }
    auto const since = steady_now();
    auto repaired = co_await store.credits().repair_lots(ledger.id, address, deadline);
    ++tally.ledgers;
    std::printf("%s/%s\n", organization.name.c_str(), ledger.name.c_str());
    print(must(std::move(repaired), "repair " + ledger.name), since, tally);
}

asio::awaitable<Tally> mend_everything(db::Store& store, Options options) {
    Tally tally;
    std::optional<std::string> address;
    if (!options.address.empty()) address = options.address;
    auto const visit = [&](domain::Organization const& organization, domain::Ledger const& ledger) {
        return mend(store, organization, ledger, address, tally);
    };
    LedgerFilter const filter(options);
    co_await for_each_ledger(store, filter, visit);
    co_return tally;
}

}  // namespace

int repair(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("repair needs --database-url");
    if (!options.address.empty() && options.ledger.empty())
        throw UnusableOptions("--address needs --ledger: it is an address of that ledger");
    check_database(options.database_url);
    auto const work = [&](db::Store& store) { return mend_everything(store, options); };
    ShadowNote const note(options);
    auto const tally = run_to_end(on_database<Tally>(options, work));
    note.settle(tally.mended > 0);
    if (tally.ledgers == 0 && !options.address.empty())
        throw std::runtime_error("There is no address " + options.address +
                                 " on a ledger of credits named " + options.ledger);
    if (tally.ledgers == 0 && !options.ledger.empty())
        throw std::runtime_error("There is no ledger of credits named " + options.ledger);
    std::printf("%zu ledgers of credits, %zu mended, %zu failed\n", tally.ledgers, tally.mended,
                tally.failed);
    return tally.failed == 0 ? 0 : 1;
}

}  // namespace penstock::server
