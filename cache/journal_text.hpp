// What an entry of a hot ledger's journal looks like: written by a script around words that are
// said here, and read back when it is answered, repeated or drained. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/journal.hpp"

namespace penstock::cache {

/// What the journal is to remember of a request beside what its items did.
struct RequestWords {
    std::optional<domain::KeyUse> key_use = {};
    std::string request_id = {};
    bool is_bulk = false;
};

/// The same of an item that moves money.
struct ItemWords {
    domain::TransferKind kind = domain::TransferKind::transfer;
    std::optional<std::string> reference = {};
    std::string metadata = "{}";
};

std::string said_of(RequestWords const& words);
std::string said_of(ItemWords const& words);

/// What is said of an item that moves no money.
inline constexpr std::string_view nothing_said = "0:";

/// nullopt: it is no entry of ours.
std::optional<domain::JournalEntry> read_entry(domain::LedgerId ledger, std::string_view position,
                                               std::string_view text);

/// The hold in a line of the books; nullopt: it is none.
std::optional<domain::Hold> read_hold(domain::LedgerId ledger, std::string_view id,
                                      std::string_view line);
std::string line_of(domain::Hold const& hold);

/// An account as the books of a hot ledger have it.
struct HotAccount {
    domain::AccountId id;
    domain::Amount balance = 0;
    domain::Amount held = 0;
    std::int64_t version = 0;
    domain::Amount overdraft_limit = 0;
    domain::Instant updated_at;
    std::int64_t position = 0;  ///< in the journal, of its last change; 0: none since it was loaded
    bool is_dirty = false;      ///< the store may have an older state: due for the sync, or claimed

    bool operator==(HotAccount const&) const = default;
};

std::optional<HotAccount> read_account(std::string_view line);
std::string line_of(HotAccount const& account);

}  // namespace penstock::cache
