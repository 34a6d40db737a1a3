// A store that writes to two databases: every commit goes to the primary and, once it is durable
// there, on to the shadow. Nobody waits for the shadow, except a read that is to come from it.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "db/postgres_store.hpp"
#include "db/read_from.hpp"
#include "db/shadow_link.hpp"
#include "db/store.hpp"

namespace penstock::db {

/// The links of all event loops: what was acknowledged by any of them is to be seen by a read.
class ShadowFleet {
public:
    /// `server`: a name that no other server has, nor had.
    explicit ShadowFleet(std::string server) : server_(std::move(server)) {}

    std::string const& server() const { return server_; }
    /// A number for one more writer.
    std::int32_t next_writer() { return ++writers_; }

    void join(ShadowLink& link) { links_.push_back(&link); }
    std::span<ShadowLink* const> links() const { return links_; }

    /// Has all that was committed before this call reached the shadow? Waits for it until the
    /// deadline.
    asio::awaitable<bool> caught_up(SteadyTime deadline) const;
    std::uint64_t gaps() const;

private:
    std::string server_;
    std::atomic<std::int32_t> writers_{0};
    std::vector<ShadowLink*> links_;  ///< complete before any event loop runs
};

class ShadowJobs;
class ShadowCredits;
class ShadowStreams;
class ShadowExports;

/// `read_from` the shadow: lists and finds of what clients ask for. What decisions rest on (loads,
/// API keys, what a ledger's name means, what is due, what a sale's gate is built from, the queue
/// of jobs, exports) comes from the primary, as does whatever the shadow does not have in time, and
/// what a command asks of primary_of().
class ShadowStore final : public Store {
public:
    ShadowStore(asio::any_io_executor executor, PostgresStore& primary,
                std::unique_ptr<Store> shadow, ShadowOptions options, ReadFrom read_from,
                ShadowFleet& fleet);
    ~ShadowStore() override;

    asio::awaitable<void> run() override;
    std::unique_ptr<Writer> make_writer() override;
    asio::awaitable<error_code> ping(SteadyTime deadline) override;

    Listed<domain::ApiKey> find_api_keys(std::vector<domain::SecretDigest> digests,
                                         SteadyTime) override;
    Found<domain::Organization> find_organization(domain::OrganizationId, SteadyTime) override;
    Listed<domain::Organization> list_organizations(std::optional<domain::OrganizationId> after,
                                                    std::size_t limit, SteadyTime) override;
    Listed<domain::ApiKey> list_api_keys(domain::OrganizationId,
                                         std::optional<domain::ApiKeyId> after, std::size_t limit,
                                         SteadyTime) override;
    Found<domain::Ledger> find_ledger(domain::LedgerName, SteadyTime) override;
    Listed<domain::Ledger> list_ledgers(domain::OrganizationId, std::optional<std::string> after,
                                        std::size_t limit, SteadyTime) override;
    Found<domain::Account> find_account(domain::AccountName, SteadyTime) override;
    Found<PastStanding> find_account_at(domain::AccountName, domain::Instant, SteadyTime) override;
    Listed<domain::Account> list_accounts(domain::LedgerId, AccountPage, SteadyTime) override;
    Listed<domain::Transfer> list_entries(domain::AccountName, EntryPage, SteadyTime) override;
    Found<domain::Transfer> find_transfer(domain::LedgerId, domain::TransferId,
                                          SteadyTime) override;
    asio::awaitable<Result<TransferList>> list_transfers(domain::LedgerId, TransferPage,
                                                         SteadyTime) override;
    Listed<domain::Total> list_totals(domain::LedgerId, SteadyTime) override;
    Found<domain::Purchase> find_purchase(domain::LedgerId, domain::PurchaseId,
                                          SteadyTime) override;
    Listed<domain::Purchase> list_purchases(domain::LedgerId, PurchasePage, SteadyTime) override;
    Found<domain::Hold> find_hold(domain::LedgerId, domain::HoldId, SteadyTime) override;
    Listed<domain::Hold> list_holds(domain::LedgerId, HoldPage, SteadyTime) override;
    Listed<domain::Hold> list_due_holds(domain::Instant now, std::size_t limit,
                                        SteadyTime) override;
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
    Listed<Check> verify(domain::LedgerId, SteadyTime) override;
    Listed<Check> verify_sales(SteadyTime) override;
    CreditStore& credits() override;
    StreamStore& streams() override;
    /// The primary's: what is brought home is decided there.
    HotStore& hot() override { return primary_.hot(); }
    ExportStore& exports() override;
    JobQueue& jobs() override;

    ShadowLink& link() { return link_; }
    Store& shadow() { return *shadow_; }
    Store& primary() { return primary_; }

private:
    friend class ShadowCredits;
    friend class ShadowStreams;
    /// Asks the store that reads come from now.
    template <class T>
    asio::awaitable<Result<T>> read(std::function<asio::awaitable<Result<T>>(Store&)> ask);
    asio::awaitable<bool> shadow_is_fit();

    asio::any_io_executor executor_;
    PostgresStore& primary_;
    std::unique_ptr<Store> shadow_;
    ShadowFleet& fleet_;
    ShadowLink link_;
    std::unique_ptr<ShadowPositions> positions_;  ///< null: reads come from the primary
    std::unique_ptr<ShadowJobs> jobs_;
    std::unique_ptr<ShadowCredits> credits_;
    std::unique_ptr<ShadowStreams> streams_;
    std::unique_ptr<ShadowExports> exports_;
};

}  // namespace penstock::db
