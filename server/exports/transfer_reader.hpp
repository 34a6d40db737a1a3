// Transfers, of one ledger or of all, and the entries of an account.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "db/export_store.hpp"
#include "server/exports/reader.hpp"

namespace penstock::server {

/// Ledger by ledger, in the order of their names; those that are deleted meanwhile are left out.
class TransferReader final : public ExportReader {
public:
    TransferReader(db::Store& store, domain::Export const& row, std::string const& position);

    asio::awaitable<Result<std::unique_ptr<ExportRows>>> next(std::size_t rows_max,
                                                              SteadyTime deadline) override;

private:
    struct Place {
        std::string ledger;
        domain::TransferId id;
        db::Booking booking;
    };
    struct Named {
        domain::LedgerId id;
        std::string name;
    };

    static std::optional<Place> read_place(std::string const& position);
    asio::awaitable<error_code> find_ledgers(SteadyTime deadline);
    asio::awaitable<error_code> find_one(std::string name, SteadyTime deadline);
    void open_ledger();
    std::unique_ptr<ExportRows> rendered(db::TransferRows rows) const;

    db::Store& store_;
    domain::Export row_;
    std::optional<Place> resumed_;  ///< until its ledger was opened
    std::deque<Named> waiting_;
    std::optional<std::string> listed_to_;  ///< of all ledgers, by name
    bool all_known_ = false;
    std::string ledger_;
    std::unique_ptr<db::TransferScanner> scanner_;
};

}  // namespace penstock::server
