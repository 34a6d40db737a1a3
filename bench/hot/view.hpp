// A hot ledger seen through its API: how far it has come home, and what it says of an account
// before it has.
#pragma once

#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/client.hpp"
#include "bench/hot/lags.hpp"

namespace penstock::bench::hot {

asio::awaitable<SyncStatus> read_status(Client& client, std::string ledger);

/// Returns when everything that the ledger has acknowledged is in PostgreSQL, or when nothing has
/// moved for `patience`. In words: what is still on its way then, and what will never come home.
asio::awaitable<std::vector<std::string>> await_home(Client& client, std::string ledger,
                                                     std::chrono::duration<double> patience);

/// Some accounts, evenly spread, each of which must show every acknowledged post at once.
asio::awaitable<std::vector<std::string>> compare_at_once(Client& client, Books const& books);

}  // namespace penstock::bench::hot
