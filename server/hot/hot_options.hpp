// What can be set from outside about hot ledgers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "domain/ids.hpp"
#include "reactor/result.hpp"

namespace penstock::server {

struct HotOptions {
    /// Which database's ledgers these are: two installations on one Redis do not meet.
    domain::Uuid database;
    /// How long a ledger remembers an idempotency key.
    std::chrono::hours key_retention{24};

    /// How long a post waits for Redis.
    milliseconds wait{1'000};
    /// The same, while the books of its ledger are opened.
    milliseconds open_wait{2'000};
    /// Items of one journal that PostgreSQL may lack; more posts are answered 503.
    std::int64_t undrained_max = 100'000;
    /// Of Redis's memory; above it every post is answered 503.
    std::size_t memory_percent = 80;

    // The drain.
    std::size_t drain_items = 512;
    milliseconds drain_delay{5};
    /// After how long the entries of a worker that died are taken over.
    milliseconds idle{5'000};

    // The sync.
    std::size_t sync_items = 512;
    /// How long an account that changed may differ from PostgreSQL before it is claimed.
    milliseconds sync_delay{200};
    /// How long a claimed one may wait for company.
    milliseconds sync_age{100};
    milliseconds lease{5'000};

    /// Between two looks for ledgers that came or went.
    milliseconds look_interval{1'000};
};

}  // namespace penstock::server
