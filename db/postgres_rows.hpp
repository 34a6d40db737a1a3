// How rows become values and values become the arrays that the statements of db/sql take.
// Private to the store over PostgreSQL.
#pragma once

#include <string>
#include <vector>

#include "db/pg/params.hpp"
#include "db/pg/row.hpp"
#include "db/store.hpp"
#include "domain/working_set.hpp"

namespace penstock::db::rows {

// Readers throw pg::BadReply: call them inside pg::decoded().
domain::Organization organization(pg::Row row);
domain::ApiKey api_key(pg::Row row);
domain::Ledger ledger(pg::Row row);
domain::Account account_for_decisions(pg::Row row);  ///< without metadata
domain::Account account(pg::Row row);
/// The 18 columns that every statement about transfers begins with.
domain::Transfer transfer(pg::Row row);
inline constexpr int transfer_columns = 18;
domain::Purchase purchase(pg::Row row);
domain::Hold hold(pg::Row row);
domain::Answer answer(pg::Row row);
domain::Total total(pg::Row row);
Activity activity(pg::Row row);
/// What happened in a ledger: as activity(), and one column more.
Activity ledger_activity(pg::Row row);
/// What happened to a product or an order: as activity(), and three columns more.
Activity sale_activity(pg::Row row);
domain::Job job(pg::Row row);
domain::Product product(pg::Row row);
domain::SaleUser sale_user(pg::Row row);
domain::Order order(pg::Row row);
Sold sold(pg::Row row);

inline domain::Uuid uuid(pg::Row row, int column) { return {row.uuid(column)}; }
inline domain::Instant instant(pg::Row row, int column) { return {row.instant_ms(column)}; }

/// Every kind or status there is: a list of all of them merges one index range of each.
pg::Int2Array all_kinds();
pg::Int2Array all_statuses();

template <class Ids>
pg::UuidArray uuids(Ids const& ids) {
    pg::UuidArray array;
    array.reserve(ids.size());
    for (auto const& id : ids) array.push(id.value.bytes);
    return array;
}

/// Children by (parent, id).
template <class Pairs>
pg::Params children(Pairs const& pairs) {
    pg::UuidArray parents, ids;
    for (auto const& [parent, id] : pairs) {
        parents.push(parent.value.bytes);
        ids.push(id.value.bytes);
    }
    pg::Params params;
    params.add(parents).add(ids);
    return params;
}

/// What is known by a name within something: (id, text).
template <class Names>
pg::Params names(Names const& pairs) {
    pg::UuidArray ids;
    pg::TextArray texts;
    ids.reserve(pairs.size());
    for (auto const& [id, text] : pairs) {
        ids.push(id.value.bytes);
        texts.push(text);
    }
    pg::Params params;
    params.add(ids).add(texts);
    return params;
}

// Parameters of the statements that write, one per statement; see its file for their order.
pg::Params insert_organizations(std::vector<domain::Organization> const& organizations);
pg::Params insert_api_keys(std::vector<domain::ApiKey> const& keys);
pg::Params insert_ledger(domain::Ledger const& ledger, std::optional<domain::Instant> deleted_at);
pg::Params update_ledger(domain::Ledger const& ledger);
pg::Params insert_accounts(std::vector<domain::Account> const& accounts);
pg::Params update_accounts(std::vector<domain::Account> const& accounts);
pg::Params insert_transfers(std::vector<domain::Transfer> const& transfers);
pg::Params insert_purchases(std::vector<domain::Purchase> const& purchases);
pg::Params refund_purchases(std::vector<domain::Purchase> const& purchases);
pg::Params insert_holds(std::vector<domain::Hold> const& holds);
pg::Params end_holds(std::vector<domain::Hold> const& holds);
pg::Params insert_events(std::vector<domain::Event> const& events);
pg::Params add_totals(std::vector<domain::Total> const& totals);
pg::Params insert_answers(std::vector<domain::Answer const*> const& answers);
pg::Params insert_bulk_answer(domain::Answer const& answer);
pg::Params insert_products(std::vector<domain::Product> const& products);
pg::Params update_products(std::vector<domain::Product> const& products);
pg::Params insert_orders(std::vector<domain::Order> const& orders);
pg::Params cancel_orders(std::vector<domain::Order> const& orders);
pg::Params insert_jobs(std::vector<domain::Job> const& jobs);

/// For the statements that take ids and an instant for each.
template <class Id>
pg::Params at_instants(std::vector<std::pair<Id, domain::Instant>> const& pairs) {
    pg::UuidArray ids;
    pg::InstantMsArray instants;
    for (auto const& [id, at] : pairs) {
        ids.push(id.value.bytes);
        instants.push(at.ms);
    }
    pg::Params params;
    params.add(ids).add(instants);
    return params;
}

}  // namespace penstock::db::rows
