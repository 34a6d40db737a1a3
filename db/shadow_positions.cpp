// WHETHER the shadow has what was acknowledged.
#include "db/shadow_positions.hpp"

#include <algorithm>

#include "reactor/until_cancelled.hpp"

namespace penstock::db {
namespace {

constexpr milliseconds first_pause{1};
constexpr milliseconds pause_max{16};
/// While another server's link is cut, not every read shall wait for it in vain.
constexpr milliseconds impatience{200};

constexpr Statement committed{
    "shadow_committed",
    "INSERT INTO penstock_shadow.committed AS c (server, writer, position) VALUES ($1, $2, $3)"
    " ON CONFLICT (server, writer) DO UPDATE SET position = excluded.position"};

constexpr Statement applied{
    "shadow_applied",
    "INSERT INTO penstock_shadow.applied AS a (server, writer, position)"
    " SELECT $1, m.writer, m.position"
    " FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS m (writer, position, left_out)"
    " WHERE m.left_out = 0 OR EXISTS (SELECT FROM penstock_shadow.applied b"
    " WHERE b.server = $1 AND b.writer = m.writer AND b.position >= m.left_out)"
    " ON CONFLICT (server, writer) DO UPDATE SET position = excluded.position"
    " WHERE a.position < excluded.position"};

constexpr Statement has_gap{"shadow_has_gap",
                            "SELECT EXISTS (SELECT FROM penstock_shadow.servers WHERE gaps > 0)"};

constexpr Statement list_committed{
    "shadow_list_committed", "SELECT server, writer, position FROM penstock_shadow.committed"};

constexpr Statement compare{
    "shadow_compare",
    "SELECT coalesce((SELECT complete FROM penstock_shadow.copy_of), false),"
    " NOT EXISTS (SELECT FROM unnest($1::text[], $2::int4[], $3::int8[])"
    " AS c (server, writer, position) WHERE NOT EXISTS (SELECT FROM penstock_shadow.applied a"
    " WHERE a.server = c.server AND a.writer = c.writer AND a.position >= c.position))"};

pg::ConnectionOptions named(pg::ConnectionOptions options) {
    options.application_name += "-shadow-positions";
    return options;
}

/// What was committed, as `compare` takes it.
struct Wanted {
    bool holed = false;  ///< something was left out that nobody marks
    pg::Params params = {};
};

Result<Wanted> wanted_from(pg::SegmentAnswer const& answer) {
    if (!answer) return answer.error().code;
    auto read = [&] {
        pg::TextArray servers;
        pg::Int4Array writers;
        pg::Int8Array positions;
        for (pg::Row const row : answer->at(1)) {
            servers.push(row.text(0));
            writers.push(row.int4(1));
            positions.push(row.int8(2));
        }
        Wanted wanted;
        wanted.holed = answer->at(0)[0].boolean(0);
        wanted.params.add(servers).add(writers).add(positions);
        return wanted;
    };
    return pg::decoded(read);
}

struct Comparison {
    bool whole = false;
    bool reached = false;
};

Result<Comparison> comparison_of(Result<pg::Rows> const& answer) {
    if (!answer) return answer.error();
    auto read = [&] {
        auto const row = (*answer)[0];
        return Comparison{row.boolean(0), row.boolean(1)};
    };
    return pg::decoded(read);
}

}  // namespace

void mark_committed(pg::Segment& segment, std::string const& server, ShadowMark mark) {
    pg::Params params;
    params.text(server).int4(mark.writer).int8(mark.position);
    segment.add(committed, std::move(params));
}

void ShadowMarks::handled(ShadowMark mark) {
    auto& position = writers_[mark.writer].handled;
    position = std::max(position, mark.position);
}

void ShadowMarks::left_out(ShadowMark mark) {
    auto& position = writers_[mark.writer].left_out;
    position = std::max(position, mark.position);
}

void ShadowMarks::add_to(pg::Segment& segment, std::string const& server) const {
    if (writers_.empty()) return;
    pg::Int4Array writers;
    pg::Int8Array handled, left_out;
    for (auto const& [number, writer] : writers_) {
        writers.push(number);
        handled.push(writer.handled);
        left_out.push(writer.left_out);
    }
    pg::Params params;
    params.text(server).add(writers).add(handled).add(left_out);
    segment.add(applied, std::move(params));
}

ShadowPositions::ShadowPositions(asio::any_io_executor executor, pg::ConnectionOptions source,
                                 pg::ConnectionOptions target, reactor::BackoffLimits backoff)
    : executor_(executor),
      source_(executor, named(std::move(source)), 1, backoff),
      target_(executor, named(std::move(target)), 1, backoff) {}

asio::awaitable<void> ShadowPositions::run() {
    reactor::TaskGroup lives(executor_);
    lives.spawn(source_.run());
    lives.spawn(target_.run());
    co_await reactor::until_cancelled(lives);
}

asio::awaitable<bool> ShadowPositions::reached(SteadyTime deadline) {
    pg::Segment segment;
    segment.add(has_gap);
    segment.add(list_committed);
    auto const known = co_await source_.read(std::move(segment), deadline);
    auto const wanted = wanted_from(known);
    if (!wanted || wanted->holed) co_return false;
    for (auto pause = first_pause;; pause = std::min(2 * pause, pause_max)) {
        auto const answer = co_await target_.query(compare, wanted->params, deadline);
        auto const found = comparison_of(answer);
        if (!found || !found->whole) co_return false;
        if (found->reached) co_return true;
        auto const now = steady_now();
        if (now < impatient_until_) co_return false;
        if (now + pause >= deadline) break;
        bool const awake = co_await reactor::sleep_until(now + pause);
        if (!awake) co_return false;
    }
    impatient_until_ = steady_now() + impatience;
    co_return false;
}

}  // namespace penstock::db
