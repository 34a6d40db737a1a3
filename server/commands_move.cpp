// From one database to another: copy what the shadow lacks, and compare the two.
#include <cstdio>
#include <stdexcept>

#include "db/migrations.hpp"
#include "db/move.hpp"
#include "db/postgres_store.hpp"
#include "db/shadow_state.hpp"
#include "reactor/task_group.hpp"
#include "server/clock.hpp"
#include "server/commands.hpp"
#include "server/options.hpp"
#include "server/parity.hpp"
#include "server/run_to_end.hpp"
#include "server/schema.hpp"
#include "server/store_options.hpp"

namespace penstock::server {
namespace {

constexpr milliseconds look_max{30'000};

std::string const& either(std::string const& given, std::string const& pair) {
    return given.empty() ? pair : given;
}

db::MoveOptions move_options(Options const& options, char const* command) {
    auto const& from = either(options.move_from, options.database_url);
    auto const& to = either(options.move_to, options.shadow_store);
    if (from.empty() || to.empty())
        throw UnusableOptions(std::string(command) +
                              " needs --from and --to, or --database-url and --shadow-store");
    db::MoveOptions move(database_address(from, "--from"), database_address(to, "--to"));
    move.migrations = db::migrations::all;
    move.rows_per_s = options.rows_per_s;
    move.restart = options.restart;
    move.settle = options.settle;
    move.hold = options.hold;
    move.differences_max = options.differences;
    move.tell = [](std::string const& line) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    };
    return move;
}

template <class T>
T must(db::pg::Answer<T> answer, std::string const& what) {
    if (answer) return std::move(*answer);
    auto const& failure = answer.error();
    throw std::runtime_error(what + ": " + failure.code.message() +
                             (failure.message.empty() ? "" : ": " + failure.message));
}

void print(std::vector<db::Difference> const& differences) {
    for (auto const& one : differences)
        std::printf("  DIFFERS %s %s: %s\n", one.where.c_str(), one.which.c_str(),
                    one.what.c_str());
}

/// What servers say of themselves: not a difference, but where one may come from.
void print(std::vector<db::ShadowServer> const& servers) {
    for (auto const& server : servers) {
        if (!server.left_a_gap()) continue;
        std::printf("note: server %s %s; a backfill closes the gap\n", server.id.c_str(),
                    server.gaps > 0 ? "left changes out" : "ended without a farewell");
    }
}

std::size_t print(std::vector<db::TableReport> const& tables) {
    std::size_t found = 0;
    for (auto const& table : tables) {
        bool const same = table.differences.empty();
        std::printf("%-7s table %s: %llu rows\n", same ? "ok" : "DIFFERS", table.table.c_str(),
                    static_cast<unsigned long long>(table.rows));
        print(table.differences);
        found += table.differences.size();
    }
    return found;
}

std::size_t print(ListReport const& lists) {
    std::printf(
        "%-7s lists: %llu lists, %llu pages, %llu items in the same order\n",
        lists.differences.empty() ? "ok" : "DIFFERS", static_cast<unsigned long long>(lists.lists),
        static_cast<unsigned long long>(lists.pages), static_cast<unsigned long long>(lists.items));
    print(lists.differences);
    return lists.differences.size();
}

std::size_t print(ReplayReport const& replays) {
    std::printf("%-7s keys: %llu asked again, %zu of them answered otherwise\n",
                replays.differences.empty() ? "ok" : "DIFFERS",
                static_cast<unsigned long long>(replays.keys), replays.differences.size());
    print(replays.differences);
    return replays.differences.size();
}

/// What clients can ask, of two stores side by side.
asio::awaitable<std::size_t> compare_answers(db::PostgresOptions from, db::PostgresOptions to,
                                             std::vector<std::string> keys, ParityLimits limits) {
    auto const executor = co_await asio::this_coro::executor;
    auto const primary = std::make_unique<db::PostgresStore>(executor, std::move(from));
    auto const shadow = std::make_unique<db::PostgresStore>(executor, std::move(to));
    reactor::TaskGroup connections(executor);
    connections.spawn(primary->run());
    connections.spawn(shadow->run());
    std::exception_ptr failure;
    std::size_t found = 0;
    try {
        SystemClock clock;
        auto const lists = co_await compare_lists(*primary, *shadow, clock.now(), limits);
        found += print(lists);
        auto const replays = co_await compare_replays(*primary, *shadow, std::move(keys), limits);
        found += print(replays);
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    connections.cancel();
    co_await connections.join();
    if (failure) std::rethrow_exception(failure);
    co_return found;
}

ParityLimits parity_limits(Options const& options) {
    ParityLimits limits;
    limits.pages = options.pages;
    limits.sample = options.sample;
    limits.settle = options.settle;
    limits.differences_max = options.differences;
    return limits;
}

/// Named so that nobody takes it for a server's. A connection for each page that is read at a
/// time: none waits behind one that takes long.
db::PostgresOptions looking(Options const& options, db::pg::Address const& address) {
    auto postgres = postgres_options(options, address);
    postgres.read_connections = parity_limits(options).at_once;
    postgres.connection.application_name = "penstock-parity";
    return postgres;
}

}  // namespace

int backfill(Options const& options) {
    auto const move = move_options(options, "backfill");
    auto const& source = move.source.address;
    auto const& target = move.target.address;
    check_database(source);
    migrate_database(target);
    auto const soon = steady_now() + look_max;
    must(run_to_end(db::claim_shadow(source, target, move.migrations, soon)), "backfill");
    auto const report = must(run_to_end(db::backfill(move)), "backfill");
    std::printf("backfill complete: %llu rows looked at, %llu copied\n",
                static_cast<unsigned long long>(report.rows),
                static_cast<unsigned long long>(report.copied));
    return 0;
}

int parity(Options const& options) {
    auto const move = move_options(options, "parity");
    auto const& source = move.source.address;
    auto const& target = move.target.address;
    check_database(source);
    check_database(target);
    auto const soon = steady_now() + look_max;
    must(run_to_end(db::prepare_shadow_state(source, soon)), "parity");
    print(must(run_to_end(db::list_shadow_servers(source, soon)), "parity"));
    auto const tables = must(run_to_end(db::compare_tables(move)), "parity");
    auto found = print(tables);
    auto const keys =
        must(run_to_end(db::sample_keys(source, options.keys, steady_now() + look_max)), "keys");
    found += run_to_end(compare_answers(looking(options, source), looking(options, target), keys,
                                        parity_limits(options)));
    if (found == 0) {
        std::printf("parity: the two are the same\n");
        return 0;
    }
    std::printf("parity: %zu differences found%s\n", found,
                found >= options.differences ? ", and there may be more" : "");
    return 1;
}

}  // namespace penstock::server
