// What can be asked of a store about payment streams.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/stream_rows.hpp"
#include "reactor/result.hpp"

namespace penstock::db {

/// Newest first, by id. All filters together.
struct StreamPage {
    std::optional<std::string> sender;
    std::optional<std::string> recipient;
    std::optional<domain::StreamStatus> status;
    std::optional<domain::StreamId> before;
    std::size_t limit = 50;
    /// A status is in no index, so that an action on a stream touches none: a list passes over
    /// what it does not show, and over so many rows at most.
    std::size_t scan_max = 1'000;
};

struct StreamList {
    std::vector<domain::Stream> items;
    /// The list ended at this row, shown or not, because of scan_max: it may go on behind it.
    std::optional<domain::StreamId> scanned_to = {};

    bool operator==(StreamList const&) const = default;
};

/// One per Store. Reads see every commit that was confirmed before them, and no draft that was
/// deleted.
class StreamStore {
public:
    virtual ~StreamStore() = default;

    virtual asio::awaitable<Result<std::optional<domain::Stream>>> find_stream(domain::LedgerId,
                                                                               domain::StreamId,
                                                                               SteadyTime) = 0;
    virtual asio::awaitable<Result<StreamList>> list_streams(domain::LedgerId, StreamPage,
                                                             SteadyTime) = 0;
};

}  // namespace penstock::db
