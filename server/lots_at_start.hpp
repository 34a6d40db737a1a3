// Are the lots of every ledger as far as its history, before anyone can ask?
#pragma once

namespace penstock::server {

struct Options;
class Log;

/// Rebuilds those of the ledgers that are behind, and logs what it found. Throws
/// std::runtime_error with a sentence when that cannot be done: whoever serves such a ledger
/// would answer with balances that are wrong.
void bring_lots_up_to_date(Options const& options, Log& log);

}  // namespace penstock::server
