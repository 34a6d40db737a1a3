// The Store without a database: what tests and the rules' simulation run on.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "db/due_rows.hpp"
#include "db/memory_credits.hpp"
#include "db/memory_exports.hpp"
#include "db/memory_hot.hpp"
#include "db/memory_job_queue.hpp"
#include "db/memory_streams.hpp"
#include "db/store.hpp"
#include "db/verify.hpp"

namespace penstock::db {

/// For one event loop: every answer is ready at once. Writers may overlap: the one whose rows
/// were read before another's commit gets Errc::retry_transaction, as from a database.
class MemoryStore : public Store, public DueRows {
public:
    MemoryStore();

    asio::awaitable<void> run() override;
    std::unique_ptr<Writer> make_writer() override;
    asio::awaitable<error_code> ping(SteadyTime deadline) override;

    Listed<domain::ApiKey> find_api_keys(std::vector<domain::SecretDigest> digests,
                                         SteadyTime) override;
    Found<domain::Organization> find_organization(domain::OrganizationId id, SteadyTime) override;
    Listed<domain::Organization> list_organizations(std::optional<domain::OrganizationId> after,
                                                    std::size_t limit, SteadyTime) override;
    Listed<domain::ApiKey> list_api_keys(domain::OrganizationId organization,
                                         std::optional<domain::ApiKeyId> after, std::size_t limit,
                                         SteadyTime) override;

    Found<domain::Ledger> find_ledger(domain::LedgerName name, SteadyTime) override;
    Listed<domain::Ledger> list_ledgers(domain::OrganizationId organization,
                                        std::optional<std::string> after, std::size_t limit,
                                        SteadyTime) override;
    Found<domain::Account> find_account(domain::AccountName name, SteadyTime) override;
    Found<PastStanding> find_account_at(domain::AccountName name, domain::Instant at,
                                        SteadyTime) override;
    Listed<domain::Account> list_accounts(domain::LedgerId ledger, AccountPage page,
                                          SteadyTime) override;
    Listed<domain::Transfer> list_entries(domain::AccountName name, EntryPage page,
                                          SteadyTime) override;
    Found<domain::Transfer> find_transfer(domain::LedgerId ledger, domain::TransferId id,
                                          SteadyTime) override;
    asio::awaitable<Result<TransferList>> list_transfers(domain::LedgerId ledger, TransferPage page,
                                                         SteadyTime) override;
    Listed<domain::Total> list_totals(domain::LedgerId ledger, SteadyTime) override;
    Found<domain::Purchase> find_purchase(domain::LedgerId ledger, domain::PurchaseId id,
                                          SteadyTime) override;
    Listed<domain::Purchase> list_purchases(domain::LedgerId ledger, PurchasePage page,
                                            SteadyTime) override;
    Found<domain::Hold> find_hold(domain::LedgerId ledger, domain::HoldId id, SteadyTime) override;
    Listed<domain::Hold> list_holds(domain::LedgerId ledger, HoldPage page, SteadyTime) override;
    Listed<domain::Hold> list_due_holds(domain::Instant now, std::size_t limit,
                                        SteadyTime) override;
    Listed<domain::Hold> list_due_holds(DuePage page, SteadyTime) override;
    Listed<domain::Lot> list_due_lots(DuePage page, SteadyTime) override;
    Found<domain::Product> find_product(domain::OrganizationId, domain::ProductId,
                                        SteadyTime) override;
    Listed<domain::Product> find_products(std::vector<domain::ProductId>, SteadyTime) override;
    Listed<domain::Product> list_products(domain::OrganizationId,
                                          std::optional<domain::ProductId> before,
                                          std::size_t limit, SteadyTime) override;
    Listed<domain::Product> list_open_sales(domain::Instant ended_after,
                                            std::optional<domain::ProductId> after,
                                            std::size_t limit,
                                            std::optional<domain::OrganizationId>,
                                            SteadyTime) override;
    Found<domain::Order> find_order(domain::ProductId, domain::OrderId, SteadyTime) override;
    Listed<domain::Order> list_orders(domain::ProductId, OrderPage, SteadyTime) override;
    Listed<Sold> list_sold(domain::ProductId, std::optional<domain::OrderId> after,
                           std::size_t limit, SteadyTime) override;
    Listed<Sold> find_orders_by_keys(domain::ProductId, std::vector<domain::IdempotencyKey>,
                                     SteadyTime) override;
    Listed<Activity> list_activity(domain::OrganizationId, ActivityPage, SteadyTime) override;
    asio::awaitable<Result<std::size_t>> purge(domain::Instant before, std::size_t limit,
                                               SteadyTime) override;
    Listed<Check> verify(domain::LedgerId ledger, SteadyTime) override;
    Listed<Check> verify_sales(SteadyTime) override;
    CreditStore& credits() override { return credits_; }
    StreamStore& streams() override { return streams_; }
    HotStore& hot() override { return hot_; }
    ExportStore& exports() override { return exports_; }
    JobQueue& jobs() override { return jobs_; }

private:
    friend class MemoryWriter;
    using Index = std::uint64_t;  ///< into transfers_
    using TotalName = std::pair<domain::LedgerId, domain::TotalKind>;
    using PurchaseName = std::pair<domain::LedgerId, domain::PurchaseId>;
    using HoldName = std::pair<domain::LedgerId, domain::HoldId>;
    using OrderName = std::pair<domain::ProductId, domain::OrderId>;

    domain::Loaded load(domain::KeySet const& keys) const;
    void load_ledgers(domain::KeySet const& keys, domain::Loaded& loaded) const;
    bool load_key(domain::IdempotencyKey key, domain::KeyRecord& record) const;
    void load_sales(domain::KeySet const& keys, domain::Loaded& loaded) const;
    void commit(domain::Changes const& changes);
    void free_key(domain::IdempotencyKey key);
    void commit_organizations(domain::Changes const& changes);
    void commit_ledgers(domain::Changes const& changes);
    void commit_transfer(domain::Transfer const& transfer);
    void commit_purchases(domain::Changes const& changes);
    void commit_holds(domain::Changes const& changes);
    void commit_sales(domain::Changes const& changes);
    /// The product's orders, oldest first.
    std::vector<domain::Order const*> orders_of(domain::ProductId product) const;
    /// Of the products that are paid into that ledger; nullopt: of all.
    SaleRows sale_rows(std::optional<domain::LedgerId> ledger) const;
    bool key_is_used(domain::IdempotencyKey key) const;
    std::size_t purge_answers(domain::Instant before, std::size_t limit);
    std::size_t purge_ledger(domain::LedgerId id, std::size_t limit);
    std::size_t purge_children(domain::LedgerId id, std::size_t limit);
    bool purge_newest_transfer(domain::AccountName const& name);
    domain::Transfer const* find(domain::TransferId id) const;
    std::vector<domain::Account const*> accounts_of(domain::LedgerId ledger) const;
    std::vector<domain::Transfer const*> transfers_of(domain::AccountName const& name) const;
    /// Newest first: an account's by version, else a ledger's by id.
    TransferList list_of(domain::LedgerId ledger, TransferPage const& page) const;
    std::vector<domain::Transfer const*> newest_first(
        domain::LedgerId ledger, std::optional<std::string> const& account) const;

    std::uint64_t commits_ = 0;
    std::map<domain::OrganizationId, domain::Organization> organizations_;
    std::map<domain::ApiKeyId, domain::ApiKey> api_keys_;
    std::map<domain::LedgerId, domain::Ledger> ledgers_;  ///< without the deleted ones
    std::map<domain::LedgerName, domain::LedgerId> ledger_names_;
    std::map<domain::AccountName, domain::Account> accounts_;
    std::map<Index, domain::Transfer> transfers_;  ///< in the order of their commits
    Index next_transfer_ = 0;
    std::map<domain::TransferId, Index> transfers_by_id_;
    std::map<domain::AccountName, std::vector<Index>> transfers_by_account_;
    std::map<domain::IdempotencyKey, Index> transfer_keys_;
    std::set<domain::TransferId> reverted_;
    std::map<PurchaseName, domain::Purchase> purchases_;
    std::map<domain::IdempotencyKey, PurchaseName> purchase_keys_;
    std::map<HoldName, domain::Hold> holds_;
    std::set<std::pair<domain::Instant, HoldName>> due_;  ///< pending holds that expire
    std::map<domain::ProductId, domain::Product> products_;
    std::map<OrderName, domain::Order> orders_;
    std::map<domain::IdempotencyKey, OrderName> order_keys_;
    /// Σ quantity of completed orders, by product and user.
    std::map<std::pair<domain::ProductId, std::string>, std::int64_t> bought_;
    std::vector<domain::Event> events_;
    std::map<domain::IdempotencyKey, domain::Answer> answers_;
    std::set<std::pair<domain::Instant, domain::IdempotencyKey>> answers_by_age_;
    std::set<std::pair<domain::Instant, domain::LedgerId>> deleted_ledgers_;
    std::map<TotalName, domain::Total> totals_;
    MemoryCredits credits_{ledgers_, accounts_, events_};
    MemoryStreams streams_;
    MemoryHot hot_{{ledgers_, accounts_, holds_, [this](domain::AccountName const& name) {
                        auto const transfers = transfers_of(name);
                        return transfers.empty() ? nullptr : transfers.back();
                    }}};
    MemoryJobQueue jobs_;
    MemoryExports exports_{jobs_, {transfers_, transfers_by_id_, transfers_by_account_}};
};

}  // namespace penstock::db
