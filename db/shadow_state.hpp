// WHAT databases remember of a move between them: in the source who writes to the shadow and what
// it left out, in the target how far a backfill is.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "db/mirror.hpp"
#include "db/pg/options.hpp"
#include "db/pg/plain_connection.hpp"

namespace penstock::db {

/// A server that wrote, or writes, to the shadow, as its row in the source says.
struct ShadowServer {
    std::string id;
    std::int64_t gaps = 0;  ///< batches that it left out since the last backfill
    bool alive = false;     ///< it has been heard of lately, and has not ended

    /// Something may be missing in the shadow: what it left out, or what it had not applied when
    /// it died.
    bool left_a_gap() const { return gaps > 0 || !alive; }
};

/// Makes the tables of the move where they are missing.
asio::awaitable<pg::Answer<pg::Done>> prepare_shadow_state(pg::Address address,
                                                           SteadyTime deadline);

/// Says in the source that a server begins to write to the shadow, before it writes anything: if
/// it dies, this is what tells.
asio::awaitable<pg::Answer<pg::Done>> open_shadow_server(pg::Address source, std::string id,
                                                         SteadyTime deadline);

asio::awaitable<pg::Answer<std::vector<ShadowServer>>> list_shadow_servers(pg::Address source,
                                                                           SteadyTime deadline);

/// Something was changed past every server: a shadow, if there is one, is not whole until a
/// backfill has followed. `id`: a name that nobody else has.
asio::awaitable<pg::Answer<pg::Done>> note_shadow_gap(pg::Address source, std::string id,
                                                      SteadyTime deadline);
/// Nothing was changed after all, or another note says so.
asio::awaitable<pg::Answer<pg::Done>> take_back_shadow_gap(pg::Address source, std::string id,
                                                           SteadyTime deadline);

/// How far the commits of every writer are, for write_shadow_marks().
asio::awaitable<pg::Answer<std::string>> read_shadow_marks(pg::Address source, SteadyTime deadline);
/// After a walk over everything that began when the marks were read: all that is there now.
asio::awaitable<pg::Answer<pg::Done>> write_shadow_marks(pg::Address target, std::string marks,
                                                         SteadyTime deadline);

/// After a backfill that began when these were listed: what they had left out is there now.
asio::awaitable<pg::Answer<pg::Done>> close_shadow_gaps(pg::Address source,
                                                        std::vector<ShadowServer> servers,
                                                        std::string marks, SteadyTime deadline);

/// How far a backfill is; nullopt: nothing of this table yet.
struct BackfillPosition {
    std::string table;
    std::optional<mirror::Key> after;
    bool complete = false;
};

asio::awaitable<pg::Answer<std::vector<BackfillPosition>>> read_backfill(pg::Address target,
                                                                         SteadyTime deadline);
asio::awaitable<pg::Answer<pg::Done>> write_backfill(pg::Address target, BackfillPosition position,
                                                     SteadyTime deadline);
asio::awaitable<pg::Answer<pg::Done>> forget_backfill(pg::Address target, SteadyTime deadline);
/// From now on the target is a whole copy.
asio::awaitable<pg::Answer<pg::Done>> complete_backfill(pg::Address target, SteadyTime deadline);

/// Keeps this server's row up to date.
class ShadowKeeper {
public:
    ShadowKeeper(asio::any_io_executor executor, pg::Address source, std::string id,
                 std::function<std::uint64_t()> gaps);
    ShadowKeeper(ShadowKeeper&&) = delete;

    /// Every few seconds; ends on cancellation.
    asio::awaitable<void> run();

    /// The server ends. `clean`: everything was applied, and nobody needs to hear of it again
    /// unless it has left something out.
    asio::awaitable<void> finish(bool clean, SteadyTime deadline);

    /// What is missing, of this server, since the last backfill: as its row says, and what its row
    /// does not say yet.
    std::int64_t open_gaps() const { return open_gaps_; }
    std::int64_t unreported_gaps() const {
        return static_cast<std::int64_t>(gaps_() - reported_.load());
    }

private:
    asio::awaitable<bool> report(SteadyTime deadline);

    asio::any_io_executor executor_;
    pg::Address source_;
    std::string id_;
    std::function<std::uint64_t()> gaps_;
    std::atomic<std::uint64_t> reported_{0};
    std::atomic<std::int64_t> open_gaps_{0};
};

}  // namespace penstock::db
