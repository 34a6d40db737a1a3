// Who may be made, and what is made with it.
#include "domain/organization.hpp"

#include <string_view>

namespace penstock::domain {
namespace {

/// The accounts that every money ledger has from its first day.
void add_system_account(WorkingSet& set, Envelope const& envelope, LedgerId ledger,
                        std::string_view address) {
    Account account;
    account.id = {set.next_id(envelope.nonce)};
    account.ledger = ledger;
    account.address = address;
    account.created_at = set.now();
    account.standing.updated_at = set.now();
    set.add_account(std::move(account));
}

}  // namespace

Ledger const* find_own_ledger(WorkingSet const& set, Envelope const& envelope, LedgerId id) {
    auto const* ledger = set.find_ledger(id);
    return ledger && ledger->organization == envelope.organization ? ledger : nullptr;
}

void add_keys(CreateOrganization const& command, Envelope const&, KeySet& keys) {
    keys.organization_names.insert(command.name);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateOrganization const& command) {
    if (set.organization_name_taken(command.name))
        return Refusal{Rejection::organization_exists, "/name"};
    Organization organization;
    organization.id = {set.next_id(envelope.nonce)};
    organization.name = command.name;
    organization.created_at = set.now();
    set.add_organization(organization);
    return Receipt{std::move(organization)};
}

void add_keys(CreateApiKey const& command, Envelope const&, KeySet& keys) {
    keys.organizations.insert(command.organization);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateApiKey const& command) {
    if (!set.organization_exists(command.organization))
        return Refusal{Rejection::organization_not_found};
    ApiKey key;
    key.id = {set.next_id(envelope.nonce)};
    key.organization = command.organization;
    key.name = command.name;
    key.scopes = command.scopes;
    key.digest = command.digest;
    key.created_at = set.now();
    set.add_api_key(key);
    return Receipt{std::move(key)};
}

void add_keys(RevokeApiKey const& command, Envelope const&, KeySet& keys) {
    keys.api_keys.insert(command.key);
}

/// Revoking twice is one wish with one end, so the second is no error.
Outcome apply(WorkingSet& set, Envelope const&, RevokeApiKey const& command) {
    auto const* key = set.find_api_key(command.key);
    if (!key || key->organization != command.organization) return Refusal{Rejection::key_not_found};
    if (!key->revoked_at) set.revoke_api_key(command.key);
    return Receipt{Done{}};
}

void add_keys(CreateLedger const& command, Envelope const& envelope, KeySet& keys) {
    keys.ledger_names.insert({envelope.organization, command.draft.name});
}

Outcome apply(WorkingSet& set, Envelope const& envelope, CreateLedger const& command) {
    if (set.ledger_name_taken(envelope.organization, command.draft.name))
        return Refusal{Rejection::ledger_exists, "/name"};
    bool const is_hot = command.draft.posting == Posting::hot;
    if (is_hot && command.draft.kind != LedgerKind::money)
        return Refusal{Rejection::unsupported_on_ledger, "/posting", "Credits are durable."};
    Ledger ledger = command.draft;
    ledger.id = {set.next_id(envelope.nonce)};
    ledger.organization = envelope.organization;
    ledger.created_at = set.now();
    set.add_ledger(ledger);
    if (ledger.kind == LedgerKind::money) {
        add_system_account(set, envelope, ledger.id, world_address);
        add_system_account(set, envelope, ledger.id, platform_address);
    } else {
        set.add_credit_ledger(ledger.id);
    }
    if (is_hot) set.add_hot_ledger(ledger.id);
    return Receipt{std::move(ledger)};
}

void add_keys(ChangeLedger const& command, Envelope const&, KeySet& keys) {
    keys.ledgers_exclusive.insert(command.ledger);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, ChangeLedger const& command) {
    auto const* found = find_own_ledger(set, envelope, command.ledger);
    if (!found) return Refusal{Rejection::ledger_not_found};
    Ledger ledger = *found;
    if (command.drain) ledger.drain = *command.drain;
    if (command.issuers) ledger.issuers = *command.issuers;
    if (command.royalty_percent) ledger.royalty_percent = *command.royalty_percent;
    if (ledger != *found) set.change_ledger(ledger);
    return Receipt{std::move(ledger)};
}

void add_keys(DeleteLedger const& command, Envelope const&, KeySet& keys) {
    keys.ledgers_exclusive.insert(command.ledger);
    if (command.epoch > 0) keys.hot_ledgers.insert(command.ledger);
}

Outcome apply(WorkingSet& set, Envelope const& envelope, DeleteLedger const& command) {
    auto const* ledger = find_own_ledger(set, envelope, command.ledger);
    if (!ledger) return Refusal{Rejection::ledger_not_found};
    auto const* hot = set.find_hot_ledger(command.ledger);
    // Opened again meanwhile: something may have been posted.
    if (ledger->posting == Posting::hot && (!hot || hot->epoch != command.epoch))
        return Refusal{Rejection::ledger_not_empty};
    if (set.ledger_not_empty(command.ledger)) return Refusal{Rejection::ledger_not_empty};
    set.delete_ledger(command.ledger);
    return Receipt{Done{}};
}

}  // namespace penstock::domain
