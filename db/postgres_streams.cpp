#include "db/postgres_streams.hpp"

#include "db/postgres_columns.hpp"
#include "db/postgres_reads.hpp"
#include "db/postgres_scan.hpp"
#include "db/sql.hpp"

namespace penstock::db {
namespace {

using namespace domain;
using namespace rows;
using reads::below;
using reads::limit_of;

/// The 19 columns that every statement about streams begins with.
constexpr int stream_columns = 19;

Stream stream(pg::Row row) {
    Stream stream;
    stream.id = {uuid(row, 0)};
    stream.ledger = {uuid(row, 1)};
    stream.sender = party(row, 2);
    stream.recipient = party(row, 4);
    stream.total = row.int8(6);
    stream.duration = std::chrono::seconds{row.int8(7)};
    stream.label = optional_string(row, 8);
    stream.metadata = optional_string(row, 9).value_or(std::string(no_metadata));
    stream.status = enumerator<StreamStatus>(row, 10);
    stream.released = row.int8(11);
    stream.refunded = row.int8(12);
    stream.started_at = optional_instant(row, 13);
    stream.ends_at = optional_instant(row, 14);
    stream.paused_at = optional_instant(row, 15);
    stream.ended_at = optional_instant(row, 16);
    stream.settled_at = optional_instant(row, 17);
    stream.updated_at = instant(row, 18);
    return stream;
}

reads::Scanned<Stream> scanned(pg::Row row) {
    return {stream(row), row.boolean(stream_columns), row.boolean(stream_columns + 1)};
}

StreamId place_of(Stream const& stream) { return stream.id; }

pg::Int2Array statuses_of(std::optional<StreamStatus> status) {
    if (!status) {
        pg::Int2Array shown;
        for (auto const each :
             {StreamStatus::draft, StreamStatus::active, StreamStatus::paused, StreamStatus::ended,
              StreamStatus::withdrawn, StreamStatus::cancelled})
            shown.push(number(each));
        return shown;
    }
    pg::Int2Array one;
    one.push(number(*status));
    return one;
}

/// What changes of a stream, in the order in which both statements that write take it.
void add_state(std::vector<Stream> const& streams, pg::Params& params) {
    auto const moment = [&](std::optional<Instant> Stream::*member) {
        params.add(optional_column<pg::InstantMsArray>(
            streams, [member](Stream const& each) { return ms(each.*member); }));
    };
    params.add(column<pg::Int2Array>(streams, [](auto const& s) { return number(s.status); }));
    params.add(column<pg::Int8Array>(streams, &Stream::released));
    params.add(column<pg::Int8Array>(streams, &Stream::refunded));
    moment(&Stream::started_at);
    moment(&Stream::ends_at);
    moment(&Stream::paused_at);
    moment(&Stream::ended_at);
    moment(&Stream::settled_at);
    params.add(instants(streams, &Stream::updated_at));
}

pg::Params insert_streams(std::vector<Stream> const& streams) {
    pg::TextArray metadata;
    for (auto const& each : streams) push_metadata(metadata, each.metadata);
    pg::Params params;
    params.add(ids(streams, &Stream::id)).add(ids(streams, &Stream::ledger));
    params.add(ids(streams, [](auto const& s) { return s.sender.account; }));
    params.add(ids(streams, [](auto const& s) { return s.recipient.account; }));
    params.add(column<pg::Int8Array>(streams, &Stream::total));
    params.add(column<pg::Int8Array>(streams, [](auto const& s) { return s.duration.count(); }));
    params.add(optional_column<pg::TextArray>(streams, &Stream::label)).add(metadata);
    add_state(streams, params);
    return params;
}

pg::Params update_streams(std::vector<Stream> const& streams) {
    pg::Params params;
    params.add(ids(streams, &Stream::ledger)).add(ids(streams, &Stream::id));
    add_state(streams, params);
    return params;
}

}  // namespace

namespace streams {

void add_locked(pg::Row row, Loaded& to) { to.streams.push_back(stream(row)); }

void write(pg::Segment& segment, Changes const& changes) {
    if (!changes.new_streams.empty())
        segment.add(sql::insert_streams, insert_streams(changes.new_streams));
    if (!changes.changed_streams.empty())
        segment.add(sql::update_streams, update_streams(changes.changed_streams));
}

}  // namespace streams

asio::awaitable<Result<std::optional<Stream>>> PostgresStreams::find_stream(LedgerId ledger,
                                                                            StreamId id,
                                                                            SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).uuid(id.value.bytes);
    auto items =
        co_await reads::list<Stream>(pool_, sql::find_stream, std::move(params), deadline, stream);
    if (!items) co_return items.error();
    std::optional<Stream> found;
    if (!items->empty()) found = std::move(items->front());
    co_return found;
}

asio::awaitable<Result<StreamList>> PostgresStreams::list_streams(LedgerId ledger, StreamPage page,
                                                                  SteadyTime deadline) {
    pg::Params params;
    params.uuid(ledger.value.bytes).add(statuses_of(page.status)).uuid(below(page.before));
    params.int8(limit_of(page.limit)).int8(limit_of(page.scan_max));
    auto const* statement = &sql::list_streams;
    if (page.sender) {
        params.text(*page.sender).optional_text(page.recipient);
        statement = &sql::list_sent_streams;
    } else if (page.recipient) {
        params.text(*page.recipient);
        statement = &sql::list_received_streams;
    }
    auto rows = co_await reads::list<reads::Scanned<Stream>>(pool_, *statement, std::move(params),
                                                             deadline, scanned);
    if (!rows) co_return rows.error();
    co_return reads::list_scanned<StreamList>(std::move(*rows), place_of);
}

}  // namespace penstock::db
