// What a client may ask of a ledger of credits, at random: on few addresses, so that they meet.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "domain/command.hpp"

namespace penstock::tests {

/// The last one is an issuer, where a test makes it one.
inline constexpr std::array credit_addresses{"ann", "bob", "cid", "mint"};

/// `below(n)`: from 0 to n − 1, the caller's randomness.
template <class Below>
std::string some_credit_address(Below&& below) {
    return credit_addresses[static_cast<std::size_t>(below(credit_addresses.size()))];
}

/// Each of the addresses may be an issuer, or none.
template <class Below>
std::vector<std::string> some_issuers(Below&& below) {
    std::vector<std::string> issuers;
    for (auto const* address : credit_addresses)
        if (below(3) == 0) issuers.emplace_back(address);
    return issuers;
}

/// A grant, an expense, a transfer or a change of the policies: how lots are drained, who mints.
template <class Below>
domain::Command some_credit_command(Below&& below, domain::LedgerId ledger, std::string reference,
                                    domain::Instant now) {
    using namespace domain;
    std::vector<CreditDraft> entries;
    for (auto left = 1 + below(4); left > 0; --left) {
        CreditDraft entry;
        entry.address = credit_addresses[static_cast<std::size_t>(below(3))];
        entry.amount = static_cast<Amount>(1 + below(60));
        if (below(3) != 0)
            entry.expires_at = Instant{now.ms + 1'000 + static_cast<Amount>(below(30)) * 1'000};
        entries.push_back(std::move(entry));
    }
    switch (below(6)) {
        case 0:
        case 1:
            return GrantCredits{ledger, std::move(reference), std::move(entries)};
        case 2:
        case 3: {
            for (auto& entry : entries) entry.expires_at.reset();
            bool const allow_partial = below(2) == 0;
            return SpendCredits{ledger, std::move(reference), std::move(entries), allow_partial};
        }
        case 4: {
            auto from = some_credit_address(below);
            return TransferCredits{ledger, std::move(reference), std::move(from),
                                   std::move(entries)};
        }
        default: {
            ChangeLedger change{ledger, {}, {}, {}};
            if (below(3) != 0) change.drain = below(2) == 0 ? Drain::emission : Drain::expiration;
            if (below(2) == 0) change.issuers = some_issuers(below);
            return change;
        }
    }
}

}  // namespace penstock::tests
