// WHAT an export is made of: its source, page by page, as rows that can be rendered.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "db/store.hpp"
#include "domain/export_rows.hpp"

namespace penstock::server {

/// A page of rows. It needs nothing of the store any more.
class ExportRows {
public:
    explicit ExportRows(std::string behind) : position(std::move(behind)) {}
    virtual ~ExportRows() = default;

    virtual std::size_t size() const = 0;
    /// Appends the rows from `first` up to `last`.
    virtual void render(std::string& out, std::size_t first, std::size_t last) const = 0;

    std::string position;  ///< where a reader goes on behind the last one
};

/// Newest first, like the list of the API: what was made within the export's period and before it
/// was asked for, each row once.
class ExportReader {
public:
    virtual ~ExportReader() = default;
    /// Up to so many rows, and fewer only because that is cheaper; null: the end.
    virtual asio::awaitable<Result<std::unique_ptr<ExportRows>>> next(std::size_t rows_max,
                                                                      SteadyTime deadline) = 0;
};

/// `position`: where to go on, as ExportRows gave it; "": at the beginning. `store` outlives it.
std::unique_ptr<ExportReader> make_export_reader(db::Store& store, domain::Export const& row,
                                                 std::string const& position);

/// What a file begins with: the names of the columns, or nothing.
std::string export_header(domain::ExportSource source, domain::ExportFormat format);

}  // namespace penstock::server
