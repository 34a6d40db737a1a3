// WHICH rows a batch has written.
#include "db/shadow_keys.hpp"

#include <string>

namespace penstock::db {
namespace {

using namespace domain;
using mirror::Fields;

template <class Rows>
void add_by_id(std::string_view table, Rows const& rows, AddRow const& add) {
    for (auto const& row : rows) add(table, {{"id", row.id.to_string()}});
}

/// Rows that a table knows by what they belong to as well.
template <class Rows, class Parent>
void add_children(std::string_view table, Rows const& rows, std::string_view parent_column,
                  Parent parent_of, AddRow const& add) {
    for (auto const& row : rows)
        add(table, {{parent_column, parent_of(row).to_string()}, {"id", row.id.to_string()}});
}

template <class Pairs>
void add_first(std::string_view table, Pairs const& pairs, AddRow const& add) {
    for (auto const& [id, at] : pairs) add(table, {{"id", id.to_string()}});
}

auto const ledger_of = [](auto const& row) { return row.ledger; };

void add_credits(Changes const& changes, AddRow const& add) {
    auto const in_operation = [](CreditOperationId operation, std::int32_t index) {
        return Fields{{"operation_id", operation.to_string()}, {"index", std::to_string(index)}};
    };
    for (auto const& ledger : changes.credit_ledgers)
        add("credit_ledgers", {{"ledger_id", ledger.ledger.to_string()}});
    for (auto const& ledger : changes.hot_ledgers)
        add("hot_ledgers", {{"ledger_id", ledger.ledger.to_string()}});
    add_children("credit_operations", changes.credit_operations, "ledger_id", ledger_of, add);
    for (auto const& entry : changes.credit_entries)
        add("credit_entries", in_operation(entry.operation, entry.index));
    for (auto const* lots : {&changes.new_lots, &changes.changed_lots})
        for (auto const& lot : *lots)
            add("credit_lots", in_operation(lot.place.operation, lot.place.index));
}

}  // namespace

void add_changed_rows(Changes const& changes, AddRow const& add) {
    // What a new row refers to may have come about in a batch that the shadow never saw.
    for (auto const& ledger : changes.new_ledgers)
        add("organizations", {{"id", ledger.organization.to_string()}});
    for (auto const& key : changes.new_api_keys)
        add("organizations", {{"id", key.organization.to_string()}});
    add_by_id("organizations", changes.new_organizations, add);
    add_by_id("api_keys", changes.new_api_keys, add);
    add_first("api_keys", changes.revoked_api_keys, add);
    add_by_id("ledgers", changes.new_ledgers, add);
    add_by_id("ledgers", changes.changed_ledgers, add);
    add_first("ledgers", changes.deleted_ledgers, add);
    add_by_id("accounts", changes.new_accounts, add);
    for (auto const& total : changes.totals)
        add("ledger_totals", {{"ledger_id", total.ledger.to_string()},
                              {"kind", std::to_string(static_cast<int>(total.kind))}});
    add_children("purchases", changes.refunded_purchases, "ledger_id", ledger_of, add);
    add_by_id("holds", changes.new_holds, add);
    add_by_id("holds", changes.ended_holds, add);
    add_by_id("jobs", changes.new_jobs, add);
    add_first("jobs", changes.retried_jobs, add);
    add_by_id("products", changes.new_products, add);
    add_by_id("products", changes.changed_products, add);
    auto const product_of = [](Order const& order) { return order.product; };
    add_children("orders", changes.cancelled_orders, "product_id", product_of, add);
    add_credits(changes, add);
    add_children("streams", changes.new_streams, "ledger_id", ledger_of, add);
    add_children("streams", changes.changed_streams, "ledger_id", ledger_of, add);
    add_by_id("exports", changes.new_exports, add);
    for (auto const& audit : changes.export_audits)
        add("export_audit",
            {{"export_id", audit.subject.to_string()}, {"id", audit.id.to_string()}});
}

void add_made_rows(Changes const& changes, AddRow const& add) {
    add_by_id("accounts", changes.changed_accounts, add);
    for (auto const& transfer : changes.transfers)
        add("transfers", {{"ledger_id", transfer.ledger.to_string()},
                          {"kind", std::to_string(static_cast<int>(transfer.kind))},
                          {"id", transfer.id.to_string()}});
    add_children("purchases", changes.new_purchases, "ledger_id", ledger_of, add);
    auto const product_of = [](Order const& order) { return order.product; };
    add_children("orders", changes.new_orders, "product_id", product_of, add);
    for (auto const& event : changes.events) {
        Uuid scope = event.organization.value;
        if (event.ledger) scope = event.ledger->value;
        if (event.product) scope = event.product->value;
        add("events", {{"scope_id", scope.to_string()},
                       {"type", std::to_string(static_cast<int>(event.type))},
                       {"id", event.id.to_string()}});
    }
    for (auto const& answer : changes.answers)
        add("answers", {{"idempotency_key", answer.key_use.key.to_string()}});
}

}  // namespace penstock::db
