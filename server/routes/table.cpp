// Every route of the program. 404, 405, scopes, keys, limits and /openapi.json follow from it.
#include "server/context.hpp"
#include "server/routes/handlers.hpp"

namespace penstock::server {
namespace {

using namespace routes;
using enum Method;
using enum Idempotency;

constexpr QueryNames paged{"limit", "cursor"};
constexpr QueryNames accounts_query{"limit", "cursor", "prefix"};
constexpr QueryNames account_query{"at"};
constexpr QueryNames transfers_query{"limit",     "cursor", "account", "kind",
                                     "reference", "from",   "to"};
constexpr QueryNames purchases_query{"limit", "cursor", "buyer", "author"};
constexpr QueryNames balances_query{"limit", "cursor", "min_balance"};
constexpr QueryNames min_balance_query{"min_balance"};
constexpr QueryNames history_query{"limit", "cursor", "address", "kind", "reference", "from", "to"};
constexpr QueryNames holds_query{"limit", "cursor", "account", "status"};
constexpr QueryNames streams_query{"limit", "cursor", "status", "sender", "recipient"};
constexpr QueryNames orders_query{"limit", "cursor", "user"};
constexpr QueryNames activity_query{"limit",   "cursor",  "ledger", "stream",
                                    "account", "subject", "type"};
constexpr QueryNames jobs_query{"limit", "cursor", "status", "kind"};
constexpr QueryNames download_query{"expires", "signature"};
constexpr QueryNames no_query{};

constexpr Route table[] = {
    {get, "/healthz", Scope::open, none, healthz, "healthz"},
    {get, "/readyz", Scope::open, none, readyz, "readyz"},
    {get, "/metrics", Scope::open, none, routes::metrics, "metrics", no_query, body_default_max,
     Produces::page},
    {get, "/version", Scope::open, none, version, "version"},
    {get, "/openapi.json", Scope::open, none, openapi, "openapi"},
    {get, "/docs", Scope::open, none, docs, "docs", no_query, body_default_max, Produces::page},

    {post, "/v1/organizations", Scope::admin, required, create_organization, "create_organization"},
    {get, "/v1/organizations", Scope::admin, none, list_organizations, "list_organizations", paged},
    {post, "/v1/organizations/{org}/keys", Scope::admin, required, create_api_key,
     "create_api_key"},
    {get, "/v1/organizations/{org}/keys", Scope::admin, none, list_api_keys, "list_api_keys",
     paged},
    {delete_, "/v1/organizations/{org}/keys/{id}", Scope::admin, optional, revoke_api_key,
     "revoke_api_key"},

    {post, "/v1/ledgers", Scope::write, required, create_ledger, "create_ledger"},
    {get, "/v1/ledgers", Scope::read, none, list_ledgers, "list_ledgers", paged},
    {get, "/v1/ledgers/{ledger}", Scope::read, none, get_ledger, "get_ledger"},
    {patch, "/v1/ledgers/{ledger}", Scope::write, optional, change_ledger, "change_ledger"},
    {delete_, "/v1/ledgers/{ledger}", Scope::admin, optional, delete_ledger, "delete_ledger"},
    {get, "/v1/ledgers/{ledger}/totals", Scope::read, none, get_totals, "get_totals"},
    {get, "/v1/ledgers/{ledger}/sync", Scope::read, none, get_sync, "get_sync"},
    {get, "/v1/ledgers/{ledger}/verify", Scope::admin, none, verify_ledger, "verify_ledger"},

    {post, "/v1/ledgers/{ledger}/accounts", Scope::write, required, create_account,
     "create_account"},
    {get, "/v1/ledgers/{ledger}/accounts", Scope::read, none, list_accounts, "list_accounts",
     accounts_query},
    {get, "/v1/ledgers/{ledger}/accounts/{address}", Scope::read, none, get_account, "get_account",
     account_query},
    {get, "/v1/ledgers/{ledger}/accounts/{address}/entries", Scope::read, none, list_entries,
     "list_entries", paged},

    {post, "/v1/ledgers/{ledger}/deposits", Scope::write, required, create_deposit,
     "create_deposit"},
    {post, "/v1/ledgers/{ledger}/withdrawals", Scope::write, required, create_withdrawal,
     "create_withdrawal"},
    {post, "/v1/ledgers/{ledger}/transfers", Scope::write, required, create_transfer,
     "create_transfer"},
    {post, "/v1/ledgers/{ledger}/transfers/bulk", Scope::write, required, create_transfers_in_bulk,
     "create_transfers_in_bulk", no_query, body_bulk_max},
    {get, "/v1/ledgers/{ledger}/transfers", Scope::read, none, list_transfers, "list_transfers",
     transfers_query},
    {get, "/v1/ledgers/{ledger}/transfers/{id}", Scope::read, none, get_transfer, "get_transfer"},
    {post, "/v1/ledgers/{ledger}/transfers/{id}/revert", Scope::write, required, revert_transfer,
     "revert_transfer"},

    {post, "/v1/ledgers/{ledger}/purchases", Scope::write, required, create_purchase,
     "create_purchase"},
    {get, "/v1/ledgers/{ledger}/purchases", Scope::read, none, list_purchases, "list_purchases",
     purchases_query},
    {get, "/v1/ledgers/{ledger}/purchases/{id}", Scope::read, none, get_purchase, "get_purchase"},
    {post, "/v1/ledgers/{ledger}/purchases/{id}/refund", Scope::write, required, refund_purchase,
     "refund_purchase"},

    {post, "/v1/ledgers/{ledger}/holds", Scope::write, required, create_hold, "create_hold"},
    {get, "/v1/ledgers/{ledger}/holds", Scope::read, none, list_holds, "list_holds", holds_query},
    {get, "/v1/ledgers/{ledger}/holds/{id}", Scope::read, none, get_hold, "get_hold"},
    {post, "/v1/ledgers/{ledger}/holds/{id}/capture", Scope::write, required, capture_hold,
     "capture_hold"},
    {post, "/v1/ledgers/{ledger}/holds/{id}/void", Scope::write, required, void_hold, "void_hold"},

    {post, "/v1/ledgers/{ledger}/streams", Scope::write, required, create_stream, "create_stream"},
    {get, "/v1/ledgers/{ledger}/streams", Scope::read, none, list_streams, "list_streams",
     streams_query},
    {get, "/v1/ledgers/{ledger}/streams/{id}", Scope::read, none, get_stream, "get_stream"},
    {delete_, "/v1/ledgers/{ledger}/streams/{id}", Scope::write, optional, delete_stream,
     "delete_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/start", Scope::write, required, start_stream,
     "start_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/pause", Scope::write, required, pause_stream,
     "pause_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/stop", Scope::write, required, stop_stream,
     "stop_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/settle", Scope::write, required, settle_stream,
     "settle_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/withdraw", Scope::write, required, withdraw_stream,
     "withdraw_stream"},
    {post, "/v1/ledgers/{ledger}/streams/{id}/cancel", Scope::write, required, cancel_stream,
     "cancel_stream"},

    {post, "/v1/products", Scope::admin, required, create_product, "create_product"},
    {get, "/v1/products", Scope::read, none, list_products, "list_products", paged},
    {get, "/v1/products/{id}", Scope::read, none, get_product, "get_product"},
    {post, "/v1/products/{id}/restock", Scope::admin, required, restock_product, "restock_product"},
    {get, "/v1/sales/first", Scope::read, none, get_newest_sale, "get_newest_sale"},
    {get, "/v1/sales/{product}", Scope::read, none, get_sale, "get_sale"},
    {get, "/v1/sales/{product}/events", Scope::read, none, watch_sale, "watch_sale", no_query,
     body_default_max, Produces::any},
    {post, "/v1/sales/{product}/orders", Scope::write, required, create_order, "create_order"},
    {get, "/v1/sales/{product}/orders", Scope::read, none, list_orders, "list_orders",
     orders_query},
    {get, "/v1/sales/{product}/orders/{id}", Scope::read, none, get_order, "get_order"},
    {post, "/v1/sales/{product}/orders/{id}/cancel", Scope::write, required, cancel_order,
     "cancel_order"},
    {get, "/v1/sales/{product}/users/{user}", Scope::read, none, get_sale_user, "get_sale_user"},
    {get, "/sale/{product}", Scope::open, none, show_storefront, "show_storefront", no_query,
     body_default_max, Produces::page},

    {post, "/v1/ledgers/{ledger}/credits/grants", Scope::write, required, grant_credits,
     "grant_credits", no_query, body_bulk_max},
    {post, "/v1/ledgers/{ledger}/credits/expenses", Scope::write, required, spend_credits,
     "spend_credits", no_query, body_bulk_max},
    {post, "/v1/ledgers/{ledger}/credits/transfers", Scope::write, required, transfer_credits,
     "transfer_credits", no_query, body_bulk_max},
    {get, "/v1/ledgers/{ledger}/credits/balances", Scope::read, none, list_credit_balances,
     "list_credit_balances", balances_query},
    {get, "/v1/ledgers/{ledger}/credits/balances/count", Scope::read, none, count_credit_balances,
     "count_credit_balances", min_balance_query},
    {get, "/v1/ledgers/{ledger}/credits/balances/{address}", Scope::read, none, get_credit_balance,
     "get_credit_balance"},
    {get, "/v1/ledgers/{ledger}/credits/history", Scope::read, none, list_credit_history,
     "list_credit_history", history_query},

    {get, "/v1/activity", Scope::read, none, list_activity, "list_activity", activity_query},
    {post, "/v1/ledgers/{ledger}/reports", Scope::write, required, create_report, "create_report"},
    {get, "/v1/ledgers/{ledger}/reports", Scope::read, none, list_reports, "list_reports", paged},
    {get, "/v1/ledgers/{ledger}/reports/{id}", Scope::read, none, get_report, "get_report"},

    {post, "/v1/exports", Scope::write, required, create_export, "create_export"},
    {get, "/v1/exports", Scope::read, none, list_exports, "list_exports", paged},
    {get, "/v1/exports/{id}", Scope::read, none, get_export, "get_export"},
    {get, "/v1/exports/{id}/download", Scope::open, none, download_export, "download_export",
     download_query, body_default_max, Produces::any},
    {get, "/v1/exports/{id}/audit", Scope::read, none, list_export_audit, "list_export_audit",
     paged},

    {post, "/v1/admin/reconciliation", Scope::admin, required, reconcile_sales, "reconcile_sales"},
    {get, "/v1/admin/jobs", Scope::admin, none, list_jobs, "list_jobs", jobs_query},
    {get, "/v1/admin/dead-letters", Scope::admin, none, list_dead_letters, "list_dead_letters",
     paged},
    {post, "/v1/admin/dead-letters/{id}/retry", Scope::admin, required, retry_dead_letter,
     "retry_dead_letter"},
};

}  // namespace

std::span<Route const> route_table() { return table; }

}  // namespace penstock::server
