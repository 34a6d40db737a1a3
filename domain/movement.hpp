// How money moves between two accounts: the one place where a transfer is booked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/command.hpp"
#include "domain/outcome.hpp"
#include "domain/working_set.hpp"

namespace penstock::domain {

/// What a transfer carries beside the movement itself.
struct Origin {
    TransferKind kind = TransferKind::transfer;
    std::uint64_t nonce = 0;
    std::optional<KeyUse> key_use = {};
    std::optional<TransferId> reverts = {};
    std::optional<Uuid> cause = {};
};

/// Where the body of a movement names the side that is at fault: "/from" or "/to", or what stands
/// for both of them.
std::string pointer_to(TransferKind kind, std::string_view side);

void add_movement_keys(LedgerId ledger, std::string const& from, std::string const& to,
                       KeySet& keys);

/// Why money does not move on it; nullopt: it does.
std::optional<Refusal> refuse_ledger(Ledger const* ledger);

/// available + overdraft_limit ≥ amount; @world always has it.
bool has_funds(Account const& payer, Amount amount);

/// An implicit ledger opens an account for whoever is paid; system addresses are never made so.
bool opens_by_itself(Ledger const& ledger, std::string const& address);

/// How the account stands from the batch's instant on.
void set_standing_now(WorkingSet& set, Account const& account, Standing standing);

/// A new account with nothing in it, not yet added to the set.
Account make_account(WorkingSet& set, LedgerId ledger, std::string address, std::uint64_t nonce);

/// The account of someone who is to be paid, opened where the ledger does so; nullptr: none.
Account const* find_payee(WorkingSet& set, Ledger const& ledger, std::string const& address,
                          std::uint64_t nonce);

/// The one who is to pay. Unknown: without funds where accounts open by themselves, else not
/// found, with `pointer` to the member at fault.
std::variant<Account const*, Refusal> find_payer(WorkingSet const& set, Ledger const& ledger,
                                                 std::string const& address, std::string pointer);

/// One movement. Refusals in this order: self, payer, payee, funds, overflow. Writes nothing when
/// it refuses.
BulkItem move(WorkingSet& set, Ledger const& ledger, Movement const& movement,
              Origin const& origin);

}  // namespace penstock::domain
