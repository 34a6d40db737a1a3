// What a batch reads, what it works on, and what it changes: plain values between load, decide
// and commit.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "domain/model.hpp"

namespace penstock::domain {

struct AccountName {
    LedgerId ledger;
    std::string address;

    auto operator<=>(AccountName const&) const = default;
};

struct LedgerName {
    OrganizationId organization;
    std::string name;

    auto operator<=>(LedgerName const&) const = default;
};

/// What a batch wants to see. Sets, so that every store locks in the same ascending order.
struct KeySet {
    std::set<OrganizationId> organizations;   ///< do they exist?
    std::set<std::string> organization_names;  ///< are they taken?
    std::set<ApiKeyId> api_keys;              ///< locked
    std::set<LedgerName> ledger_names;        ///< are they taken?
    std::set<LedgerId> ledgers;               ///< shared lock: not deleted meanwhile
    std::set<LedgerId> ledgers_exclusive;     ///< exclusive lock, and is anything in them?
    std::set<AccountName> accounts;           ///< exclusive lock
    std::set<TransferId> reverted;            ///< are they reverted already?
    std::set<IdempotencyKey> keys;            ///< what were they used for?
};

/// What a key was used for, as the store has it: the transfer that carries it, or an answer (with
/// the transfers of a bulk in the order of Answer::transfers).
struct KeyRecord {
    Fingerprint fingerprint{};
    Instant used_at;
    std::variant<Transfer, std::pair<Answer, std::vector<Transfer>>> made;
};

/// What load found. Absence means that it does not exist.
struct Loaded {
    std::set<OrganizationId> organizations;
    std::set<std::string> organization_names;
    std::vector<ApiKey> api_keys;
    std::set<LedgerName> ledger_names;
    std::vector<Ledger> ledgers;
    std::set<LedgerId> ledgers_not_empty;  ///< of ledgers_exclusive: a balance or a hold is not 0
    std::vector<Account> accounts;         ///< without metadata
    std::set<TransferId> reverted;
    std::vector<std::pair<IdempotencyKey, KeyRecord>> keys;
};

/// What a batch's effect is: rows to write, a value. It can be applied to any store.
struct Changes {
    std::vector<Organization> new_organizations;
    std::vector<ApiKey> new_api_keys;
    std::vector<std::pair<ApiKeyId, Instant>> revoked_api_keys;
    std::vector<Ledger> new_ledgers;
    std::vector<Ledger> changed_ledgers;
    std::vector<std::pair<LedgerId, Instant>> deleted_ledgers;
    std::vector<Account> new_accounts;      ///< in their final standing
    std::vector<Account> changed_accounts;  ///< only `standing` differs
    std::vector<Transfer> transfers;        ///< in the order of decision
    std::vector<Total> totals;              ///< to be added
    std::vector<Answer> answers;
    /// Keys past their retention that this batch uses again: freed before anything is inserted.
    std::vector<IdempotencyKey> freed_keys;

    bool empty() const;
    bool operator==(Changes const&) const = default;
};

/// The instant of a batch and the first free ordinal for its ids. One instant for the batch.
struct Stamp {
    Instant at;
    std::uint32_t ordinal = 0;
};

/// The state that a batch's commands are decided on, one after the other: each sees what the
/// earlier ones did. Every write goes through it, so a command can be undone whole.
class WorkingSet {
public:
    /// `stamp.at` is raised to the newest `updated_at` among the accounts: within an account time
    /// never goes back, whatever the servers' clocks say. Keys used before `keys_since` are free.
    WorkingSet(Loaded loaded, Stamp stamp, Instant keys_since);

    Instant now() const { return stamp_.at; }
    /// The next id of this batch, stamped with now().
    Uuid next_id(std::uint64_t nonce) { return make_uuid7(stamp_.at, stamp_.ordinal++, nonce); }
    Stamp stamp() const { return stamp_; }

    Ledger const* find_ledger(LedgerId id) const;
    Account const* find_account(LedgerId ledger, std::string const& address) const;
    ApiKey const* find_api_key(ApiKeyId id) const;
    KeyRecord const* find_key(IdempotencyKey key) const;
    bool organization_exists(OrganizationId id) const;
    bool organization_name_taken(std::string const& name) const;
    bool ledger_name_taken(OrganizationId organization, std::string const& name) const;
    bool ledger_not_empty(LedgerId id) const;
    bool is_reverted(TransferId id) const;

    void add_organization(Organization organization);
    void add_api_key(ApiKey key);
    void revoke_api_key(ApiKeyId id);
    void add_ledger(Ledger ledger);
    void change_ledger(Ledger ledger);
    void delete_ledger(LedgerId id);
    void add_account(Account account);
    void set_standing(LedgerId ledger, std::string const& address, Standing standing);
    void add_transfer(Transfer transfer);
    void add_answer(Answer answer, std::vector<Transfer> transfers);

    /// A place to return to: undo(mark) takes back every write since.
    using Mark = std::size_t;
    Mark mark() const { return undo_.size(); }
    void undo(Mark mark);

    /// The rows to write for everything done so far.
    Changes changes() const;

private:
    struct AccountEntry {
        Account account;
        bool is_new = false;
        bool is_changed = false;
    };
    struct LedgerEntry {
        Ledger ledger;
        bool is_new = false;
        bool is_changed = false;
        bool is_deleted = false;
    };
    struct AccountNameHash {
        std::size_t operator()(AccountName const& name) const noexcept {
            return UuidHash{}(name.ledger) ^ std::hash<std::string>{}(name.address);
        }
    };
    template <class Undo>
    void remember(Undo undo);

    // Filled by the implementation; see working_set.cpp.
    Stamp stamp_;
    Instant keys_since_;
    std::unordered_map<AccountName, AccountEntry, AccountNameHash> accounts_;
    std::unordered_map<LedgerId, LedgerEntry, UuidHash> ledgers_;
    std::unordered_map<ApiKeyId, ApiKey, UuidHash> api_keys_;
    std::unordered_map<IdempotencyKey, KeyRecord, UuidHash> keys_;
    std::set<OrganizationId> organizations_;
    std::set<std::string> organization_names_;
    std::set<LedgerName> ledger_names_;
    std::set<LedgerId> ledgers_not_empty_;
    std::set<TransferId> reverted_;
    Changes changes_;
    std::vector<std::function<void(WorkingSet&)>> undo_;
};

}  // namespace penstock::domain
