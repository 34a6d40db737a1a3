// What a batch reads, what it works on, and what it changes: plain values between load, decide
// and commit.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/export_rows.hpp"
#include "domain/hot_rows.hpp"
#include "domain/lots.hpp"
#include "domain/model.hpp"
#include "domain/outcome.hpp"
#include "domain/stream_rows.hpp"

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
    std::set<OrganizationId> organizations;    ///< do they exist?
    std::set<std::string> organization_names;  ///< are they taken?
    std::set<ApiKeyId> api_keys;               ///< locked
    std::set<LedgerName> ledger_names;         ///< are they taken?
    std::set<LedgerId> ledgers;                ///< shared lock: not deleted meanwhile
    std::set<LedgerId> ledgers_exclusive;      ///< exclusive lock, and is anything in them?
    std::set<AccountName> accounts;            ///< exclusive lock
    std::set<TransferId> reverted;             ///< are they reverted already?
    std::set<IdempotencyKey> keys;             ///< what were they used for?
    /// Children of the accounts above: read after those are locked.
    std::set<std::pair<LedgerId, PurchaseId>> purchases;
    std::set<std::pair<LedgerId, HoldId>> holds;
    std::set<JobId> jobs;               ///< exclusive lock
    std::set<LedgerId> credit_ledgers;  ///< exclusive lock, before all accounts
    std::set<LedgerId> hot_ledgers;     ///< likewise, after the credit ledgers
    std::set<std::pair<LedgerId, std::string>> credit_references;  ///< are they taken?
    std::set<AccountName> lots_of;  ///< the open lots of these accounts
    std::set<ProductId> products;   ///< exclusive lock, after the accounts'
    /// Children of the products: read after those are locked. What has the user bought?
    std::set<std::pair<ProductId, std::string>> sale_users;
    std::set<std::pair<ProductId, OrderId>> orders;
    std::set<std::pair<LedgerId, StreamId>> streams;  ///< exclusive lock, after the products'
};

/// How much of a product a user has: Σ quantity of completed orders.
struct SaleUser {
    ProductId product;
    std::string user;
    std::int64_t quantity = 0;
};

/// What a key was used for, as the store has it: the transfer, purchase or order that carries it,
/// or an answer (with the transfers of a bulk in the order of Answer::transfers).
struct KeyRecord {
    Fingerprint fingerprint{};
    Instant used_at;
    std::variant<Transfer, std::pair<Answer, std::vector<Transfer>>, Purchase, Order, Credited>
        made;
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
    std::vector<Purchase> purchases;
    std::vector<Hold> holds;
    std::vector<Job> jobs;
    std::vector<CreditLedger> credit_ledgers;
    std::vector<HotLedger> hot_ledgers;
    std::set<std::pair<LedgerId, std::string>> credit_references;
    std::vector<Lot> lots;  ///< open ones, in any order
    std::vector<Product> products;
    std::vector<SaleUser> sale_users;  ///< who has bought nothing may be absent
    std::vector<Order> orders;
    std::vector<Stream> streams;
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
    std::vector<Purchase> new_purchases;       ///< in the order of decision
    std::vector<Purchase> refunded_purchases;  ///< only refunded_at and author_refund differ
    std::vector<Hold> new_holds;
    std::vector<Hold> ended_holds;  ///< status, ended_at, captured_amount and transfer differ
    std::vector<Event> events;
    std::vector<Job> new_jobs;                            ///< to be announced by the commit
    std::vector<std::pair<JobId, Instant>> retried_jobs;  ///< dead letters, due again from then
    std::vector<Product> new_products;                    ///< in their final state
    std::vector<Product> changed_products;                ///< only stock, sold and version differ
    std::vector<Order> new_orders;                        ///< in the order of decision
    std::vector<Order> cancelled_orders;                  ///< only status and cancelled_at differ

    std::vector<CreditLedger> credit_ledgers;        ///< new ones and changed ones
    std::vector<CreditOperation> credit_operations;  ///< in the order of decision
    std::vector<CreditEntry> credit_entries;         ///< likewise
    std::vector<Lot> new_lots;                       ///< as the batch left them
    std::vector<Lot> changed_lots;                   ///< only remaining and is_open differ

    std::vector<HotLedger> hot_ledgers;  ///< new ones and changed ones

    std::vector<Stream> new_streams;  ///< in their final state
    /// Only status, released, refunded and the instants differ.
    std::vector<Stream> changed_streams;
    std::vector<Export> new_exports;
    std::vector<ExportAudit> export_audits;

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
    /// `stamp.at` is raised to the newest `updated_at` among the accounts and streams: within each
    /// of them time never goes back, whatever the servers' clocks say. Keys used before
    /// `keys_since` are free.
    WorkingSet(Loaded loaded, Stamp stamp, Instant keys_since);

    Instant now() const { return stamp_.at; }
    /// The next id of this batch, stamped with now(). A batch that has used up the ordinals of
    /// its millisecond goes on in the next one, so that ids keep ascending.
    Uuid next_id(std::uint64_t nonce);
    Stamp stamp() const { return stamp_; }

    Ledger const* find_ledger(LedgerId id) const;
    Account const* find_account(LedgerId ledger, std::string_view address) const;
    ApiKey const* find_api_key(ApiKeyId id) const;
    /// nullptr for a key that was never used, and for one past its retention. The record of an
    /// answer of this same batch holds no transfers: its receipt says more.
    KeyRecord const* find_key(IdempotencyKey key) const;
    /// What an answer of this same batch was for; its body is not rendered yet.
    Receipt const* find_receipt(IdempotencyKey key) const;
    bool organization_exists(OrganizationId id) const;
    bool organization_name_taken(std::string const& name) const;
    bool ledger_name_taken(OrganizationId organization, std::string const& name) const;
    bool ledger_not_empty(LedgerId id) const;
    bool is_reverted(TransferId id) const;
    /// As it stands now, within this batch.
    Purchase const* find_purchase(PurchaseId id) const;
    Hold const* find_hold(HoldId id) const;
    Job const* find_job(JobId id) const;
    Product const* find_product(ProductId id) const;
    Order const* find_order(OrderId id) const;
    Stream const* find_stream(StreamId id) const;
    /// Σ quantity of the user's completed orders of the product.
    std::int64_t bought_by(ProductId product, std::string const& user) const;

    HotLedger const* find_hot_ledger(LedgerId id) const;

    bool credit_reference_taken(LedgerId ledger, std::string const& reference) const;
    /// Of the open lots, and of those that this batch has closed.
    Lot const* find_lot(AccountId account, LotPlace place);

    void add_organization(Organization organization);
    void add_api_key(ApiKey key);
    void revoke_api_key(ApiKeyId id);
    void add_ledger(Ledger ledger);
    void change_ledger(Ledger ledger);
    void delete_ledger(LedgerId id);
    void add_account(Account account);
    void set_standing(LedgerId ledger, std::string_view address, Standing standing);
    void add_transfer(Transfer transfer);
    void add_purchase(Purchase purchase);
    /// With refunded_at set; it was not refunded before.
    void refund_purchase(Purchase purchase);
    void add_hold(Hold hold);
    /// No longer pending; it was pending before.
    void end_hold(Hold hold);
    void add_event(Event event);
    /// `receipt`: what a repeat of the key within this batch is answered from.
    void add_answer(Answer answer, Receipt receipt);
    void add_job(Job job);
    /// Of a dead letter: all attempts are free again.
    void retry_job(JobId id);
    void add_product(Product product);
    void set_stock(ProductId id, std::int64_t stock, std::int64_t sold);
    /// Completed: it counts for its user. The product's `sold` is the caller's affair.
    void add_order(Order order);
    void cancel_order(OrderId id);
    void add_credit_ledger(LedgerId id);
    /// What is decided on the ledger from now on is later than `id`.
    void advance_credit_ledger(LedgerId ledger, CreditOperationId id);
    /// The newest of its ledger; its key, if any, is used.
    void add_credit_operation(Credited credited);
    void add_credit_entry(CreditEntry entry);
    void add_lot(Lot lot);
    /// Takes up to `wanted` from the valid lots of an account, in this order.
    std::vector<Portion> drain_lots(AccountId account, Drain drain, Amount wanted);
    /// Its expiry is recorded: nothing of it is ever asked for again.
    void close_lot(AccountId account, LotPlace place);

    void add_hot_ledger(LedgerId id);
    /// It was loaded or added before.
    void set_hot_ledger(HotLedger ledger);

    void add_stream(Stream stream);
    void change_stream(Stream stream);
    void add_export(Export row);
    void add_export_audit(ExportAudit audit);

    /// A place to return to: undo(mark) takes back every write since.
    using Mark = std::size_t;
    Mark mark() const { return undo_.size(); }
    void undo(Mark mark);

    /// The rows to write for everything done so far. Accounts ascend by name, so that writers
    /// that create the same ones meet in the same order.
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
    struct ProductEntry {
        Product product;
        bool is_new = false;
        bool is_changed = false;
    };
    struct StreamEntry {
        Stream stream;
        bool is_new = false;
        bool is_changed = false;
    };
    struct CreditLedgerEntry {
        CreditOperationId last;
        bool is_changed = false;
    };
    struct HotLedgerEntry {
        HotLedger ledger;
        bool is_changed = false;
    };
    struct KeyEntry {
        KeyRecord record;
        std::optional<Receipt> receipt = {};
        bool is_ours = false;  ///< used by this batch: never past its retention
    };

    /// Account names are looked up by view: no string is made for a question.
    struct AccountNameView {
        LedgerId ledger;
        std::string_view address;
        AccountNameView(LedgerId l, std::string_view a) : ledger{l}, address{a} {}
        AccountNameView(AccountName const& name) : ledger{name.ledger}, address{name.address} {}
        bool operator==(AccountNameView const&) const = default;
    };
    struct AccountNameHash {
        using is_transparent = void;
        std::size_t operator()(AccountNameView name) const noexcept {
            return UuidHash{}(name.ledger) ^ std::hash<std::string_view>{}(name.address);
        }
    };
    struct AccountNameEqual {
        using is_transparent = void;
        bool operator()(AccountNameView a, AccountNameView b) const noexcept { return a == b; }
    };

    // How each write is taken back. Entries of the maps stay where they are, so pointers hold.
    struct OrganizationAdded {};
    struct ApiKeyAdded {};
    struct ApiKeyRevoked {
        ApiKeyId id;
    };
    struct LedgerAdded {
        LedgerId id;
    };
    struct LedgerWritten {
        std::unique_ptr<LedgerEntry> before;
    };
    struct AccountAdded {
        AccountEntry* entry;
    };
    struct StandingSet {
        AccountEntry* entry;
        Standing before;
        bool was_changed;
    };
    struct TransferAdded {};
    struct AnswerAdded {};
    struct PurchaseAdded {};
    struct PurchaseRefunded {};
    struct HoldAdded {};
    struct HoldEnded {};
    struct EventAdded {};
    struct JobAdded {};
    struct JobRetried {
        std::unique_ptr<Job> before;
    };
    struct ProductAdded {
        ProductId id;
    };
    struct StockSet {
        ProductEntry* entry;
        std::int64_t stock, sold;
        bool was_changed;
    };
    struct OrderAdded {};
    struct OrderCancelled {};
    struct CreditLedgerAdded {
        LedgerId ledger;
    };
    struct CreditLedgerAdvanced {
        LedgerId ledger;
        CreditLedgerEntry before;
    };
    struct HotLedgerAdded {
        LedgerId ledger;
    };
    struct HotLedgerSet {
        HotLedgerEntry before;
    };
    struct CreditOperationAdded {};
    struct CreditEntryAdded {};
    struct LotAdded {
        AccountId account;
        LotPlace place;
    };
    struct LotChanged {
        LotBook::Entry* entry;
        Amount remaining;
        bool was_open;
        bool was_changed;
    };
    struct StreamAdded {
        StreamId id;
    };
    struct StreamWritten {
        std::unique_ptr<StreamEntry> before;
    };
    struct ExportAdded {};
    struct ExportAuditAdded {};
    struct KeyUsed {
        IdempotencyKey key;
        std::unique_ptr<KeyEntry> freed;  ///< the one past its retention that stood there
    };
    using Undo =
        std::variant<OrganizationAdded, ApiKeyAdded, ApiKeyRevoked, LedgerAdded, LedgerWritten,
                     AccountAdded, StandingSet, TransferAdded, AnswerAdded, PurchaseAdded,
                     PurchaseRefunded, HoldAdded, HoldEnded, EventAdded, KeyUsed, JobAdded,
                     JobRetried, ProductAdded, StockSet, OrderAdded, OrderCancelled,
                     CreditLedgerAdded, CreditLedgerAdvanced, CreditOperationAdded,
                     CreditEntryAdded, LotAdded, LotChanged, StreamAdded, StreamWritten,
                     ExportAdded, ExportAuditAdded, HotLedgerAdded, HotLedgerSet>;

    AccountEntry const* find_entry(LedgerId ledger, std::string_view address) const;
    void use_key(KeyUse const& use, KeyEntry entry);
    void take_back(OrganizationAdded const&);
    void take_back(ApiKeyAdded const&);
    void take_back(ApiKeyRevoked const&);
    void take_back(LedgerAdded const&);
    void take_back(LedgerWritten& write);
    void take_back(AccountAdded const&);
    void take_back(StandingSet const&);
    void take_back(TransferAdded const&);
    void take_back(AnswerAdded const&);
    void take_back(PurchaseAdded const&);
    void take_back(PurchaseRefunded const&);
    void take_back(HoldAdded const&);
    void take_back(HoldEnded const&);
    void take_back(EventAdded const&);
    void take_back(KeyUsed& use);
    void take_back(JobAdded const&);
    void take_back(JobRetried& write);
    void take_back(ProductAdded const&);
    void take_back(StockSet const&);
    void take_back(OrderAdded const&);
    void take_back(OrderCancelled const&);
    void take_back(CreditLedgerAdded const& write);
    void take_back(CreditLedgerAdvanced const& write);
    void take_back(HotLedgerAdded const& write);
    void take_back(HotLedgerSet const& write);
    void take_back(CreditOperationAdded const&);
    void take_back(CreditEntryAdded const&);
    void take_back(LotAdded const& write);
    void take_back(LotChanged const& write);
    void take_back(StreamAdded const& write);
    void take_back(StreamWritten& write);
    void take_back(ExportAdded const&);
    void take_back(ExportAuditAdded const&);
    void change_lot(LotBook::Entry& entry, Amount remaining, bool is_open);
    bool has_open_lots(LedgerId ledger) const;
    void add_credits(Changes& changes) const;
    bool is_dropped(LedgerId id) const;

    Stamp stamp_;
    Instant keys_since_;
    std::unordered_map<AccountName, AccountEntry, AccountNameHash, AccountNameEqual> accounts_;
    std::unordered_map<LedgerId, LedgerEntry, UuidHash> ledgers_;
    std::unordered_map<ApiKeyId, ApiKey, UuidHash> api_keys_;
    std::unordered_map<IdempotencyKey, KeyEntry, UuidHash> keys_;
    std::set<OrganizationId> organizations_;
    std::set<std::string> organization_names_;
    std::set<LedgerName> ledger_names_;
    std::set<LedgerId> ledgers_not_empty_;
    std::set<TransferId> reverted_;
    std::unordered_map<PurchaseId, Purchase, UuidHash> purchases_;
    std::unordered_map<HoldId, Hold, UuidHash> holds_;
    std::unordered_map<JobId, Job, UuidHash> jobs_;
    std::unordered_map<ProductId, ProductEntry, UuidHash> products_;
    std::map<std::pair<ProductId, std::string>, std::int64_t> bought_;
    std::unordered_map<OrderId, Order, UuidHash> orders_;
    std::unordered_map<StreamId, StreamEntry, UuidHash> streams_;
    std::map<LedgerId, CreditLedgerEntry> credit_ledgers_;
    std::map<LedgerId, HotLedgerEntry> hot_ledgers_;
    std::set<std::pair<LedgerId, std::string>> credit_references_;
    std::unordered_map<AccountId, LotBook, UuidHash> lots_;
    /// What is only ever appended; accounts, ledgers, products, streams and
    /// totals come from the entries.
    Changes changes_;
    std::vector<Undo> undo_;
};

}  // namespace penstock::domain
