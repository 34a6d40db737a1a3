// WHOSE transfers came home, but not his balance, before the books were lost: their rows in the
// store are mended from the store's own transfers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "db/hot_store.hpp"
#include "reactor/backoff.hpp"
#include "server/hot/steps.hpp"
#include "server/hot/worker.hpp"

namespace penstock::server {

struct MendOptions {
    std::size_t page = 500;
    milliseconds step_max{5'000};  ///< one question, or one command
    reactor::BackoffLimits pauses{milliseconds{20}, milliseconds{2'000}, milliseconds{0}};
};

/// Books that were built anew know nobody until he is posted to, so nothing in Redis says whose row
/// is behind. They say that some may be, until one life of this has looked at every account.
/// Several servers that do it at once, or while posts go on, do no harm: versions decide.
class Mend {
public:
    Mend(HotLedgerParts parts, db::HotStore& store, MendOptions options = {});
    Mend(Mend&&) = delete;

    /// Until every account was looked at, at once if nothing is to be mended; until it is
    /// cancelled, or the epoch is over.
    asio::awaitable<void> run();

private:
    asio::awaitable<std::optional<SteadyTime>> step();
    asio::awaitable<error_code> begin();
    asio::awaitable<error_code> look_at_page();
    asio::awaitable<error_code> write(std::vector<domain::HotBalance> behind);
    asio::awaitable<error_code> finish();
    SteadyTime fail(error_code error);
    SteadyTime step_deadline() const { return steady_now() + options_.step_max; }

    HotLedgerParts parts_;
    db::HotStore& store_;
    MendOptions options_;
    Steps steps_;
    reactor::Backoff pauses_;
    std::int64_t base_ = 0;             ///< of the books that were built anew; 0: not known yet
    std::optional<std::string> after_;  ///< whom was looked at last
    bool has_seen_all_ = false;
    bool is_done_ = false;
};

}  // namespace penstock::server
