// WHOSE secret is this: remembered for a while, and looked up in crowds, never one by one.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "db/store.hpp"
#include "reactor/collector.hpp"
#include "reactor/counters.hpp"

namespace penstock::server {

struct KeyDirectoryOptions {
    /// How long a looked-up key is believed, so a revocation elsewhere takes effect.
    milliseconds believed{5'000};
    /// The same while the store cannot be asked: only what was done before can be answered then.
    milliseconds believed_at_most{60'000};
    /// How long a secret stays unknown that was. A key made meanwhile, here or elsewhere, has
    /// another secret, so nobody waits for this to end.
    milliseconds unknown{5'000};
    /// After a lookup that found nobody, the next waits so long and takes all that came: guessing
    /// costs the store so many reads a second, however many guess.
    milliseconds pause{20};
    /// How long a known key waits for its renewal before it is believed once more.
    milliseconds renewal_max{250};
    std::size_t known_max = 10'000;
    std::size_t unknown_max = 20'000;
    reactor::BatchLimits lookups{.items_max = 1'000, .queue_max = 10'000};
};

struct KeyDirectoryMetrics {
    reactor::Count lookups;  ///< reads of the store
    reactor::Count unknown;  ///< requests with a secret that nobody has
    reactor::Count known_kept;
    reactor::Count unknown_kept;
};

/// One per shard. Secrets are their digests here.
class KeyDirectory {
public:
    KeyDirectory(asio::any_io_executor executor, db::Store& store,
                 KeyDirectoryOptions options = {});
    KeyDirectory(KeyDirectory&&) = delete;

    /// Its background life; ends on cancellation.
    asio::awaitable<void> run() { return lookups_.run(); }

    /// The key, revoked or not; nothing: nobody's. An error when that cannot be known now.
    asio::awaitable<Result<std::optional<domain::ApiKey>>> find(domain::SecretDigest secret,
                                                                SteadyTime deadline);

    KeyDirectoryMetrics const& metrics() const { return metrics_; }

private:
    using Secrets = std::vector<domain::SecretDigest>;
    using Key = std::optional<domain::ApiKey>;

    /// A digest is random already, so any of its bytes will do.
    struct Hash {
        std::size_t operator()(domain::SecretDigest const& secret) const;
    };
    /// The oldest entries go first.
    template <class Entry>
    struct Memory {
        std::unordered_map<domain::SecretDigest, Entry, Hash> entries;
        std::deque<domain::SecretDigest> in_order;

        void keep(domain::SecretDigest const& secret, Entry entry, std::size_t most);
    };
    struct Known {
        domain::ApiKey key;
        SteadyTime until;
        SteadyTime at_most_until;
    };

    asio::awaitable<std::vector<Result<Key>>> look_up(Secrets secrets);
    void keep(domain::SecretDigest const& secret, Key const& key);

    db::Store& store_;
    KeyDirectoryOptions options_;
    Memory<Known> known_;
    Memory<SteadyTime> unknown_;  ///< until when
    SteadyTime next_lookup_at_{};
    KeyDirectoryMetrics metrics_;
    reactor::Collector<domain::SecretDigest, Key> lookups_;
};

}  // namespace penstock::server
