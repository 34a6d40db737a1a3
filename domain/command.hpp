// What can be asked for: every mutation of every system is one of these structs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "domain/credit_rows.hpp"
#include "domain/export_rows.hpp"
#include "domain/hot.hpp"
#include "domain/model.hpp"
#include "domain/stream_rows.hpp"

namespace penstock::domain {

struct CreateOrganization {
    std::string name;
};

/// The caller has made the secret; only its digest comes here.
struct CreateApiKey {
    OrganizationId organization;
    std::string name;
    Scopes scopes = 0;
    SecretDigest digest{};
};

struct RevokeApiKey {
    OrganizationId organization;
    ApiKeyId key;
};

/// `draft` without id, organization and created_at: the decision gives those.
struct CreateLedger {
    Ledger draft;
};

/// Absent members stay as they are.
struct ChangeLedger {
    LedgerId ledger;
    std::optional<Drain> drain;
    std::optional<std::vector<std::string>> issuers;
    std::optional<std::int16_t> royalty_percent;
};

struct DeleteLedger {
    LedgerId ledger;
    /// Of a hot ledger: under which its books were sealed and drained. 0: it is not hot.
    std::int64_t epoch = 0;
};

struct CreateAccount {
    LedgerId ledger;
    std::string address;
    Amount overdraft_limit = 0;
    std::string metadata = "{}";
};

/// One movement as a client words it. A deposit is one from @world, a withdrawal one to it.
struct Movement {
    std::string from;
    std::string to;
    Amount amount = 0;
    std::optional<std::string> reference = {};
    std::string metadata = "{}";
};

struct MoveMoney {
    LedgerId ledger;
    TransferKind kind = TransferKind::transfer;  ///< deposit, withdrawal or transfer
    Movement movement;
};

/// Items run in order. atomic: all or none; otherwise each stands alone.
struct MoveInBulk {
    LedgerId ledger;
    bool atomic = false;
    std::vector<Movement> items;
};

/// `original` was read before the batch: transfers never change. nullopt: there is none.
struct RevertTransfer {
    LedgerId ledger;
    std::optional<Transfer> original;
};

struct MakePurchase {
    LedgerId ledger;
    std::string buyer;
    std::string author;
    Amount price = 0;
    std::optional<std::string> reference = {};
    std::string metadata = "{}";
};

/// `original` was read before the batch, for its parties: those never change. Whether it is
/// refunded already is read again under their locks. nullopt: there is none.
struct RefundPurchase {
    LedgerId ledger;
    std::optional<Purchase> original;
};

/// Expires `expires_in` after the instant of the batch; nullopt: never.
struct PlaceHold {
    LedgerId ledger;
    std::string from;
    std::string to;
    Amount amount = 0;
    std::optional<std::chrono::seconds> expires_in = {};
};

/// `original`: as in RefundPurchase. amount nullopt: the whole.
struct CaptureHold {
    LedgerId ledger;
    std::optional<Hold> original;
    std::optional<Amount> amount = {};
};

struct VoidHold {
    LedgerId ledger;
    std::optional<Hold> original;
};

/// The server's own, at `expires_at`: no client asks for it. Those that have ended meanwhile, or
/// are not due at the instant of the batch, stay as they are.
struct ExpireHolds {
    LedgerId ledger;
    std::vector<Hold> originals;
};

/// Where a product is to be paid into. `ledger` was looked up by its name; where there is none, it
/// is no ledger's id.
struct PayInto {
    LedgerId ledger;
    std::string ledger_name;
    std::string seller;
};

/// `draft` without id, organization, payment and whatever changes: the decision gives those.
struct CreateProduct {
    Product draft;
    std::optional<PayInto> payment = {};
};

/// `payment`, here and below, is the product's, which never changes: it says what else is touched.
struct RestockProduct {
    ProductId product;
    std::int64_t quantity = 1;
    std::optional<SalePayment> payment = {};
};

/// `admitted_at`: when the gate let it in. nullopt: nobody did, it is judged at the batch's
/// instant.
struct PlaceOrder {
    ProductId product;
    std::optional<SalePayment> payment = {};
    std::string user;
    std::int64_t quantity = 1;
    std::string metadata = "{}";
    std::optional<Instant> admitted_at = {};
};

/// `original`: as in RefundPurchase.
struct CancelOrder {
    ProductId product;
    std::optional<SalePayment> payment = {};
    std::optional<Order> original = {};
};

enum class ReportType : std::int16_t { financial };

struct RequestReport {
    LedgerId ledger;
    ReportType type = ReportType::financial;
};

/// Of a dead letter.
struct RetryJob {
    JobId job;
};

/// One entry of a request for credits. `expires_at` is for what is granted or sent; nullopt: never.
struct CreditDraft {
    std::string address;
    Amount amount = 0;
    std::optional<Instant> expires_at = {};
};

struct GrantCredits {
    LedgerId ledger;
    std::string reference;
    std::vector<CreditDraft> entries;
};

struct SpendCredits {
    LedgerId ledger;
    std::string reference;
    std::vector<CreditDraft> entries;
    bool allow_partial = false;
};

struct TransferCredits {
    LedgerId ledger;
    std::string reference;
    std::string from;
    std::vector<CreditDraft> entries;
};

/// The server's own, once lots are over: no client asks for it. Those that are closed meanwhile,
/// or not over at the instant of the batch, stay as they are.
struct ExpireLots {
    LedgerId ledger;
    std::vector<Lot> originals;
};

/// `draft` without id, ledger, the parties' ids and whatever changes: the decision gives those.
struct CreateStream {
    LedgerId ledger;
    Stream draft;
};

/// What can be done to a stream; `start` resumes one that is paused.
BOOST_DEFINE_FIXED_ENUM_CLASS(StreamAction, std::int16_t, start, pause, stop, settle, withdraw,
                              cancel, remove)

/// `original`: as in RefundPurchase. `amount`: of a withdrawal; nullopt: all that there is.
struct ActOnStream {
    LedgerId ledger;
    std::optional<Stream> original;
    StreamAction action{};
    std::optional<Amount> amount = {};
};

/// `draft` without id, organization and whatever changes. The server has looked up the ledger.
struct RequestExport {
    Export draft;
};

/// The server's own, before the first byte of a download leaves.
struct RecordDownload {
    ExportId subject;
};

using Command = std::variant<CreateOrganization, CreateApiKey, RevokeApiKey, CreateLedger,
                             ChangeLedger, DeleteLedger, CreateAccount, MoveMoney, MoveInBulk,
                             RevertTransfer, MakePurchase, RefundPurchase, PlaceHold, CaptureHold,
                             VoidHold, ExpireHolds, RequestReport, RetryJob, CreateProduct,
                             RestockProduct, PlaceOrder, CancelOrder, GrantCredits, SpendCredits,
                             TransferCredits, ExpireLots, CreateStream, ActOnStream, RequestExport,
                             RecordDownload, OpenAccounts, BeginEpoch, BookJournal, SyncBalances>;

/// A command with what surrounds it. All randomness it may use is in `nonce`.
struct Envelope {
    OrganizationId organization;
    std::optional<KeyUse> key_use = {};
    std::string request_id = {};
    std::uint64_t nonce = 0;
    Command command;
};

}  // namespace penstock::domain
