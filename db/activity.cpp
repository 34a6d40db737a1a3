// How each kind of happening is called.
#include "db/activity.hpp"

#include <algorithm>

namespace penstock::db {
namespace {

using domain::CreditKind;
using domain::EventType;
using domain::TransferKind;

constexpr ActivityName names[] = {
    {account_created, "account.created"},
    {hold_created, "hold.created"},
    {purchase_completed, "purchase.completed"},
    {product_created, "product.created"},
    {order_completed, "order.completed"},
    {stream_created, "stream.created"},
    {activity_of(CreditKind::grant), "credits.granted"},
    {activity_of(CreditKind::expense), "credits.spent"},
    {activity_of(CreditKind::transfer), "credits.transferred"},
    {activity_of(TransferKind::deposit), "transfer.deposit"},
    {activity_of(TransferKind::withdrawal), "transfer.withdrawal"},
    {activity_of(TransferKind::transfer), "transfer.transfer"},
    {activity_of(TransferKind::revert), "transfer.revert"},
    {activity_of(TransferKind::royalty_author), "transfer.royalty_author"},
    {activity_of(TransferKind::royalty_platform), "transfer.royalty_platform"},
    {activity_of(TransferKind::refund), "transfer.refund"},
    {activity_of(TransferKind::capture), "transfer.capture"},
    {activity_of(TransferKind::stream_funding), "stream.started"},
    {activity_of(TransferKind::stream_withdrawal), "stream.withdrawn"},
    {activity_of(TransferKind::stream_refund), "transfer.stream_refund"},
    {activity_of(TransferKind::stream_payout), "transfer.stream_payout"},
    {activity_of(EventType::hold_captured), "hold.captured"},
    {activity_of(EventType::hold_voided), "hold.voided"},
    {activity_of(EventType::hold_expired), "hold.expired"},
    {activity_of(EventType::purchase_refunded), "purchase.refunded"},
    {activity_of(EventType::credits_expired), "credits.expired"},
    {activity_of(EventType::order_cancelled), "order.cancelled"},
    {activity_of(EventType::product_restocked), "product.restocked"},
    {activity_of(EventType::stream_paused), "stream.paused"},
    {activity_of(EventType::stream_resumed), "stream.resumed"},
    {activity_of(EventType::stream_stopped), "stream.stopped"},
    {activity_of(EventType::stream_settled), "stream.settled"},
    {activity_of(EventType::stream_cancelled), "stream.cancelled"},
    {activity_of(EventType::stream_deleted), "stream.deleted"},
};

}  // namespace

std::span<ActivityName const> activity_names() { return names; }

std::string_view activity_name(ActivityType type) {
    auto const found = std::ranges::find(names, type, &ActivityName::type);
    return found == std::end(names) ? std::string_view() : found->name;
}

}  // namespace penstock::db
