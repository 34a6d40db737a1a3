// HOW the rows of a page become lines of an export.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "domain/export_rows.hpp"
#include "server/exports/reader.hpp"
#include "server/http/csv_writer.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server {

/// `Members` writes the members of an item to whatever it is given: `members(out, item)`.
template <class Item, class Members>
class RenderedRows final : public ExportRows {
public:
    /// `kept`: what the items view.
    RenderedRows(std::vector<Item> items, std::string behind, domain::ExportFormat format,
                 Members members, std::shared_ptr<void const> kept = nullptr)
        : ExportRows(std::move(behind)),
          items_(std::move(items)),
          format_(format),
          members_(std::move(members)),
          kept_(std::move(kept)) {}

    std::size_t size() const override { return items_.size(); }

    void render(std::string& out, std::size_t first, std::size_t last) const override {
        if (format_ == domain::ExportFormat::csv) {
            for (auto i = first; i < last; ++i) {
                CsvWriter csv(out);
                csv.begin_object();
                members_(csv, items_[i]);
                csv.end_object();
            }
            return;
        }
        for (auto i = first; i < last; ++i) {
            JsonWriter json(out);
            json.begin_object();
            members_(json, items_[i]);
            json.end_object();
            out += '\n';
        }
    }

private:
    std::vector<Item> items_;
    domain::ExportFormat format_;
    Members members_;
    std::shared_ptr<void const> kept_;
};

template <class Item, class Members>
std::unique_ptr<ExportRows> rendered_rows(std::vector<Item> items, std::string behind,
                                          domain::ExportFormat format, Members members,
                                          std::shared_ptr<void const> kept = nullptr) {
    return std::make_unique<RenderedRows<Item, Members>>(
        std::move(items), std::move(behind), format, std::move(members), std::move(kept));
}

}  // namespace penstock::server
