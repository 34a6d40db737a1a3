// WHAT each route takes, gives and is for.
#include "server/operations.hpp"

#include <algorithm>
#include <array>

#include "domain/assert.hpp"

namespace penstock::server {
namespace {

constexpr std::string_view moving = "Moving money";
constexpr std::string_view ledgers = "Ledgers";
constexpr std::string_view accounts = "Accounts";
constexpr std::string_view selling = "Purchases and holds";
constexpr std::string_view streams = "Streams";
constexpr std::string_view sales = "Flash sales";
constexpr std::string_view credits = "Credits";
constexpr std::string_view exports = "Exports";
constexpr std::string_view jobs = "Jobs";
constexpr std::string_view access = "Organizations and keys";
constexpr std::string_view health = "Health and description";
constexpr std::array groups{ledgers, accounts, moving, selling, streams, sales,
                            credits, exports,  access, jobs,    health};

/// The first that the pattern contains decides.
struct GroupRow {
    std::string_view part;
    std::string_view group;
};
constexpr GroupRow group_rows[] = {
    {"/exports", exports},      {"/products", sales},
    {"/sale", sales},           {"/reconciliation", sales},
    {"/organizations", access}, {"/credits/", credits},
    {"/admin/", jobs},          {"/accounts", accounts},
    {"/deposits", moving},      {"/withdrawals", moving},
    {"/transfers", moving},     {"/purchases", selling},
    {"/holds", selling},        {"/streams", streams},
    {"/v1/", ledgers},          {"/", health},
};

constexpr Operation operations[] = {
    {"healthz", "The process is alive", "", "health"},
    {"readyz", "It can work; what it depends on", "", "readiness"},
    {"metrics", "What it has done, for Prometheus", "", ""},
    {"version", "Which version runs", "", "version"},
    {"openapi", "This description, for programs", "", "open_api"},
    {"docs", "This description, for people", "", "", 200, "text/html"},

    {"create_organization", "Make an organization", "new_organization", "organization", 201},
    {"list_organizations", "The organizations, oldest first", "", "organization"},
    {"create_api_key", "Make a key; its secret is shown once", "new_api_key", "made_api_key", 201},
    {"list_api_keys", "An organization's keys, without their secrets", "", "api_key"},
    {"revoke_api_key", "Revoke a key", "", "", 204},

    {"create_ledger", "Open a ledger", "new_ledger", "ledger", 201},
    {"list_ledgers", "The ledgers, by name", "", "ledger"},
    {"get_ledger", "One ledger", "", "ledger"},
    {"change_ledger", "Change what may change, from now on", "ledger_change", "ledger"},
    {"delete_ledger", "Delete a ledger that is at rest at zero", "", "", 204},
    {"get_totals", "Count and sum of all transfers, by kind", "", "totals"},
    {"get_sync", "How far a hot ledger has come home to the database", "", "sync_status"},
    {"verify_ledger", "Prove every invariant by full scan", "", "verification"},

    {"create_account", "Open an account", "new_account", "account", 201},
    {"list_accounts", "The accounts, by address", "", "account"},
    {"get_account", "One account, now or at a past moment", "", "account"},
    {"list_entries", "An account's statement, newest first", "", "entry"},

    {"create_deposit", "Money enters", "account_movement", "receipt", 201},
    {"create_withdrawal", "Money leaves", "account_movement", "receipt", 201},
    {"create_transfer", "Move money between two accounts", "movement", "transfer", 201},
    {"create_transfers_in_bulk", "Up to 10,000 transfers in one commit", "bulk", "bulk_results"},
    {"list_transfers", "The transfers, newest first", "", "transfer"},
    {"get_transfer", "One transfer", "", "transfer"},
    {"revert_transfer", "The opposite transfer, once", "nothing", "transfer", 201},

    {"create_purchase", "Buy: the author gets the royalty", "new_purchase", "purchase", 201},
    {"list_purchases", "The purchases, newest first", "", "purchase"},
    {"get_purchase", "One purchase", "", "purchase"},
    {"refund_purchase", "Give the money back, once", "nothing", "purchase"},

    {"create_hold", "Reserve money", "new_hold", "hold", 201},
    {"list_holds", "The holds, newest first", "", "hold"},
    {"get_hold", "One hold", "", "hold"},
    {"capture_hold", "Move what is held, or a part of it", "capture", "captured_hold"},
    {"void_hold", "Release what is held", "nothing", "hold"},

    {"create_stream", "Draft a stream: what vests, and how long", "new_stream", "stream", 201},
    {"list_streams", "The streams, newest first", "", "stream"},
    {"get_stream", "One stream, as it stands now", "", "stream"},
    {"delete_stream", "Delete a draft", "", "", 204},
    {"start_stream", "Fund it and let it vest; or go on after a pause", "nothing", "stream"},
    {"pause_stream", "Let it stand still", "nothing", "stream"},
    {"stop_stream", "End vesting for good", "nothing", "stream"},
    {"settle_stream", "End it, and give back what has not vested", "nothing", "stream"},
    {"withdraw_stream", "Pay out what has vested, or a part of it", "stream_withdrawal",
     "withdrawn_stream"},
    {"cancel_stream", "Pay out what has vested, give back the rest, at once", "nothing", "stream"},

    {"create_product", "Offer a product", "new_product", "product", 201},
    {"list_products", "The products, newest first", "", "product"},
    {"get_product", "One product", "", "product"},
    {"restock_product", "Raise the stock", "restock", "product"},
    {"get_newest_sale", "The newest product's sale", "", "sale"},
    {"get_sale", "A sale as it stands", "", "sale"},
    {"watch_sale", "The sale as it changes: server-sent events `sale`", "", "", 200,
     "text/event-stream"},
    {"create_order", "Buy, while there is something left", "new_order", "order", 201},
    {"list_orders", "The orders of a product, newest first", "", "order"},
    {"get_order", "One order", "", "order"},
    {"cancel_order", "Give it back: stock, limit and money, once", "nothing", "order"},
    {"get_sale_user", "What a user has bought", "", "sale_user"},
    {"reconcile_sales", "Compare the gates of all sales with the orders, and mend them", "nothing",
     "reconciliation"},
    {"show_storefront", "The sale as a page to buy on", "", "", 200, "text/html"},

    {"grant_credits", "Grant credits: a lot for each entry", "new_grant", "credited_lots", 201},
    {"spend_credits", "Spend credits, the first lots first", "new_expense", "credited_expense",
     201},
    {"transfer_credits", "Pass credits on; none outlives what it was", "new_credit_transfer",
     "credited_lots", 201},
    {"list_credit_balances", "Who has how much, by address", "", "credit_balance"},
    {"count_credit_balances", "How many have at least that much", "", "credit_count"},
    {"get_credit_balance", "What an address has, and until when", "", "credits_of_address"},
    {"list_credit_history", "Every grant, expense and transfer, newest first", "",
     "credit_history_entry"},

    {"list_activity", "Everything that changed, newest first", "", "activity"},
    {"create_report", "Ask for a report", "new_report", "accepted", 202},
    {"list_reports", "The reports, newest first", "", "report"},
    {"get_report", "One report, or how far it is", "", "report"},

    {"create_export", "Ask for a file of everything of one kind", "new_export", "export_file", 202},
    {"list_exports", "The exports, newest first", "", "export_file"},
    {"get_export", "One export: how far it is, and where to download it", "", "export_file"},
    {"download_export", "The file, or a range of it, by its signed link", "", "", 200, "text/csv"},
    {"list_export_audit", "Who asked for it and who fetched it, newest first", "", "export_audit"},

    {"list_jobs", "The queue of jobs, newest first", "", "job"},
    {"list_dead_letters", "The jobs whose every attempt failed", "", "job"},
    {"retry_dead_letter", "Queue such a job again", "nothing", "job"},
};

}  // namespace

Operation const& operation_of(Route const& route) {
    auto const* const found =
        std::find_if(std::begin(operations), std::end(operations),
                     [&](auto const& operation) { return operation.route == route.name; });
    PENSTOCK_ASSERT(found != std::end(operations));
    return *found;
}

std::vector<std::string_view> operation_groups(std::span<Route const> routes) {
    std::vector<std::string_view> used;
    for (auto const group : groups) {
        auto const in_group = [&](Route const& route) { return group_of(route) == group; };
        if (std::any_of(routes.begin(), routes.end(), in_group)) used.push_back(group);
    }
    return used;
}

std::string_view group_of(Route const& route) {
    auto const* const found = std::find_if(
        std::begin(group_rows), std::end(group_rows),
        [&](auto const& row) { return route.pattern.find(row.part) != row.part.npos; });
    PENSTOCK_ASSERT(found != std::end(group_rows));
    return found->group;
}

bool is_list(Route const& route) {
    auto const names = route.query.view();
    return std::find(names.begin(), names.end(), "limit") != names.end();
}

std::string_view name_of(Scope scope) {
    switch (scope) {
        case Scope::open:
            return "open";
        case Scope::read:
            return "read";
        case Scope::write:
            return "write";
        case Scope::admin:
            return "admin";
    }
    return "";
}

std::string schema_title(std::string_view name) {
    std::string title;
    bool first_of_word = true;
    for (char const c : name) {
        bool const lower = c >= 'a' && c <= 'z';
        if (c != '_') title += first_of_word && lower ? static_cast<char>(c - 32) : c;
        first_of_word = c == '_';
    }
    return title;
}

}  // namespace penstock::server
