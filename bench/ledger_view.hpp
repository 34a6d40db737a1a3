// A ledger seen through its API: how the bench makes ledgers, and how it reads them back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/client.hpp"
#include "bench/options.hpp"

namespace penstock::bench {

std::string ledger_path(std::string const& ledger);

/// "account:0000042": the accounts of a synthetic load, in the order of their numbers.
std::string numbered_account(unsigned number);

/// A money ledger in pence; implicit: whoever is paid has an account. False: the name is taken.
enum class Accounts { implicit, explicit_ };
asio::awaitable<bool> create_ledger(Client& client, std::string name,
                                    Accounts accounts = Accounts::implicit,
                                    Posted posted = Posted::durable);

/// An account; it may be there already.
asio::awaitable<void> create_account(Client& client, Books const& books, AccountIndex account);

/// The ledger's terms, its totals, every account (the system's too), and `verify`, which reads
/// everything there is: no thing to ask a ledger of ten million transfers in passing.
enum class Ask { verify, no_verify };
asio::awaitable<Observed> observe(Client& client, std::string ledger, Ask ask = Ask::verify);

std::map<std::string, Total> totals_of(boost::json::value const& answer);
/// Asks `verify`.
asio::awaitable<void> verify(Client& client, std::string ledger, Observed& observed);

/// A deposit, acknowledged in the books.
asio::awaitable<void> deposit(Client& client, Books& books, Posting posting);

/// Transfers in bulk requests of at most 5,000, each of which must be accepted.
asio::awaitable<void> transfer_all(Client& client, Books& books, std::vector<Posting> postings);

/// Appends `{"from":…,"to":…,"amount":…}`.
void append_transfer(std::string& out, Books const& books, Posting const& posting);

/// Appends `{"buyer":…,"author":…,"price":…}`.
void append_purchase(std::string& out, Books const& books, Posting const& posting);

/// Books a purchase and the two amounts that its answer names. Returns what contradicts the
/// request: another buyer, author or price, parts that do not add up, an author's part that no
/// fraction explains.
std::optional<std::string> acknowledge_purchase(Books& books, Posting const& posting,
                                                Response const& response);

}  // namespace penstock::bench
