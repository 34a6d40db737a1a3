// Every handler, for the routing table.
#pragma once

#include "server/context.hpp"

namespace penstock::server::routes {

using Answer = asio::awaitable<Response>;

// health.cpp
Answer healthz(RequestContext& context);
Answer readyz(RequestContext& context);
Answer metrics(RequestContext& context);
Answer version(RequestContext& context);
Answer openapi(RequestContext& context);
Answer docs(RequestContext& context);

// organizations.cpp
Answer create_organization(RequestContext& context);
Answer list_organizations(RequestContext& context);
Answer create_api_key(RequestContext& context);
Answer list_api_keys(RequestContext& context);
Answer revoke_api_key(RequestContext& context);

// ledgers.cpp
Answer create_ledger(RequestContext& context);
Answer list_ledgers(RequestContext& context);
Answer get_ledger(RequestContext& context);
Answer change_ledger(RequestContext& context);
Answer delete_ledger(RequestContext& context);
Answer get_totals(RequestContext& context);
Answer get_sync(RequestContext& context);
Answer verify_ledger(RequestContext& context);

// accounts.cpp
Answer create_account(RequestContext& context);
Answer list_accounts(RequestContext& context);
Answer get_account(RequestContext& context);
Answer list_entries(RequestContext& context);

// transfers.cpp
Answer create_deposit(RequestContext& context);
Answer create_withdrawal(RequestContext& context);
Answer create_transfer(RequestContext& context);
Answer create_transfers_in_bulk(RequestContext& context);
Answer list_transfers(RequestContext& context);
Answer get_transfer(RequestContext& context);
Answer revert_transfer(RequestContext& context);

// purchases.cpp
Answer create_purchase(RequestContext& context);
Answer list_purchases(RequestContext& context);
Answer get_purchase(RequestContext& context);
Answer refund_purchase(RequestContext& context);

// holds.cpp
Answer create_hold(RequestContext& context);
Answer list_holds(RequestContext& context);
Answer get_hold(RequestContext& context);
Answer capture_hold(RequestContext& context);
Answer void_hold(RequestContext& context);

// streams.cpp
Answer create_stream(RequestContext& context);
Answer list_streams(RequestContext& context);
Answer get_stream(RequestContext& context);
Answer delete_stream(RequestContext& context);
Answer start_stream(RequestContext& context);
Answer pause_stream(RequestContext& context);
Answer stop_stream(RequestContext& context);
Answer settle_stream(RequestContext& context);
Answer withdraw_stream(RequestContext& context);
Answer cancel_stream(RequestContext& context);

// products.cpp
Answer create_product(RequestContext& context);
Answer list_products(RequestContext& context);
Answer get_product(RequestContext& context);
Answer restock_product(RequestContext& context);

// sales.cpp
Answer get_sale(RequestContext& context);
Answer get_newest_sale(RequestContext& context);
Answer watch_sale(RequestContext& context);
Answer show_storefront(RequestContext& context);
Answer reconcile_sales(RequestContext& context);

// orders.cpp
Answer create_order(RequestContext& context);
Answer list_orders(RequestContext& context);
Answer get_order(RequestContext& context);
Answer cancel_order(RequestContext& context);
Answer get_sale_user(RequestContext& context);

// activity.cpp
Answer grant_credits(RequestContext& context);
Answer spend_credits(RequestContext& context);
Answer transfer_credits(RequestContext& context);
Answer list_credit_balances(RequestContext& context);
Answer count_credit_balances(RequestContext& context);
Answer get_credit_balance(RequestContext& context);
Answer list_credit_history(RequestContext& context);

Answer list_activity(RequestContext& context);
// reports.cpp
Answer create_report(RequestContext& context);
Answer list_reports(RequestContext& context);
Answer get_report(RequestContext& context);

// exports.cpp
Answer create_export(RequestContext& context);
Answer list_exports(RequestContext& context);
Answer get_export(RequestContext& context);
Answer list_export_audit(RequestContext& context);
Answer download_export(RequestContext& context);

// jobs.cpp
Answer list_jobs(RequestContext& context);
Answer list_dead_letters(RequestContext& context);
Answer retry_dead_letter(RequestContext& context);

}  // namespace penstock::server::routes
