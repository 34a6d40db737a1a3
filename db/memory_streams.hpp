// Payment streams in memory: the part of the store in memory that knows their rows.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "db/stream_store.hpp"
#include "domain/working_set.hpp"

namespace penstock::db {

class MemoryStreams : public StreamStore {
public:
    void load(domain::KeySet const& keys, domain::Loaded& loaded) const;
    void commit(domain::Changes const& changes);
    /// One of a deleted ledger. False: nothing is left.
    bool forget_oldest(domain::LedgerId ledger);
    /// Of all ledgers or of one, deleted drafts included, oldest first.
    std::vector<domain::Stream const*> all() const;
    std::vector<domain::Stream const*> of(domain::LedgerId ledger) const;

    asio::awaitable<Result<std::optional<domain::Stream>>> find_stream(domain::LedgerId,
                                                                       domain::StreamId,
                                                                       SteadyTime) override;
    asio::awaitable<Result<StreamList>> list_streams(domain::LedgerId, StreamPage,
                                                     SteadyTime) override;

private:
    std::map<std::pair<domain::LedgerId, domain::StreamId>, domain::Stream> streams_;
};

}  // namespace penstock::db
