// What every event of a ledger has.
#include "domain/event.hpp"

namespace penstock::domain {

Event make_event(WorkingSet& set, Ledger const& ledger, EventType type, Uuid subject,
                 Party const& account, Party const& counterparty, std::uint64_t nonce) {
    Event event;
    event.id = {set.next_id(nonce)};
    event.organization = ledger.organization;
    event.ledger = ledger.id;
    event.type = type;
    event.subject = subject;
    event.account = account.account;
    event.counterparty = counterparty.account;
    return event;
}

}  // namespace penstock::domain
