// In which order a command is judged: its key, its rules, and what is remembered of it.
#include "domain/decide.hpp"

#include "domain/assert.hpp"
#include "domain/credits.hpp"
#include "domain/export.hpp"
#include "domain/hold.hpp"
#include "domain/hot_decide.hpp"
#include "domain/job.hpp"
#include "domain/ledger.hpp"
#include "domain/organization.hpp"
#include "domain/purchase.hpp"
#include "domain/report.hpp"
#include "domain/sale.hpp"
#include "domain/stream.hpp"

namespace penstock::domain {
namespace {

/// The status to record; 0 where the one row that the command makes carries the key itself.
struct StatusOf {
    std::int16_t operator()(CreateOrganization const&) const { return 201; }
    std::int16_t operator()(CreateApiKey const&) const { return 201; }
    std::int16_t operator()(RevokeApiKey const&) const { return 204; }
    std::int16_t operator()(CreateLedger const&) const { return 201; }
    std::int16_t operator()(ChangeLedger const&) const { return 200; }
    std::int16_t operator()(DeleteLedger const&) const { return 204; }
    std::int16_t operator()(CreateAccount const&) const { return 201; }
    std::int16_t operator()(MoveMoney const&) const { return 0; }
    std::int16_t operator()(MoveInBulk const&) const { return 200; }
    std::int16_t operator()(RevertTransfer const&) const { return 0; }
    std::int16_t operator()(MakePurchase const&) const { return 0; }
    std::int16_t operator()(RefundPurchase const&) const { return 200; }
    std::int16_t operator()(PlaceHold const&) const { return 201; }
    std::int16_t operator()(CaptureHold const&) const { return 200; }
    std::int16_t operator()(VoidHold const&) const { return 200; }
    std::int16_t operator()(ExpireHolds const&) const { return 200; }
    std::int16_t operator()(RequestReport const&) const { return 202; }
    std::int16_t operator()(RetryJob const&) const { return 200; }
    std::int16_t operator()(CreateProduct const&) const { return 201; }
    std::int16_t operator()(RestockProduct const&) const { return 200; }
    std::int16_t operator()(PlaceOrder const&) const { return 0; }
    std::int16_t operator()(CancelOrder const&) const { return 200; }
    std::int16_t operator()(GrantCredits const&) const { return 0; }
    std::int16_t operator()(SpendCredits const&) const { return 0; }
    std::int16_t operator()(TransferCredits const&) const { return 0; }
    std::int16_t operator()(ExpireLots const&) const { return 200; }
    std::int16_t operator()(CreateStream const&) const { return 201; }
    std::int16_t operator()(ActOnStream const& command) const {
        return command.action == StreamAction::remove ? 204 : 200;
    }
    std::int16_t operator()(RequestExport const&) const { return 202; }
    std::int16_t operator()(RecordDownload const&) const { return 200; }
    std::int16_t operator()(OpenAccounts const&) const { return 200; }
    std::int16_t operator()(BeginEpoch const&) const { return 200; }
    std::int16_t operator()(BookJournal const&) const { return 200; }
    std::int16_t operator()(SyncBalances const&) const { return 200; }
};

BulkReceipt rebuild_bulk(Answer const& answer, std::vector<Transfer> const& transfers) {
    BulkReceipt receipt;
    receipt.request_id = answer.request_id;
    auto next = transfers.begin();
    for (auto const item : answer.items) {
        if (item >= 0) {
            receipt.items.emplace_back(Refusal{static_cast<Rejection>(item)});
            continue;
        }
        PENSTOCK_ASSERT(next != transfers.end());
        receipt.items.emplace_back(*next++);
    }
    return receipt;
}

/// The purchase as it was when it was made.
Receipt replay(Purchase purchase) {
    purchase.refunded_at.reset();
    purchase.author_refund = 0;
    return {std::move(purchase), true};
}

/// The order as it was when it was made.
Receipt replay(Order order) {
    order.status = OrderStatus::completed;
    order.cancelled_at.reset();
    return {std::move(order), true};
}

Receipt replay(KeyRecord const& record) {
    if (auto const* credited = std::get_if<Credited>(&record.made)) return {*credited, true};
    if (auto const* order = std::get_if<Order>(&record.made)) return replay(*order);
    if (auto const* purchase = std::get_if<Purchase>(&record.made)) return replay(*purchase);
    if (auto const* transfer = std::get_if<Transfer>(&record.made)) return {*transfer, true};
    auto const& [answer, transfers] = std::get<1>(record.made);
    if (!answer.items.empty()) return {rebuild_bulk(answer, transfers), true};
    return {Recorded{answer.status, answer.body}, true};
}

/// What the key says before any rule is asked.
std::optional<Outcome> decide_by_key(WorkingSet const& set, KeyUse const& use) {
    auto const* record = set.find_key(use.key);
    if (!record) return std::nullopt;
    if (record->fingerprint != use.fingerprint) return Refusal{Rejection::idempotency_key_reused};
    if (auto const* receipt = set.find_receipt(use.key)) return Receipt{receipt->what, true};
    return replay(*record);
}

void record(WorkingSet& set, Envelope const& envelope, Receipt const& receipt) {
    auto const status = std::visit(StatusOf{}, envelope.command);
    if (!envelope.key_use || status == 0) return;
    Answer answer;
    answer.key_use = *envelope.key_use;
    answer.status = status;
    answer.request_id = envelope.request_id;
    answer.created_at = set.now();
    if (auto const* bulk = std::get_if<BulkReceipt>(&receipt.what)) add_items(*bulk, answer);
    set.add_answer(std::move(answer), receipt);
}

}  // namespace

void add_items(BulkReceipt const& receipt, Answer& answer) {
    for (auto const& item : receipt.items) {
        if (auto const* transfer = std::get_if<Transfer>(&item)) {
            answer.items.push_back(-1);
            answer.transfers.push_back(transfer->id);
            answer.ledger = transfer->ledger;
        } else {
            auto const code = std::get<Refusal>(item).code;
            answer.items.push_back(static_cast<std::int16_t>(code));
        }
    }
}

void add_keys_of(Envelope const& envelope, KeySet& keys) {
    if (envelope.key_use) keys.keys.insert(envelope.key_use->key);
    std::visit([&](auto const& command) { add_keys(command, envelope, keys); }, envelope.command);
}

Outcome decide(WorkingSet& set, Envelope const& envelope) {
    if (envelope.key_use)
        if (auto known = decide_by_key(set, *envelope.key_use)) return *std::move(known);
    auto const before = set.mark();
    auto outcome = std::visit([&](auto const& command) { return apply(set, envelope, command); },
                              envelope.command);
    if (auto const* receipt = std::get_if<Receipt>(&outcome))
        record(set, envelope, *receipt);
    else
        set.undo(before);
    return outcome;
}

}  // namespace penstock::domain
