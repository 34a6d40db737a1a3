// WHAT databases remember of a move between them. The tables are made by those who need them, in a
// schema of their own: a database that never moves has none.
#include "db/shadow_state.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "db/move.hpp"
#include "reactor/deadline.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::db {
namespace {

constexpr milliseconds report_every{5'000};
constexpr milliseconds report_max{5'000};

constexpr char const* create_tables =
    "SELECT 1 FROM pg_advisory_xact_lock(8099000947049456493);"
    "CREATE SCHEMA IF NOT EXISTS penstock_shadow;"
    "CREATE TABLE IF NOT EXISTS penstock_shadow.servers ("
    " id text PRIMARY KEY,"
    " gaps int8 NOT NULL DEFAULT 0,"
    " began_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
    " seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
    " ended_at timestamptz);"
    "CREATE TABLE IF NOT EXISTS penstock_shadow.backfill ("
    " table_name text PRIMARY KEY,"
    " after_key text[],"
    " complete boolean NOT NULL,"
    " at timestamptz NOT NULL DEFAULT clock_timestamp());"
    "CREATE TABLE IF NOT EXISTS penstock_shadow.copy_of ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " identity text NOT NULL,"
    " complete boolean NOT NULL);"
    // Of each writer of each server: in a primary how far its commits are, in a shadow how far they
    // have been applied. A row that every batch updates is given room to stay where it is.
    "CREATE TABLE IF NOT EXISTS penstock_shadow.committed ("
    " server text, writer int4, position int8 NOT NULL,"
    " PRIMARY KEY (server, writer)) WITH (fillfactor = 10);"
    "CREATE TABLE IF NOT EXISTS penstock_shadow.applied ("
    " server text, writer int4, position int8 NOT NULL,"
    " PRIMARY KEY (server, writer)) WITH (fillfactor = 10)";

/// Nothing that anybody made.
constexpr char const* is_empty =
    "SELECT (NOT EXISTS (SELECT FROM ledgers) AND NOT EXISTS (SELECT FROM products)"
    " AND (SELECT count(*) FROM organizations) <= 1)::text";

/// Of what this database is a copy, whether a whole one, and whether servers have it as their
/// primary: those say so, or hold connections that write.
constexpr char const* describe_copy =
    "SELECT coalesce((SELECT identity FROM penstock_shadow.copy_of), ''),"
    " coalesce((SELECT complete FROM penstock_shadow.copy_of), false)::text,"
    " EXISTS (SELECT FROM penstock_shadow.servers WHERE ended_at IS NULL"
    " AND seen_at > clock_timestamp() - interval '30 seconds')::text,"
    " EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'penstock' AND pid <> pg_backend_pid()"
    " AND backend_start < clock_timestamp() - interval '5 seconds')::text";

/// A server that was not heard of for so long has died.
constexpr char const* list_servers =
    "SELECT id, gaps::text, (ended_at IS NULL AND"
    " seen_at > clock_timestamp() - interval '30 seconds')::text"
    " FROM penstock_shadow.servers ORDER BY began_at, id";

asio::awaitable<pg::Answer<pg::Rows>> ask(pg::Address address, std::string text,
                                          std::vector<std::string> params, SteadyTime deadline) {
    pg::ConnectionOptions options(std::move(address));
    options.application_name += "-move";
    auto dialled = co_await pg::dial(options, deadline);
    if (!dialled) co_return dialled.error();
    auto const executor = co_await asio::this_coro::executor;
    pg::PlainConnection connection(executor, std::move(*dialled));
    if (params.empty()) co_return co_await connection.script(std::move(text), deadline);
    co_return co_await connection.query(std::move(text), std::move(params), deadline);
}

asio::awaitable<pg::Answer<pg::Done>> tell(pg::Address address, std::string text,
                                           std::vector<std::string> params, SteadyTime deadline) {
    auto const answer =
        co_await ask(std::move(address), std::move(text), std::move(params), deadline);
    if (!answer) co_return answer.error();
    co_return pg::Done();
}

/// A text array as PostgreSQL reads it.
std::string array_of(mirror::Key const& key) {
    std::string text = "{";
    for (auto const& part : key) {
        if (text.size() > 1) text += ',';
        text += '"';
        for (char const c : part) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + '}';
}

}  // namespace

asio::awaitable<pg::Answer<pg::Done>> prepare_shadow_state(pg::Address address,
                                                           SteadyTime deadline) {
    return tell(std::move(address), create_tables, {}, deadline);
}

namespace {

struct Copy {
    std::string of;
    bool complete = false;
    bool is_written_to = false;  ///< by servers whose primary it is
    bool empty = false;
};

asio::awaitable<pg::Answer<Copy>> read_copy(pg::Address address, SteadyTime deadline) {
    auto const prepared = co_await prepare_shadow_state(address, deadline);
    if (!prepared) co_return prepared.error();
    std::vector<std::string> none;
    auto const answer = co_await ask(address, describe_copy, none, deadline);
    if (!answer) co_return answer.error();
    auto const nothing = co_await ask(address, is_empty, none, deadline);
    if (!nothing) co_return nothing.error();
    Copy copy;
    copy.of = (*answer)[0].text(0);
    copy.complete = (*answer)[0].text(1) == "true";
    copy.is_written_to = (*answer)[0].text(2) == "true" || (*answer)[0].text(3) == "true";
    copy.empty = (*nothing)[0].text(0) == "true";
    co_return copy;
}

pg::Failure refused(std::string why) {
    return pg::failure_of(Errc::schema_mismatch, std::move(why));
}

}  // namespace

asio::awaitable<pg::Answer<pg::Done>> claim_shadow(pg::Address source, pg::Address target,
                                                   Migrations migrations, SteadyTime deadline) {
    auto const here = co_await check_schema(source, migrations, deadline);
    if (!here) co_return here.error();
    auto const there = co_await check_schema(target, migrations, deadline);
    if (!there) co_return there.error();
    if (here->identity == there->identity) co_return refused("the shadow is the primary itself");
    auto const ours = co_await read_copy(source, deadline);
    if (!ours) co_return ours.error();
    auto const theirs = co_await read_copy(target, deadline);
    if (!theirs) co_return theirs.error();
    if (theirs->is_written_to)
        co_return refused("servers have the target as their primary at this moment");
    if (theirs->of == here->identity) co_return pg::Done();
    bool const changed_places = ours->of == there->identity;
    if (changed_places && !ours->complete)
        co_return refused("the source is itself a copy of the target that was never finished");
    if (!changed_places && !theirs->empty)
        co_return refused(
            "the target is neither empty nor a copy of the source: what it holds would be lost");
    std::vector<std::string> params{here->identity, changed_places ? "true" : "false"};
    co_return co_await tell(target,
                            "INSERT INTO penstock_shadow.copy_of (identity, complete)"
                            " VALUES ($1, $2::text::boolean) ON CONFLICT (one) DO UPDATE"
                            " SET identity = excluded.identity, complete = excluded.complete",
                            std::move(params), deadline);
}

asio::awaitable<pg::Answer<std::vector<std::string>>> sample_keys(pg::Address source,
                                                                  std::size_t of_each,
                                                                  SteadyTime deadline) {
    std::string text;
    for (char const* table : {"answers", "transfers", "purchases", "orders", "credit_operations"}) {
        if (!text.empty()) text += " UNION ALL ";
        text += std::string("(SELECT idempotency_key::text FROM ") + table +
                " WHERE idempotency_key IS NOT NULL ORDER BY idempotency_key LIMIT " +
                std::to_string(of_each) + ')';
    }
    std::vector<std::string> none;
    auto const answer = co_await ask(std::move(source), std::move(text), none, deadline);
    if (!answer) co_return answer.error();
    std::vector<std::string> keys;
    for (pg::Row const row : *answer) keys.emplace_back(row.text(0));
    co_return keys;
}

asio::awaitable<pg::Answer<pg::Done>> open_shadow_server(pg::Address source, std::string id,
                                                         SteadyTime deadline) {
    std::vector<std::string> params;
    params.push_back(std::move(id));
    return tell(std::move(source), "INSERT INTO penstock_shadow.servers (id) VALUES ($1)",
                std::move(params), deadline);
}

asio::awaitable<pg::Answer<std::vector<ShadowServer>>> list_shadow_servers(pg::Address source,
                                                                           SteadyTime deadline) {
    std::vector<std::string> none;
    auto const answer = co_await ask(std::move(source), list_servers, none, deadline);
    if (!answer) co_return answer.error();
    std::vector<ShadowServer> servers;
    for (pg::Row const row : *answer)
        servers.push_back({std::string(row.text(0)), std::stoll(std::string(row.text(1))),
                           row.text(2) == "true"});
    co_return servers;
}

namespace {

/// Of a database that never moves there is nobody to tell.
asio::awaitable<pg::Answer<pg::Done>> tell_servers(pg::Address source, std::string text,
                                                   std::string id, SteadyTime deadline) {
    std::vector<std::string> params;
    auto const known =
        co_await ask(source, "SELECT (to_regclass('penstock_shadow.servers') IS NOT NULL)::text",
                     params, deadline);
    if (!known) co_return known.error();
    if ((*known)[0].text(0) != "true") co_return pg::Done();
    params.push_back(std::move(id));
    co_return co_await tell(std::move(source), std::move(text), std::move(params), deadline);
}

}  // namespace

asio::awaitable<pg::Answer<pg::Done>> note_shadow_gap(pg::Address source, std::string id,
                                                      SteadyTime deadline) {
    return tell_servers(std::move(source),
                        "INSERT INTO penstock_shadow.servers (id, gaps, ended_at)"
                        " VALUES ($1, 1, clock_timestamp())",
                        std::move(id), deadline);
}

asio::awaitable<pg::Answer<pg::Done>> take_back_shadow_gap(pg::Address source, std::string id,
                                                           SteadyTime deadline) {
    return tell_servers(std::move(source), "DELETE FROM penstock_shadow.servers WHERE id = $1",
                        std::move(id), deadline);
}

asio::awaitable<pg::Answer<std::string>> read_shadow_marks(pg::Address source,
                                                           SteadyTime deadline) {
    std::vector<std::string> none;
    auto const answer =
        co_await ask(std::move(source),
                     "SELECT coalesce(json_agg(c), '[]')::text FROM penstock_shadow.committed c",
                     none, deadline);
    if (!answer) co_return answer.error();
    co_return std::string((*answer)[0].text(0));
}

asio::awaitable<pg::Answer<pg::Done>> write_shadow_marks(pg::Address target, std::string marks,
                                                         SteadyTime deadline) {
    std::vector<std::string> params;
    params.push_back(std::move(marks));
    return tell(std::move(target),
                "INSERT INTO penstock_shadow.applied AS a SELECT *"
                " FROM json_populate_recordset(NULL::penstock_shadow.applied, $1::json)"
                " ON CONFLICT (server, writer) DO UPDATE"
                " SET position = greatest(a.position, excluded.position)",
                std::move(params), deadline);
}

asio::awaitable<pg::Answer<pg::Done>> close_shadow_gaps(pg::Address source,
                                                        std::vector<ShadowServer> servers,
                                                        std::string marks, SteadyTime deadline) {
    for (auto const& server : servers) {
        std::vector<std::string> params{server.id, std::to_string(server.gaps)};
        std::string text =
            "UPDATE penstock_shadow.servers SET gaps = greatest(0, gaps - $2::text::int8)"
            " WHERE id = $1";
        // What it has committed since, if it lives after all, stays marked.
        if (!server.alive) {
            params.back() = marks;
            text =
                "WITH gone AS (DELETE FROM penstock_shadow.committed c"
                " USING json_populate_recordset(NULL::penstock_shadow.committed, $2::json) m"
                " WHERE c.server = $1 AND m = c)"
                " DELETE FROM penstock_shadow.servers WHERE id = $1";
        }
        auto const told = co_await tell(source, std::move(text), std::move(params), deadline);
        if (!told) co_return told;
    }
    co_return pg::Done();
}

asio::awaitable<pg::Answer<std::vector<BackfillPosition>>> read_backfill(pg::Address target,
                                                                         SteadyTime deadline) {
    std::vector<std::string> none;
    // One part of a key per row: the parts of no key hold a line end.
    auto const answer =
        co_await ask(std::move(target),
                     "SELECT table_name, coalesce(array_to_string(after_key, E'\\n'), ''),"
                     " (after_key IS NOT NULL)::text, complete::text FROM penstock_shadow.backfill",
                     none, deadline);
    if (!answer) co_return answer.error();
    std::vector<BackfillPosition> positions;
    for (pg::Row const row : *answer) {
        BackfillPosition position;
        position.table = row.text(0);
        position.complete = row.text(3) == "true";
        if (row.text(2) == "true") {
            auto& key = position.after.emplace(1);
            for (char const c : row.text(1)) {
                if (c == '\n')
                    key.emplace_back();
                else
                    key.back() += c;
            }
        }
        positions.push_back(std::move(position));
    }
    co_return positions;
}

asio::awaitable<pg::Answer<pg::Done>> write_backfill(pg::Address target, BackfillPosition position,
                                                     SteadyTime deadline) {
    std::vector<std::string> params{position.table,
                                    position.after ? array_of(*position.after) : "{}",
                                    position.complete ? "true" : "false"};
    return tell(std::move(target),
                "INSERT INTO penstock_shadow.backfill (table_name, after_key, complete)"
                " VALUES ($1, nullif($2::text, '{}')::text[], $3::text::boolean)"
                " ON CONFLICT (table_name) DO UPDATE SET after_key = excluded.after_key,"
                " complete = excluded.complete, at = excluded.at",
                std::move(params), deadline);
}

asio::awaitable<pg::Answer<pg::Done>> forget_backfill(pg::Address target, SteadyTime deadline) {
    return tell(std::move(target), "DELETE FROM penstock_shadow.backfill", {}, deadline);
}

asio::awaitable<pg::Answer<pg::Done>> complete_backfill(pg::Address target, SteadyTime deadline) {
    return tell(std::move(target),
                "DELETE FROM penstock_shadow.backfill;"
                "UPDATE penstock_shadow.copy_of SET complete = true",
                {}, deadline);
}

ShadowKeeper::ShadowKeeper(asio::any_io_executor executor, pg::Address source, std::string id,
                           std::function<std::uint64_t()> gaps)
    : executor_(executor), source_(std::move(source)), id_(std::move(id)), gaps_(std::move(gaps)) {}

asio::awaitable<void> ShadowKeeper::run() {
    for (;;) {
        bool const awake = co_await reactor::sleep_until(steady_now() + report_every);
        if (!awake) co_return;
        co_await report(steady_now() + report_max);
    }
}

/// What was left out since the last report. When it cannot be told it is told the next time; and
/// if this server dies before, its row says so.
asio::awaitable<bool> ShadowKeeper::report(SteadyTime deadline) {
    auto const gaps = gaps_();
    std::vector<std::string> params{id_, std::to_string(gaps - reported_.load())};
    auto const answer =
        co_await ask(source_,
                     "UPDATE penstock_shadow.servers SET gaps = gaps + $2::text::int8,"
                     " seen_at = clock_timestamp() WHERE id = $1 RETURNING gaps::text",
                     std::move(params), deadline);
    if (!answer) co_return false;
    reported_ = gaps;
    if (!answer->empty()) open_gaps_ = std::stoll(std::string((*answer)[0].text(0)));
    co_return true;
}

asio::awaitable<void> ShadowKeeper::finish(bool clean, SteadyTime deadline) {
    bool const told = co_await report(deadline);
    bool const remembered = !clean || !told;
    std::vector<std::string> params{id_, remembered ? "true" : "false"};
    // Not told: the row stays as that of a server that died, which is what it is.
    auto const written =
        co_await tell(source_,
                      "WITH gone AS (DELETE FROM penstock_shadow.servers"
                      " WHERE id = $1 AND gaps = 0 AND NOT $2::text::boolean RETURNING id),"
                      " marks AS (DELETE FROM penstock_shadow.committed"
                      " WHERE server IN (SELECT id FROM gone))"
                      " UPDATE penstock_shadow.servers SET ended_at = clock_timestamp()"
                      " WHERE id = $1 AND (gaps > 0 OR $2::text::boolean)",
                      std::move(params), deadline);
    static_cast<void>(written);
}

}  // namespace penstock::db
