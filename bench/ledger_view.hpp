// A ledger seen through its API: how the bench makes ledgers, and how it reads them back.
#pragma once

#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/client.hpp"

namespace penstock::bench {

std::string ledger_path(std::string const& ledger);

/// An `implicit` money ledger in pence. False: the name is taken.
asio::awaitable<bool> create_ledger(Client& client, std::string name);

/// Totals, every account (the system's too), and `verify`.
asio::awaitable<Observed> observe(Client& client, std::string ledger);

/// A deposit, acknowledged in the books.
asio::awaitable<void> deposit(Client& client, Books& books, Posting posting);

/// Transfers in bulk requests of at most 5,000, each of which must be accepted.
asio::awaitable<void> transfer_all(Client& client, Books& books, std::vector<Posting> postings);

/// Appends `{"from":…,"to":…,"amount":…}`.
void append_transfer(std::string& out, Books const& books, Posting const& posting);

}  // namespace penstock::bench
