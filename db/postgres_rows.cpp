#include "db/postgres_rows.hpp"

#include "db/postgres_columns.hpp"
#include "domain/assert.hpp"

namespace penstock::db::rows {
namespace {

/// The total's amount travels as billions and rest: it may exceed 64 bits.
constexpr std::int64_t billion = 1'000'000'000;

/// The nil id, which no ledger has, is NULL.
std::optional<pg::UuidBytes> ledger_of(Answer const& answer) {
    if (answer.ledger == LedgerId{}) return std::nullopt;
    return answer.ledger.value.bytes;
}

}  // namespace

pg::Int2Array all_kinds() { return all_numbers<TransferKind>(); }

pg::Int2Array all_statuses() { return all_numbers<HoldStatus>(); }

Organization organization(pg::Row row) {
    return {{uuid(row, 0)}, std::string(row.text(1)), instant(row, 2)};
}

ApiKey api_key(pg::Row row) {
    ApiKey key;
    key.id = {uuid(row, 0)};
    key.organization = {uuid(row, 1)};
    key.name = row.text(2);
    key.scopes = static_cast<Scopes>(row.int2(3));
    key.digest = digest(row, 4);
    key.created_at = instant(row, 5);
    if (!row.is_null(6)) key.revoked_at = instant(row, 6);
    return key;
}

Ledger ledger(pg::Row row) {
    Ledger ledger;
    ledger.id = {uuid(row, 0)};
    ledger.organization = {uuid(row, 1)};
    ledger.name = row.text(2);
    ledger.asset_code = row.text(3);
    ledger.asset_scale = row.int2(4);
    ledger.kind = enumerator<LedgerKind>(row, 5);
    ledger.posting = enumerator<Posting>(row, 6);
    ledger.royalty_percent = row.int2(7);
    ledger.drain = enumerator<Drain>(row, 8);
    ledger.accounts = enumerator<AccountPolicy>(row, 9);
    ledger.issuers = row.texts(10);
    ledger.created_at = instant(row, 11);
    return ledger;
}

Account account_for_decisions(pg::Row row) {
    Account account;
    account.id = {uuid(row, 0)};
    account.ledger = {uuid(row, 1)};
    account.address = row.text(2);
    account.overdraft_limit = row.int8(3);
    account.created_at = instant(row, 4);
    account.standing.balance = row.int8(5);
    account.standing.held = row.int8(6);
    account.standing.fraction = row.int2(7);
    account.standing.version = row.int8(8);
    account.standing.updated_at = instant(row, 9);
    return account;
}

Account account(pg::Row row) {
    auto account = account_for_decisions(row);
    account.metadata = row.text(10);
    return account;
}

Transfer transfer(pg::Row row) {
    Transfer transfer;
    transfer.id = {uuid(row, 0)};
    transfer.ledger = {uuid(row, 1)};
    transfer.kind = enumerator<TransferKind>(row, 2);
    transfer.from = {{uuid(row, 3)}, std::string(row.text(4)), row.int8(5), row.int8(6)};
    transfer.to = {{uuid(row, 7)}, std::string(row.text(8)), row.int8(9), row.int8(10)};
    transfer.amount = row.int8(11);
    transfer.reference = optional_string(row, 12);
    transfer.metadata = row.optional_text(13).value_or(no_metadata);
    transfer.reverts = optional_id<TransferTag>(row, 14);
    transfer.key_use = key_use(row, 15);
    if (!row.is_null(17)) transfer.cause = uuid(row, 17);
    return transfer;
}

Purchase purchase(pg::Row row) {
    Purchase purchase;
    purchase.id = {uuid(row, 0)};
    purchase.ledger = {uuid(row, 1)};
    purchase.buyer = party(row, 2);
    purchase.author = party(row, 4);
    purchase.price = row.int8(6);
    purchase.royalty_percent = row.int2(7);
    purchase.author_amount = row.int8(8);
    purchase.platform_amount = row.int8(9);
    purchase.reference = optional_string(row, 10);
    purchase.metadata = row.optional_text(11).value_or(no_metadata);
    purchase.key_use = key_use(row, 12);
    purchase.refunded_at = optional_instant(row, 14);
    purchase.author_refund = row.optional_int8(15).value_or(0);
    return purchase;
}

Hold hold(pg::Row row) {
    Hold hold;
    hold.id = {uuid(row, 0)};
    hold.ledger = {uuid(row, 1)};
    hold.from = party(row, 2);
    hold.to = party(row, 4);
    hold.amount = row.int8(6);
    hold.expires_at = optional_instant(row, 7);
    hold.status = enumerator<HoldStatus>(row, 8);
    hold.ended_at = optional_instant(row, 9);
    hold.captured_amount = row.optional_int8(10).value_or(0);
    hold.transfer = optional_id<TransferTag>(row, 11);
    return hold;
}

Answer answer(pg::Row row) {
    Answer answer;
    answer.key_use = {{uuid(row, 0)}, digest(row, 1)};
    answer.ledger = optional_id<LedgerTag>(row, 2).value_or(LedgerId{});
    answer.status = row.int2(3);
    answer.body = row.text(4);
    answer.request_id = row.text(5);
    answer.items = row.int2s(6);
    for (auto const& bytes : row.uuids(7)) answer.transfers.push_back({{bytes}});
    answer.created_at = instant(row, 8);
    return answer;
}

Total total(pg::Row row) {
    Total total;
    total.ledger = {uuid(row, 0)};
    total.kind = enumerator<TotalKind>(row, 1);
    total.count = row.int8(2);
    total.amount = Sum{row.int8(3)} * billion + row.int8(4);
    return total;
}

Activity activity(pg::Row row) {
    Activity activity;
    activity.id = {uuid(row, 0)};
    activity.type = row.int2(1);
    activity.ledger = optional_string(row, 2);
    activity.subject = row.text(3);
    activity.account = optional_string(row, 4);
    activity.counterparty = optional_string(row, 5);
    if (!row.is_null(6)) activity.amount = row.int8(6);
    activity.transfer = optional_id<TransferTag>(row, 7);
    return activity;
}

Activity ledger_activity(pg::Row row) {
    auto item = activity(row);
    item.reference = optional_string(row, 8);
    return item;
}

Activity sale_activity(pg::Row row) {
    auto item = activity(row);
    item.product = {{uuid(row, 8)}};
    item.user = optional_string(row, 9);
    item.quantity = row.optional_int8(10);
    return item;
}

Product product(pg::Row row) {
    Product product;
    product.id = {uuid(row, 0)};
    product.organization = {uuid(row, 1)};
    product.name = row.text(2);
    product.price = row.int8(3);
    product.stock = row.int8(4);
    product.sold = row.int8(5);
    product.version = row.int8(6);
    product.starts_at = instant(row, 7);
    product.ends_at = optional_instant(row, 8);
    product.per_user_limit = row.int8(9);
    if (auto const ledger = optional_id<LedgerTag>(row, 10))
        product.payment = SalePayment{*ledger, std::string(row.text(11)), party(row, 12)};
    product.metadata = row.optional_text(14).value_or(no_metadata);
    return product;
}

SaleUser sale_user(pg::Row row) { return {{uuid(row, 0)}, std::string(row.text(1)), row.int8(2)}; }

Order order(pg::Row row) {
    Order order;
    order.id = {uuid(row, 0)};
    order.product = {uuid(row, 1)};
    order.user = row.text(2);
    order.quantity = row.int8(3);
    order.unit_price = row.int8(4);
    order.total = order.unit_price * order.quantity;
    order.status = enumerator<OrderStatus>(row, 5);
    order.cancelled_at = optional_instant(row, 6);
    order.metadata = row.optional_text(7).value_or(no_metadata);
    order.purchase = optional_id<PurchaseTag>(row, 8);
    order.key_use = key_use(row, 9);
    return order;
}

Sold sold(pg::Row row) {
    Sold sold;
    sold.id = {uuid(row, 0)};
    sold.key = optional_id<IdempotencyKeyTag>(row, 1);
    sold.user = row.text(2);
    sold.quantity = row.int8(3);
    sold.status = enumerator<OrderStatus>(row, 4);
    return sold;
}

Job job(pg::Row row) {
    Job job;
    job.id = {uuid(row, 0)};
    job.organization = {uuid(row, 1)};
    job.ledger = optional_id<LedgerTag>(row, 2);
    job.kind = row.text(3);
    job.payload = row.text(4);
    job.status = enumerator<JobStatus>(row, 5);
    job.attempts = row.int4(6);
    job.attempts_max = row.int4(7);
    job.due_at = instant(row, 8);
    job.lease = optional_id<LeaseTag>(row, 9);
    job.result = optional_string(row, 10);
    job.last_error = optional_string(row, 11);
    if (!row.is_null(12)) job.finished_at = instant(row, 12);
    return job;
}

pg::Params insert_organizations(std::vector<Organization> const& organizations) {
    pg::Params params;
    params.add(ids(organizations, &Organization::id));
    params.add(column<pg::TextArray>(organizations, &Organization::name));
    params.add(instants(organizations, &Organization::created_at));
    return params;
}

pg::Params insert_api_keys(std::vector<ApiKey> const& keys) {
    auto const revoked = [](ApiKey const& key) { return ms(key.revoked_at); };
    pg::Params params;
    params.add(ids(keys, &ApiKey::id)).add(ids(keys, &ApiKey::organization));
    params.add(column<pg::TextArray>(keys, &ApiKey::name));
    params.add(column<pg::Int2Array>(keys, &ApiKey::scopes));
    params.add(column<pg::ByteaArray>(keys, &ApiKey::digest));
    params.add(instants(keys, &ApiKey::created_at));
    params.add(optional_column<pg::InstantMsArray>(keys, revoked));
    return params;
}

pg::Params insert_ledger(Ledger const& ledger, std::optional<Instant> deleted_at) {
    auto const issuers = column<pg::TextArray>(ledger.issuers, std::identity());
    pg::Params params;
    params.uuid(ledger.id.value.bytes).uuid(ledger.organization.value.bytes).text(ledger.name);
    params.text(ledger.asset_code).int2(ledger.asset_scale).int2(number(ledger.kind));
    params.int2(number(ledger.posting)).int2(ledger.royalty_percent).int2(number(ledger.drain));
    params.int2(number(ledger.accounts)).add(issuers).instant_ms(ledger.created_at.ms);
    params.optional_instant_ms(ms(deleted_at));
    return params;
}

pg::Params update_ledger(Ledger const& ledger) {
    auto const issuers = column<pg::TextArray>(ledger.issuers, std::identity());
    pg::Params params;
    params.uuid(ledger.id.value.bytes).int2(number(ledger.drain)).add(issuers);
    params.int2(ledger.royalty_percent);
    return params;
}

namespace {

/// What an ordinary commit changes of accounts.
void add_standings(pg::Params& params, std::vector<Account> const& accounts) {
    auto const standing = [](auto member) {
        return [member](Account const& account) { return account.standing.*member; };
    };
    params.add(column<pg::Int8Array>(accounts, standing(&Standing::balance)));
    params.add(column<pg::Int8Array>(accounts, standing(&Standing::held)));
    params.add(column<pg::Int2Array>(accounts, standing(&Standing::fraction)));
    params.add(column<pg::Int8Array>(accounts, standing(&Standing::version)));
    params.add(instants(accounts, standing(&Standing::updated_at)));
}

}  // namespace

pg::Params insert_accounts(std::vector<Account> const& accounts) {
    pg::Params params;
    params.add(ids(accounts, &Account::id)).add(ids(accounts, &Account::ledger));
    params.add(column<pg::TextArray>(accounts, &Account::address));
    params.add(column<pg::Int8Array>(accounts, &Account::overdraft_limit));
    params.add(column<pg::TextArray>(accounts, &Account::metadata));
    params.add(instants(accounts, &Account::created_at));
    add_standings(params, accounts);
    return params;
}

pg::Params update_accounts(std::vector<Account> const& accounts) {
    pg::Params params;
    params.add(ids(accounts, &Account::id));
    add_standings(params, accounts);
    return params;
}

namespace {

/// The columns of many transfers, growing row by row.
struct TransferColumns {
    pg::UuidArray ids, ledgers, from, to, reverts, causes;
    pg::Int2Array kinds;
    pg::Int8Array amounts, from_balances, from_versions, to_balances, to_versions;
    pg::InstantMsArray created;
    pg::TextArray references, metadata;
    KeyColumns keys;

    void reserve(std::size_t rows) {
        for (auto* column : {&ids, &ledgers, &from, &to, &reverts, &causes}) column->reserve(rows);
        for (auto* column : {&amounts, &from_balances, &from_versions, &to_balances, &to_versions})
            column->reserve(rows, sizeof(std::int64_t));
        kinds.reserve(rows, sizeof(std::int16_t));
        created.reserve(rows, sizeof(std::int64_t));
        references.reserve(rows, 0);
        metadata.reserve(rows, 0);
        keys.reserve(rows);
    }

    void push(Transfer const& transfer) {
        ids.push(transfer.id.value.bytes);
        ledgers.push(transfer.ledger.value.bytes);
        kinds.push(number(transfer.kind));
        from.push(transfer.from.account.value.bytes);
        to.push(transfer.to.account.value.bytes);
        amounts.push(transfer.amount);
        from_balances.push(transfer.from.balance_after);
        from_versions.push(transfer.from.version);
        to_balances.push(transfer.to.balance_after);
        to_versions.push(transfer.to.version);
        created.push(transfer.created_at().ms);
        references.push_optional(transfer.reference);
        push_metadata(metadata, transfer.metadata);
        reverts.push_optional(bytes(transfer.reverts));
        if (transfer.cause)
            causes.push(transfer.cause->bytes);
        else
            causes.push_null();
        keys.push(transfer.key_use);
    }
};

}  // namespace

pg::Params insert_transfers(std::vector<Transfer> const& transfers) {
    TransferColumns c;
    c.reserve(transfers.size());
    for (auto const& transfer : transfers) c.push(transfer);
    pg::Params params;
    params.add(c.ids).add(c.ledgers).add(c.kinds).add(c.from).add(c.to).add(c.amounts);
    params.add(c.from_balances).add(c.from_versions).add(c.to_balances).add(c.to_versions);
    params.add(c.created).add(c.references).add(c.metadata).add(c.reverts);
    params.add(c.keys.keys).add(c.keys.fingerprints).add(c.causes);
    return params;
}

pg::Params insert_purchases(std::vector<Purchase> const& purchases) {
    pg::UuidArray ids, ledgers, buyers, authors;
    pg::Int8Array prices, author_amounts, platform_amounts;
    pg::Int2Array percents;
    pg::TextArray references, metadata;
    KeyColumns keys;
    for (auto* column : {&ids, &ledgers, &buyers, &authors}) column->reserve(purchases.size());
    keys.reserve(purchases.size());
    for (auto const& purchase : purchases) {
        PENSTOCK_ASSERT(!purchase.refunded_at);
        ids.push(purchase.id.value.bytes);
        ledgers.push(purchase.ledger.value.bytes);
        buyers.push(purchase.buyer.account.value.bytes);
        authors.push(purchase.author.account.value.bytes);
        prices.push(purchase.price);
        percents.push(purchase.royalty_percent);
        author_amounts.push(purchase.author_amount);
        platform_amounts.push(purchase.platform_amount);
        references.push_optional(purchase.reference);
        push_metadata(metadata, purchase.metadata);
        keys.push(purchase.key_use);
    }
    pg::Params params;
    params.add(ids).add(ledgers).add(buyers).add(authors).add(prices).add(percents);
    params.add(author_amounts).add(platform_amounts).add(references).add(metadata);
    params.add(keys.keys).add(keys.fingerprints);
    return params;
}

pg::Params refund_purchases(std::vector<Purchase> const& purchases) {
    pg::UuidArray ledgers, ids;
    pg::InstantMsArray refunded;
    pg::Int8Array author_refunds;
    for (auto const& purchase : purchases) {
        PENSTOCK_ASSERT(purchase.refunded_at);
        ledgers.push(purchase.ledger.value.bytes);
        ids.push(purchase.id.value.bytes);
        refunded.push(purchase.refunded_at->ms);
        author_refunds.push(purchase.author_refund);
    }
    pg::Params params;
    params.add(ledgers).add(ids).add(refunded).add(author_refunds);
    return params;
}

pg::Params insert_holds(std::vector<Hold> const& holds) {
    pg::UuidArray ids, ledgers, from, to;
    pg::Int8Array amounts;
    pg::InstantMsArray expiries;
    for (auto const& hold : holds) {
        PENSTOCK_ASSERT(hold.status == HoldStatus::pending);
        ids.push(hold.id.value.bytes);
        ledgers.push(hold.ledger.value.bytes);
        from.push(hold.from.account.value.bytes);
        to.push(hold.to.account.value.bytes);
        amounts.push(hold.amount);
        expiries.push_optional(ms(hold.expires_at));
    }
    pg::Params params;
    params.add(ids).add(ledgers).add(from).add(to).add(amounts).add(expiries);
    return params;
}

pg::Params end_holds(std::vector<Hold> const& holds) {
    pg::UuidArray ids, transfers;
    pg::Int2Array statuses;
    pg::InstantMsArray ended;
    pg::Int8Array captured;
    for (auto const& hold : holds) {
        PENSTOCK_ASSERT(hold.status != HoldStatus::pending && hold.ended_at);
        ids.push(hold.id.value.bytes);
        statuses.push(number(hold.status));
        ended.push(hold.ended_at->ms);
        if (hold.status == HoldStatus::captured)
            captured.push(hold.captured_amount);
        else
            captured.push_null();
        transfers.push_optional(bytes(hold.transfer));
    }
    pg::Params params;
    params.add(ids).add(statuses).add(ended).add(captured).add(transfers);
    return params;
}

pg::Params insert_events(std::vector<Event> const& events) {
    pg::UuidArray ids, organizations, ledgers, subjects, accounts, counterparties, transfers;
    pg::UuidArray products;
    pg::Int2Array types;
    pg::Int8Array amounts, quantities;
    for (auto const& event : events) {
        ids.push(event.id.value.bytes);
        organizations.push(event.organization.value.bytes);
        ledgers.push_optional(bytes(event.ledger));
        types.push(number(event.type));
        subjects.push(event.subject.bytes);
        accounts.push_optional(bytes(event.account));
        counterparties.push_optional(bytes(event.counterparty));
        amounts.push_optional(event.amount);
        transfers.push_optional(bytes(event.transfer));
        products.push_optional(bytes(event.product));
        quantities.push_optional(event.quantity);
    }
    pg::Params params;
    params.add(ids).add(organizations).add(ledgers).add(types).add(subjects).add(accounts);
    params.add(counterparties).add(amounts).add(transfers).add(products).add(quantities);
    return params;
}

pg::Params add_totals(std::vector<Total> const& totals) {
    auto const kind = [](Total const& total) { return number(total.kind); };
    auto const high = [](Total const& total) {
        return static_cast<std::int64_t>(total.amount / billion);
    };
    auto const low = [](Total const& total) {
        return static_cast<std::int64_t>(total.amount % billion);
    };
    pg::Params params;
    params.add(ids(totals, &Total::ledger)).add(column<pg::Int2Array>(totals, kind));
    params.add(column<pg::Int8Array>(totals, &Total::count));
    params.add(column<pg::Int8Array>(totals, high)).add(column<pg::Int8Array>(totals, low));
    return params;
}

pg::Params insert_answers(std::vector<Answer const*> const& answers) {
    auto const key = [](Answer const* answer) { return answer->key_use.key; };
    auto const fingerprint = [](Answer const* answer) { return answer->key_use.fingerprint; };
    auto const ledger = [](Answer const* answer) { return ledger_of(*answer); };
    pg::Params params;
    params.add(ids(answers, key)).add(column<pg::ByteaArray>(answers, fingerprint));
    params.add(optional_column<pg::UuidArray>(answers, ledger));
    params.add(column<pg::Int2Array>(answers, &Answer::status));
    params.add(column<pg::TextArray>(answers, &Answer::body));
    params.add(column<pg::TextArray>(answers, &Answer::request_id));
    params.add(instants(answers, &Answer::created_at));
    return params;
}

pg::Params insert_bulk_answer(Answer const& answer) {
    auto const items = column<pg::Int2Array>(answer.items, std::identity());
    pg::Params params;
    params.uuid(answer.key_use.key.value.bytes).bytea(answer.key_use.fingerprint);
    params.optional_uuid(ledger_of(answer)).int2(answer.status).text(answer.body);
    params.text(answer.request_id).instant_ms(answer.created_at.ms).add(items);
    params.add(uuids(answer.transfers));
    return params;
}

pg::Params insert_products(std::vector<Product> const& products) {
    pg::UuidArray payments, sellers;
    pg::TextArray payment_names, seller_addresses, metadata;
    pg::InstantMsArray ends;
    for (auto const& product : products) {
        ends.push_optional(ms(product.ends_at));
        push_metadata(metadata, product.metadata);
        auto const& payment = product.payment;
        if (payment) {
            payments.push(payment->ledger.value.bytes);
            payment_names.push(payment->ledger_name);
            sellers.push(payment->seller.account.value.bytes);
            seller_addresses.push(payment->seller.address);
        } else {
            payments.push_null();
            payment_names.push_null();
            sellers.push_null();
            seller_addresses.push_null();
        }
    }
    pg::Params params;
    params.add(ids(products, &Product::id)).add(ids(products, &Product::organization));
    params.add(column<pg::TextArray>(products, &Product::name));
    for (auto const member : {&Product::price, &Product::stock, &Product::sold, &Product::version})
        params.add(column<pg::Int8Array>(products, member));
    params.add(instants(products, &Product::starts_at)).add(ends);
    params.add(column<pg::Int8Array>(products, &Product::per_user_limit));
    params.add(payments).add(payment_names).add(sellers).add(seller_addresses).add(metadata);
    return params;
}

pg::Params update_products(std::vector<Product> const& products) {
    pg::Params params;
    params.add(ids(products, &Product::id));
    for (auto const member : {&Product::stock, &Product::sold, &Product::version})
        params.add(column<pg::Int8Array>(products, member));
    return params;
}

pg::Params insert_orders(std::vector<Order> const& orders) {
    pg::UuidArray purchases;
    pg::TextArray metadata;
    KeyColumns keys;
    keys.reserve(orders.size());
    for (auto const& order : orders) {
        PENSTOCK_ASSERT(order.status == OrderStatus::completed);
        push_metadata(metadata, order.metadata);
        purchases.push_optional(bytes(order.purchase));
        keys.push(order.key_use);
    }
    pg::Params params;
    params.add(ids(orders, &Order::id)).add(ids(orders, &Order::product));
    params.add(column<pg::TextArray>(orders, &Order::user));
    params.add(column<pg::Int8Array>(orders, &Order::quantity));
    params.add(column<pg::Int8Array>(orders, &Order::unit_price));
    params.add(metadata).add(purchases).add(keys.keys).add(keys.fingerprints);
    return params;
}

pg::Params cancel_orders(std::vector<Order> const& orders) {
    auto const cancelled_at = [](Order const& order) { return order.cancelled_at.value(); };
    pg::Params params;
    params.add(ids(orders, &Order::product)).add(ids(orders, &Order::id));
    params.add(instants(orders, cancelled_at));
    return params;
}

pg::Params insert_jobs(std::vector<Job> const& jobs) {
    pg::UuidArray ids, organizations, ledgers;
    pg::TextArray kinds, payloads;
    pg::Int4Array attempts_max;
    pg::InstantMsArray due;
    for (auto const& job : jobs) {
        ids.push(job.id.value.bytes);
        organizations.push(job.organization.value.bytes);
        if (job.ledger)
            ledgers.push(job.ledger->value.bytes);
        else
            ledgers.push_null();
        kinds.push(job.kind);
        payloads.push(job.payload);
        attempts_max.push(job.attempts_max);
        due.push(job.due_at.ms);
    }
    pg::Params params;
    params.add(ids).add(organizations).add(ledgers).add(kinds).add(payloads).add(attempts_max);
    params.add(due);
    return params;
}

}  // namespace penstock::db::rows
