// HOW rows become JSON: explicit members, in the order that the API documents.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "db/store.hpp"
#include "domain/outcome.hpp"
#include "server/exports/desk.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server {

/// For JsonWriter: an instant that may not be there.
inline std::optional<std::int64_t> ms_of(std::optional<domain::Instant> at) {
    if (!at) return std::nullopt;
    return at->ms;
}

void write(JsonWriter& json, domain::Organization const& organization);
/// Without the secret: nobody has it any more.
void write(JsonWriter& json, domain::ApiKey const& key);
void write(JsonWriter& json, domain::Ledger const& ledger);
void write(JsonWriter& json, domain::Account const& account, std::string_view ledger);
void write(JsonWriter& json, domain::Transfer const& transfer, std::string_view ledger);

/// The ledger's name is not among a purchase's members.
void write(JsonWriter& json, domain::Purchase const& purchase, std::string_view ledger);
void write(JsonWriter& json, domain::Hold const& hold, std::string_view ledger);
/// As it is at that instant.
void write(JsonWriter& json, domain::Product const& product, domain::Instant at);
/// A product as its sale: what a crowd reads.
void write_sale(JsonWriter& json, domain::Product const& product, domain::Instant at);
/// An order lies in no ledger.
void write(JsonWriter& json, domain::Order const& order, std::string_view ledger = {});
/// As it is at that instant; no member names the ledger.
void write(JsonWriter& json, domain::Stream const& stream, domain::Instant at);
/// A lot made or an entry served per line, in request order.
void write(JsonWriter& json, domain::Credited const& credited);
void write(JsonWriter& json, domain::Job const& job);
/// A job that writes a report, as whoever asked for the report sees it.
void write_report(JsonWriter& json, domain::Job const& job);

/// With the link to download it, where there is one.
void write(JsonWriter& json, domain::Export const& row, std::optional<ExportLink> const& link);
void write(JsonWriter& json, domain::ExportAudit const& audit);

/// A transfer as an entry of the account `address`: the credit side if it is on both (it cannot
/// be: nobody pays himself).
void write_entry(JsonWriter& json, domain::Transfer const& transfer, std::string_view address);

/// The body of a 2xx. A deposit or withdrawal says the client's account's balance after it.
std::string body_of(domain::Receipt const& receipt, std::string_view ledger);

/// A key's body with its secret: shown once, in the answer that made it.
std::string body_with_secret(domain::ApiKey const& key, std::string_view secret);

std::string decimal(domain::Sum value);

}  // namespace penstock::server
