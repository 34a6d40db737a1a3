// Do two databases answer the same? What clients can ask of them, compared page by page and key by
// key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "db/move.hpp"
#include "db/store.hpp"

namespace penstock::server {

struct ParityLimits {
    std::size_t pages = 20;  ///< of each list
    std::size_t page_items = 200;
    /// Accounts and references of each ledger, users of each product, whose own lists are walked.
    std::size_t sample = 20;
    /// Organizations and ledgers that are walked side by side, and pages that are read at a time:
    /// the way to a database and back is waited for once for several of them.
    std::size_t at_once = 8;
    /// What is younger may be on its way: lists begin behind it.
    milliseconds margin{3'000};
    milliseconds settle{10'000};  ///< for how long a page may differ
    milliseconds step_max{60'000};
    std::size_t differences_max = 20;
};

struct ListReport {
    std::uint64_t lists = 0;
    std::uint64_t pages = 0;
    std::uint64_t items = 0;
    std::vector<db::Difference> differences = {};
};

/// Walks every list of every organization and ledger in both stores, under every filter: the same
/// ids in the same order, and each page going on at the same place. What an item is listed by may
/// change meanwhile: one that is on its way differs at times, and only one that differs all the
/// time is a difference. Throws std::runtime_error when a store does not answer.
asio::awaitable<ListReport> compare_lists(db::Store& primary, db::Store& shadow,
                                          domain::Instant now, ParityLimits limits);

struct ReplayReport {
    std::uint64_t keys = 0;
    std::vector<db::Difference> differences = {};
};

/// What each of the keys is answered with when its request is repeated, byte for byte.
asio::awaitable<ReplayReport> compare_replays(db::Store& primary, db::Store& shadow,
                                              std::vector<std::string> keys, ParityLimits limits);

}  // namespace penstock::server
