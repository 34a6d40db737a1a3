// Under which names a hot ledger lies in Redis: all of one ledger under one hash tag.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cache/hex.hpp"
#include "domain/ids.hpp"

namespace penstock::cache {

/// The parts, beside a record for every idempotency key:
///   books    hash    '#' the ledger's line, '#epoch', '#drained', '#removed', '#flushed'
///                    (when balances last came home), '#unmended' (the store is to be looked
///                    through); address → account
///   journal  stream  position-0 → entry, in the group `drain`
///   due      zset    address → since when its account differs from the store's, in ms
///   claimed  zset    address → when its claim ends, in ms; no address is in both
///   owners   hash    address → token of whoever claimed it
///   holds    hash    id → hold; one that has ended stays until it is drained
///   dead     stream  what could not be drained or synced, and why
/// A sorted set and a hash that exist have a member without a name, so that one that was lost is
/// noticed: `due` at infinity, `holds` with the base of the books.
class HotKeys {
public:
    /// `database`: two installations on one Redis do not see each other's.
    explicit HotKeys(domain::Uuid const& database) : head_("ps:{" + database.to_string() + ':') {}

    std::string part(domain::LedgerId const& ledger, std::string_view name) const {
        std::string key = head_ + ledger.to_string() + "}:";
        return key.append(name);
    }
    std::vector<std::string> parts(domain::LedgerId const& ledger,
                                   std::initializer_list<std::string_view> names) const {
        std::vector<std::string> keys;
        for (auto const name : names) keys.push_back(part(ledger, name));
        return keys;
    }
    std::string record(domain::LedgerId const& ledger, domain::IdempotencyKey const& key) const {
        return part(ledger, "key:" + hex_of(key.value.bytes));
    }

private:
    std::string head_;
};

}  // namespace penstock::cache
