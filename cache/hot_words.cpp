#include "cache/hot_words.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <utility>

#include "domain/assert.hpp"
#include "domain/hold.hpp"
#include "domain/movement.hpp"

namespace penstock::cache {
namespace {

using Verb = HotItem::Verb;

HotItem item_of(domain::TransferKind kind, domain::Movement const& movement) {
    HotItem item;
    item.from = movement.from;
    item.to = movement.to;
    item.amount = movement.amount;
    item.words = {kind, movement.reference, movement.metadata};
    return item;
}

HotItem end_of(Verb verb, domain::Hold const& hold, domain::Amount amount = 0) {
    HotItem item;
    item.verb = verb;
    item.from = hold.id.to_string();
    item.amount = amount;
    return item;
}

/// Adds the items of a command; false: a hot ledger does not do that.
struct AddItems {
    HotPost& post;

    bool operator()(domain::MoveMoney const& command) const {
        post.items.push_back(item_of(command.kind, command.movement));
        return true;
    }
    bool operator()(domain::MoveInBulk const& command) const {
        for (auto const& movement : command.items)
            post.items.push_back(item_of(domain::TransferKind::transfer, movement));
        post.is_bulk = true;
        post.together = command.atomic;
        return true;
    }
    bool operator()(domain::PlaceHold const& command) const {
        HotItem item;
        item.verb = Verb::hold;
        item.from = command.from;
        item.to = command.to;
        item.amount = command.amount;
        item.term = command.expires_in;
        post.items.push_back(std::move(item));
        return true;
    }
    bool operator()(domain::CaptureHold const& command) const {
        PENSTOCK_ASSERT(command.original);
        post.items.push_back(end_of(Verb::capture, *command.original, command.amount.value_or(0)));
        return true;
    }
    bool operator()(domain::VoidHold const& command) const {
        PENSTOCK_ASSERT(command.original);
        post.items.push_back(end_of(Verb::void_, *command.original));
        return true;
    }
    bool operator()(domain::ExpireHolds const& command) const {
        for (auto const& hold : command.originals) post.items.push_back(end_of(Verb::expire, hold));
        post.together = false;
        return true;
    }
    template <class Other>
    bool operator()(Other const&) const {
        return false;
    }
};

/// The refusal of a command that is one item.
struct Word {
    HotRefused const& refused;

    domain::Refusal operator()(domain::MoveMoney const& command) const {
        domain::Refusal refusal{refused.code};
        if (!refused.where.empty())
            refusal.pointer = domain::pointer_to(command.kind, "/" + refused.where);
        return refusal;
    }
    domain::Refusal operator()(domain::MoveInBulk const&) const {
        return {domain::Rejection::bulk_rejected, "/transfers/" + std::to_string(refused.item),
                boost::describe::enum_to_string(refused.code, "unknown")};
    }
    domain::Refusal operator()(domain::CaptureHold const&) const { return ended("captured"); }
    domain::Refusal operator()(domain::VoidHold const&) const { return ended("voided"); }
    template <class Other>
    domain::Refusal operator()(Other const&) const {
        return plain();
    }

private:
    domain::Refusal plain() const {
        domain::Refusal refusal{refused.code};
        if (!refused.where.empty()) refusal.pointer = "/" + refused.where;
        return refusal;
    }
    domain::Refusal ended(char const* action) const {
        if (refused.code == domain::Rejection::illegal_transition)
            return domain::refuse_transition(action, refused.where);
        return plain();
    }
};

}  // namespace

std::optional<HotPost> post_of(domain::Ledger const& ledger, domain::Envelope const& envelope,
                               domain::Instant now) {
    HotPost post;
    post.ledger = ledger.id;
    post.accounts = ledger.accounts;
    post.key_use = envelope.key_use;
    post.request_id = envelope.request_id;
    post.nonce = envelope.nonce;
    post.now = now;
    if (!std::visit(AddItems{post}, envelope.command)) return std::nullopt;
    return post;
}

domain::Refusal refusal_of(domain::Command const& command, HotRefused const& refused) {
    return std::visit(Word{refused}, command);
}

domain::Receipt receipt_of(HotPosted posted) {
    auto receipt = domain::receipt_of(std::move(posted.entry));
    receipt.replayed = posted.is_replay;
    return receipt;
}

}  // namespace penstock::cache
