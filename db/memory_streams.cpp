#include "db/memory_streams.hpp"

#include <boost/range/adaptor/reversed.hpp>

#include "db/memory_rows.hpp"
#include "domain/assert.hpp"

namespace penstock::db {

using namespace domain;
using memory::copy_of;
using memory::find_in;

namespace {

/// In the range of the index that a page walks along.
bool is_walked(Stream const& stream, StreamPage const& page) {
    if (page.before && stream.id >= *page.before) return false;
    if (page.sender) return stream.sender.address == *page.sender;
    return !page.recipient || stream.recipient.address == *page.recipient;
}

/// Of those, what it shows.
bool matches(Stream const& stream, StreamPage const& page) {
    if (page.recipient && stream.recipient.address != *page.recipient) return false;
    if (page.status) return stream.status == *page.status;
    return stream.status != StreamStatus::deleted;
}

}  // namespace

void MemoryStreams::load(KeySet const& keys, Loaded& loaded) const {
    for (auto const& name : keys.streams)
        if (auto const* stream = find_in(streams_, name)) loaded.streams.push_back(*stream);
}

void MemoryStreams::commit(Changes const& changes) {
    for (auto const& stream : changes.new_streams)
        PENSTOCK_ASSERT(streams_.emplace(std::pair{stream.ledger, stream.id}, stream).second);
    for (auto const& changed : changes.changed_streams) {
        auto& stream = streams_.at({changed.ledger, changed.id});
        PENSTOCK_ASSERT(stream.total == changed.total && stream.sender == changed.sender);
        stream = changed;
    }
}

bool MemoryStreams::forget_oldest(LedgerId ledger) {
    auto const oldest = streams_.lower_bound({ledger, {}});
    if (oldest == streams_.end() || oldest->first.first != ledger) return false;
    streams_.erase(oldest);
    return true;
}

std::vector<Stream const*> MemoryStreams::all() const {
    std::vector<Stream const*> list;
    for (auto const& [name, stream] : streams_) list.push_back(&stream);
    return list;
}

std::vector<Stream const*> MemoryStreams::of(LedgerId ledger) const {
    std::vector<Stream const*> list;
    auto at = streams_.lower_bound({ledger, {}});
    for (; at != streams_.end() && at->first.first == ledger; ++at) list.push_back(&at->second);
    return list;
}

asio::awaitable<Result<std::optional<Stream>>> MemoryStreams::find_stream(LedgerId ledger,
                                                                          StreamId id, SteadyTime) {
    std::pair const name{ledger, id};
    auto found = copy_of(find_in(streams_, name));
    if (found && found->status == StreamStatus::deleted) found.reset();
    co_return found;
}

asio::awaitable<Result<StreamList>> MemoryStreams::list_streams(LedgerId ledger, StreamPage page,
                                                                SteadyTime) {
    StreamList list;
    std::size_t scanned = 0;
    auto const streams = of(ledger);
    for (auto const* stream : boost::adaptors::reverse(streams)) {
        if (list.items.size() == page.limit || list.scanned_to) break;
        if (!is_walked(*stream, page)) continue;
        if (matches(*stream, page)) list.items.push_back(*stream);
        if (++scanned == page.scan_max) list.scanned_to = stream->id;
    }
    co_return list;
}

}  // namespace penstock::db
