// Rows in PostgreSQL: Store over pipelined connections, one per writer and a few for reads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <functional>
#include <memory>

#include "db/due_rows.hpp"
#include "db/pg/pool.hpp"
#include "db/postgres_credits.hpp"
#include "db/postgres_exports.hpp"
#include "db/postgres_hot.hpp"
#include "db/postgres_job_queue.hpp"
#include "db/postgres_streams.hpp"
#include "db/store.hpp"
#include "reactor/counters.hpp"

namespace penstock::db {

struct PostgresOptions {
    explicit PostgresOptions(pg::Address where) : connection(std::move(where)) {}

    /// Where, and every limit of a connection. Plans are pinned whatever it says.
    pg::ConnectionOptions connection;
    reactor::BackoffLimits backoff = pg::reconnect_pauses;
    std::size_t read_connections = 2;
    milliseconds verify_max{600'000};  ///< one full scan of verify()
    milliseconds abandon_max{5'000};   ///< waiting for a ROLLBACK; then the connection is dropped

    pg::Session::Observer on_connection = nullptr;
    /// Every "no" of the database to a writer, with all that is known about it: for the log.
    std::function<void(pg::Failure const&)> on_failure = nullptr;
};

class PostgresPurge;

/// The schema is that of db/migrations; whoever makes a store has run migrate().
class PostgresStore final : public Store, public DueRows {
public:
    PostgresStore(asio::any_io_executor executor, PostgresOptions options);
    ~PostgresStore() override;

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
    Listed<Check> verify(domain::LedgerId, SteadyTime) override;
    Listed<Check> verify_sales(SteadyTime) override;
    CreditStore& credits() override { return credits_; }
    StreamStore& streams() override { return streams_; }
    HotStore& hot() override { return hot_; }
    ExportStore& exports() override { return exports_; }
    JobQueue& jobs() override { return jobs_; }

    /// The read connections, for metrics.
    pg::Pool const& readers() const { return readers_; }
    /// Of all its writers: how long a batch took, from its BEGIN, until it had its row locks.
    reactor::Histogram const& lock_waits() const { return lock_waits_; }

private:
    Listed<Activity> list_ledger_activity(domain::OrganizationId, ActivityPage, SteadyTime);
    Listed<Activity> list_sale_activity(domain::OrganizationId, ActivityPage, SteadyTime);
    asio::awaitable<Result<TransferList>> scan_transfers(domain::LedgerId, TransferPage,
                                                         SteadyTime);
    template <class T>
    Found<T> find(Statement const& statement, pg::Params params, SteadyTime deadline,
                  T (*read)(pg::Row));
    template <class T>
    Listed<T> list(Statement const& statement, pg::Params params, SteadyTime deadline,
                   T (*read)(pg::Row));

    asio::any_io_executor executor_;
    PostgresOptions options_;
    reactor::Histogram lock_waits_;
    pg::Pool readers_;
    PostgresCredits credits_;
    PostgresStreams streams_;
    PostgresHot hot_;
    PostgresExports exports_;
    PostgresJobQueue jobs_;
    std::unique_ptr<PostgresPurge> purge_;
};

}  // namespace penstock::db
