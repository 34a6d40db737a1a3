// The rows of a credits ledger: what was asked for, the history, and the lots that follow from it.
#pragma once

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/model.hpp"

namespace penstock::domain {

/// The number is what the store keeps: append, never renumber.
enum class CreditKind : std::int16_t { grant = 1, expense = 2, transfer = 3 };
BOOST_DESCRIBE_ENUM(CreditKind, grant, expense, transfer)

/// How far a credits ledger is. Every batch that changes its credits holds this row's lock and
/// begins behind `last`, whatever its server's clock says: so within the ledger ids ascend in the
/// order of decision, and time never goes back.
struct CreditLedger {
    LedgerId ledger;
    CreditOperationId last;  ///< of an operation, or of an expiry recorded; all 0: none yet

    bool operator==(CreditLedger const&) const = default;
};

/// One request, with all that a replay of the history needs to know beside the entries.
struct CreditOperation {
    CreditOperationId id;  ///< UUIDv7 of created_at; order of ids is order of decision
    LedgerId ledger;
    CreditKind kind = CreditKind::grant;
    std::string reference;
    std::optional<Party> sender = {};  ///< of a transfer
    /// The sender was an issuer: not debited, and no lot of its caps what was sent.
    bool minted = false;
    Drain drain = Drain::emission;  ///< the ledger's policy at that moment
    std::optional<KeyUse> key_use = {};

    Instant created_at() const { return instant_of(id.value); }
    bool operator==(CreditOperation const&) const = default;
};

/// One signed row of the history; immutable. The entries of an operation stand in request order;
/// the sender of a transfer follows them.
struct CreditEntry {
    LedgerId ledger;
    CreditOperationId operation;
    std::int32_t index = 0;  ///< within the operation
    CreditKind kind = CreditKind::grant;
    std::string reference;
    Party party;
    Amount amount = 0;     ///< signed: what the address has more
    Amount shortfall = 0;  ///< of a partial expense: what was wanted and not there
    std::optional<Instant> expires_at = {};  ///< as requested

    Instant created_at() const { return instant_of(operation.value); }
    bool operator==(CreditEntry const&) const = default;
};

/// Where a lot stands in the order of granting: its operation, and its place within that.
struct LotPlace {
    CreditOperationId operation;
    std::int32_t index = 0;

    auto operator<=>(LotPlace const&) const = default;
};

struct Lot {
    LedgerId ledger;
    Party party;
    LotPlace place;
    Amount amount = 0;
    Amount remaining = 0;
    std::optional<Instant> expires_at = {};  ///< nullopt: never
    /// False once it is drained, or once its expiry is recorded: reads pass it by.
    bool is_open = true;

    Instant granted_at() const { return instant_of(place.operation.value); }
    bool operator==(Lot const&) const = default;
};

/// What an answer says of an operation: a lot made (grants, transfers) or an entry served.
struct CreditLine {
    std::string address;
    std::int32_t index = 0;
    Amount amount = 0;
    Amount shortfall = 0;
    std::optional<Instant> expires_at = {};

    bool operator==(CreditLine const&) const = default;
};

/// An operation as its answer shows it, the first time and ever after.
struct Credited {
    CreditOperation operation;
    std::vector<CreditLine> lines;  ///< in request order

    bool operator==(Credited const&) const = default;
};

}  // namespace penstock::domain
