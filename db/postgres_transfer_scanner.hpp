// Transfers by the million: pages without a join, and addresses that are looked up once.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "db/export_store.hpp"
#include "db/pg/pool.hpp"

namespace penstock::db {

/// The addresses of accounts, as many as were used lately. They never change.
class AddressBook {
public:
    using Addresses = std::unordered_map<domain::AccountId, std::string, domain::UuidHash>;

    explicit AddressBook(std::size_t accounts_max = 50'000) : accounts_max_(accounts_max) {}

    /// Null: not known (any more).
    std::string const* find(domain::AccountId id);
    void add(domain::AccountId id, std::string_view address);
    /// Those that a page uses stay where they are as long as the page has this.
    std::vector<std::shared_ptr<Addresses const>> in_use() const { return {newer_, older_}; }
    /// Between pages: what was not used since the last time goes when there are too many.
    void tidy();

private:
    std::size_t accounts_max_;
    std::shared_ptr<Addresses> newer_ = std::make_shared<Addresses>();
    std::shared_ptr<Addresses> older_ = std::make_shared<Addresses>();
};

class PostgresTransferScanner final : public TransferScanner {
public:
    PostgresTransferScanner(pg::Pool& pool, TransferScan scan)
        : pool_(pool), scan_(std::move(scan)) {}

    asio::awaitable<Result<TransferRows>> next(std::size_t limit, SteadyTime deadline) override;

private:
    asio::awaitable<Result<pg::Rows>> read_page(std::size_t limit, SteadyTime deadline);
    asio::awaitable<error_code> look_up(std::vector<domain::AccountId> unknown,
                                        SteadyTime deadline);
    std::vector<domain::AccountId> unknown_in(pg::Rows const& page);
    std::string_view address_of(pg::Row row, int column);
    TransferView view_of(pg::Row row);
    void go_on_behind(TransferView const& last);

    pg::Pool& pool_;
    TransferScan scan_;
    AddressBook book_;
};

}  // namespace penstock::db
