// HOW rows become JSON: explicit members, in the order that the API documents.
#include "server/render.hpp"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>

#include "domain/sale.hpp"
#include "domain/stream.hpp"
#include "server/http/problem.hpp"
#include "server/members.hpp"

namespace penstock::server {
namespace {

using boost::describe::enum_to_string;

constexpr std::string_view account_policies[] = {"explicit", "implicit"};

void write_scopes(JsonWriter& json, domain::Scopes scopes) {
    json.begin_array("scopes");
    for (auto [scope, name] :
         {std::pair{domain::Scope::read, "read"}, std::pair{domain::Scope::write, "write"},
          std::pair{domain::Scope::admin, "admin"}})
        if (scopes & static_cast<domain::Scopes>(scope)) json.value(name);
    json.end_array();
}

void write_key_members(JsonWriter& json, domain::ApiKey const& key) {
    json.member("id", key.id.to_string()).member("name", key.name);
    write_scopes(json, key.scopes);
    json.instant("created_at", key.created_at.ms);
    json.instant("revoked_at", ms_of(key.revoked_at));
}

std::string receipt_of(domain::Transfer const& transfer, std::string_view ledger) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    transfer_members(json, transfer, ledger);
    if (transfer.kind == domain::TransferKind::deposit)
        json.member("balance", transfer.to.balance_after);
    if (transfer.kind == domain::TransferKind::withdrawal)
        json.member("balance", transfer.from.balance_after);
    json.end_object();
    return text;
}

std::string receipt_of(domain::BulkReceipt const& bulk, std::string_view ledger) {
    std::string text;
    text.reserve(bulk.items.size() * 320);
    JsonWriter json(text);
    json.begin_object().begin_array("results");
    std::size_t accepted = 0;
    for (auto const& item : bulk.items) {
        json.begin_object();
        if (auto const* transfer = std::get_if<domain::Transfer>(&item)) {
            ++accepted;
            json.member("status", 201).begin_object("transfer");
            transfer_members(json, *transfer, ledger);
            json.end_object();
        } else {
            auto const rejection = std::get<domain::Refusal>(item).code;
            Problem const problem(code_named(enum_to_string(rejection, "")).value());
            std::string rendered;
            JsonWriter error(rendered);
            write(error, problem, bulk.request_id);
            json.member("status", status_of(problem.code)).raw("error", rendered);
        }
        json.end_object();
    }
    json.end_array()
        .member("accepted", accepted)
        .member("rejected", bulk.items.size() - accepted)
        .end_object();
    return text;
}

void write_hold_members(JsonWriter& json, domain::Hold const& hold, std::string_view ledger) {
    json.member("id", hold.id.to_string())
        .member("ledger", ledger)
        .member("status", enum_to_string(hold.status, ""))
        .member("from", hold.from.address)
        .member("to", hold.to.address)
        .member("amount", hold.amount)
        .member("captured_amount", hold.captured_amount);
    if (hold.transfer) {
        json.member("transfer_id", hold.transfer->to_string());
    } else {
        json.member("transfer_id", nullptr);
    }
    json.instant("expires_at", ms_of(hold.expires_at))
        .instant("ended_at", ms_of(hold.ended_at))
        .instant("created_at", hold.created_at().ms);
}

std::string receipt_of(domain::Streamed const& streamed) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    stream_members(json, streamed.stream, streamed.at);
    if (streamed.paid) json.member("paid", *streamed.paid);
    json.end_object();
    return text;
}

std::string receipt_of(domain::Captured const& captured, std::string_view ledger) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_hold_members(json, captured.hold, ledger);
    json.begin_object("transfer");
    transfer_members(json, captured.transfer, ledger);
    json.end_object().end_object();
    return text;
}

}  // namespace

void write(JsonWriter& json, domain::Organization const& organization) {
    json.begin_object()
        .member("id", organization.id.to_string())
        .member("name", organization.name)
        .instant("created_at", organization.created_at.ms)
        .end_object();
}

void write(JsonWriter& json, domain::ApiKey const& key) {
    json.begin_object();
    write_key_members(json, key);
    json.end_object();
}

void write(JsonWriter& json, domain::Ledger const& ledger) {
    json.begin_object().member("name", ledger.name);
    json.begin_object("asset")
        .member("code", ledger.asset_code)
        .member("scale", ledger.asset_scale)
        .end_object();
    json.member("kind", enum_to_string(ledger.kind, ""))
        .member("posting", enum_to_string(ledger.posting, ""))
        .member("royalty_percent", ledger.royalty_percent)
        .member("drain", enum_to_string(ledger.drain, ""))
        .member("accounts", account_policies[static_cast<std::size_t>(ledger.accounts)]);
    json.begin_array("issuers");
    for (auto const& issuer : ledger.issuers) json.value(issuer);
    json.end_array().instant("created_at", ledger.created_at.ms).end_object();
}

void write(JsonWriter& json, domain::Account const& account, std::string_view ledger) {
    auto const& standing = account.standing;
    // In 128 bits: a balance near the lower end of int64 minus what is held may leave int64.
    auto const available = domain::Sum{standing.balance} - standing.held;
    json.begin_object()
        .member("address", account.address)
        .member("ledger", ledger)
        .member("balance", standing.balance)
        .member("held", standing.held)
        .raw("available", decimal(available))
        .member("fraction", standing.fraction)
        .member("version", standing.version)
        .member("overdraft_limit", account.overdraft_limit)
        .raw("metadata", account.metadata)
        .instant("created_at", account.created_at.ms)
        .instant("updated_at", standing.updated_at.ms)
        .end_object();
}

void write(JsonWriter& json, domain::Transfer const& transfer, std::string_view ledger) {
    json.begin_object();
    transfer_members(json, transfer, ledger);
    json.end_object();
}

void write(JsonWriter& json, domain::Purchase const& purchase, std::string_view) {
    json.begin_object()
        .member("id", purchase.id.to_string())
        .member("buyer", purchase.buyer.address)
        .member("author", purchase.author.address)
        .member("price", purchase.price)
        .member("royalty_percent", purchase.royalty_percent)
        .member("author_amount", purchase.author_amount)
        .member("platform_amount", purchase.platform_amount)
        .member("status", purchase.refunded_at ? "refunded" : "completed")
        .member("reference", purchase.reference)
        .raw("metadata", purchase.metadata)
        .instant("created_at", purchase.created_at().ms)
        .end_object();
}

void write(JsonWriter& json, domain::Hold const& hold, std::string_view ledger) {
    json.begin_object();
    write_hold_members(json, hold, ledger);
    json.end_object();
}

void write(JsonWriter& json, domain::Stream const& stream, domain::Instant at) {
    json.begin_object();
    stream_members(json, stream, at);
    json.end_object();
}

void write(JsonWriter& json, domain::Product const& product, domain::Instant at) {
    json.begin_object()
        .member("id", product.id.to_string())
        .member("name", product.name)
        .member("price", product.price)
        .member("stock", product.stock)
        .member("sold", product.sold)
        .member("remaining", product.remaining())
        .member("status", enum_to_string(domain::sale_status(product, at), ""))
        .instant("starts_at", product.starts_at.ms)
        .instant("ends_at", ms_of(product.ends_at))
        .member("per_user_limit", product.per_user_limit);
    if (product.payment) {
        json.begin_object("payment")
            .member("ledger", product.payment->ledger_name)
            .member("seller", product.payment->seller.address)
            .end_object();
    } else {
        json.member("payment", nullptr);
    }
    json.raw("metadata", product.metadata)
        .instant("created_at", product.created_at().ms)
        .end_object();
}

void write_sale(JsonWriter& json, domain::Product const& product, domain::Instant at) {
    json.begin_object()
        .member("product_id", product.id.to_string())
        .member("name", product.name)
        .member("status", enum_to_string(domain::sale_status(product, at), ""))
        .member("price", product.price)
        .member("stock", product.stock)
        .member("sold", product.sold)
        .member("remaining", product.remaining())
        .instant("starts_at", product.starts_at.ms)
        .instant("ends_at", ms_of(product.ends_at))
        .instant("server_time", at.ms)
        .end_object();
}

void write(JsonWriter& json, domain::Order const& order, std::string_view) {
    json.begin_object();
    order_members(json, order);
    json.end_object();
}

void write(JsonWriter& json, domain::Credited const& credited) {
    auto const& operation = credited.operation;
    bool const is_expense = operation.kind == domain::CreditKind::expense;
    json.begin_object()
        .member("id", operation.id.to_string())
        .member("kind", enum_to_string(operation.kind, ""))
        .member("reference", operation.reference)
        .begin_array("entries");
    for (auto const& line : credited.lines) {
        json.begin_object().member("address", line.address);
        if (!is_expense) json.member("index", line.index);
        json.member("amount", line.amount);
        if (is_expense)
            json.member("shortfall", line.shortfall);
        else
            json.instant("expires_at", ms_of(line.expires_at));
        json.end_object();
    }
    json.end_array().instant("created_at", operation.created_at().ms).end_object();
}

void write(JsonWriter& json, domain::Job const& job) {
    bool const queued = job.status == domain::JobStatus::queued;
    bool const running = job.status == domain::JobStatus::processing;
    auto const only = [&](bool shown) {
        return shown ? std::optional(job.due_at.ms) : std::nullopt;
    };
    json.begin_object()
        .member("id", job.id.to_string())
        .member("kind", job.kind)
        .raw("payload", job.payload)
        .member("status", enum_to_string(job.status, ""))
        .member("attempts", job.attempts)
        .member("attempts_max", job.attempts_max)
        .instant("run_at", only(queued))
        .instant("lease_until", only(running))
        .raw("result", job.result.value_or("null"))
        .member("last_error", job.last_error)
        .instant("created_at", job.created_at().ms)
        .instant("finished_at", ms_of(job.finished_at))
        .end_object();
}

void write_report(JsonWriter& json, domain::Job const& job) {
    json.begin_object()
        .member("id", job.id.to_string())
        .member("status", enum_to_string(job.status, ""))
        .raw("result", job.result.value_or("null"))
        .instant("created_at", job.created_at().ms)
        .end_object();
}

void write(JsonWriter& json, domain::Export const& row, std::optional<ExportLink> const& link) {
    std::optional<std::string_view> url;
    std::optional<std::int64_t> link_expires_at;
    if (link) {
        url = link->url;
        link_expires_at = link->expires_at.ms;
    }
    json.begin_object()
        .id("id", row.id.value.bytes)
        .member("source", enum_to_string(row.source, ""))
        .member("format", enum_to_string(row.format, ""))
        .member("status", enum_to_string(row.status, ""))
        .member("rows", row.rows)
        .member("bytes", row.bytes)
        .member("sha256", row.sha256)
        .instant("requested_at", row.requested_at().ms)
        .instant("expires_at", ms_of(row.expires_at))
        .member("download_url", url)
        .instant("download_expires_at", link_expires_at)
        .end_object();
}

void write(JsonWriter& json, domain::ExportAudit const& audit) {
    std::optional<std::string_view> request_id;
    if (!audit.request_id.empty()) request_id = audit.request_id;
    json.begin_object()
        .id("id", audit.id.value.bytes)
        .id("export_id", audit.subject.value.bytes)
        .member("type", std::string("export.") + enum_to_string(audit.type, ""))
        .instant("at", audit.at().ms)
        .member("request_id", request_id)
        .end_object();
}

void write_entry(JsonWriter& json, domain::Transfer const& transfer, std::string_view address) {
    json.begin_object();
    entry_members(json, transfer, address);
    json.end_object();
}

std::string body_of(domain::Receipt const& receipt, std::string_view ledger) {
    using namespace domain;
    if (auto const* transfer = std::get_if<Transfer>(&receipt.what))
        return receipt_of(*transfer, ledger);
    if (auto const* bulk = std::get_if<BulkReceipt>(&receipt.what))
        return receipt_of(*bulk, ledger);
    if (auto const* captured = std::get_if<Captured>(&receipt.what))
        return receipt_of(*captured, ledger);
    if (auto const* streamed = std::get_if<Streamed>(&receipt.what)) return receipt_of(*streamed);
    if (auto const* recorded = std::get_if<Recorded>(&receipt.what)) return recorded->body;
    std::string text;
    JsonWriter json(text);
    if (auto const* account = std::get_if<Account>(&receipt.what)) write(json, *account, ledger);
    if (auto const* purchase = std::get_if<Purchase>(&receipt.what)) write(json, *purchase, ledger);
    if (auto const* hold = std::get_if<Hold>(&receipt.what)) write(json, *hold, ledger);
    if (auto const* made = std::get_if<Ledger>(&receipt.what)) write(json, *made);
    if (auto const* organization = std::get_if<Organization>(&receipt.what))
        write(json, *organization);
    if (auto const* key = std::get_if<ApiKey>(&receipt.what)) text = body_with_secret(*key, {});
    if (auto const* job = std::get_if<Job>(&receipt.what)) write(json, *job);
    if (auto const* offered = std::get_if<Offered>(&receipt.what))
        write(json, offered->product, offered->at);
    if (auto const* order = std::get_if<Order>(&receipt.what)) write(json, *order);
    if (auto const* credited = std::get_if<Credited>(&receipt.what)) write(json, *credited);
    if (auto const* row = std::get_if<Export>(&receipt.what)) write(json, *row, std::nullopt);
    if (auto const* accepted = std::get_if<Accepted>(&receipt.what))
        json.begin_object()
            .member("id", accepted->job.to_string())
            .member("status", enum_to_string(JobStatus::queued, ""))
            .end_object();
    return text;
}

std::string body_with_secret(domain::ApiKey const& key, std::string_view secret) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    write_key_members(json, key);
    if (secret.empty()) {
        json.member("secret", nullptr);
    } else {
        json.member("secret", secret);
    }
    json.end_object();
    return text;
}

std::string decimal(domain::Sum value) {
    bool const negative = value < 0;
    std::string digits;
    do {
        auto const digit = static_cast<int>(value % 10);
        digits += static_cast<char>('0' + (negative ? -digit : digit));
        value /= 10;
    } while (value != 0);
    if (negative) digits += '-';
    std::reverse(digits.begin(), digits.end());
    return digits;
}

}  // namespace penstock::server
