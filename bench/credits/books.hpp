// Who was told what about credits, and does the ledger agree: the oracle of a credits ledger. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/credits/lots.hpp"

namespace penstock::bench::credits {

using Address = std::uint32_t;

enum class Deed : std::uint8_t { grant, expense };
char const* name_of(Deed deed);

struct Entry {
    Address address = 0;
    Amount amount = 0;
    std::int64_t expires_ms = never_ms;  ///< of a grant
};

enum class Fate : std::uint8_t { sent, acknowledged, refused };

/// One request, and what its first answer said.
struct Operation {
    Deed deed = Deed::grant;
    Fate fate = Fate::sent;
    std::vector<Entry> entries{};
    std::string id{};
    std::int64_t created_ms = 0;
};

class CreditBooks {
public:
    CreditBooks(std::string ledger, Drain drain) : ledger_(std::move(ledger)), drain_(drain) {}

    std::string const& ledger() const { return ledger_; }
    Drain drain() const { return drain_; }
    Address open(std::string address);  ///< the same number for the same address
    std::string const& address(Address address) const { return addresses_[address]; }
    std::size_t addresses() const { return addresses_.size(); }

    std::optional<Address> find(std::string const& address) const;

    std::uint32_t begin(Deed deed, std::vector<Entry> entries);
    std::vector<Operation> const& operations() const { return operations_; }
    Operation const& at(std::uint32_t number) const { return operations_[number]; }

    /// The body of the operation's request; its reference says which one it is.
    void write_body(std::string& out, std::uint32_t number) const;

    /// A 201. Returns what contradicts the request. The lots of a grant must be the entries, and
    /// an expense must be paid in full.
    std::optional<std::string> acknowledge(std::uint32_t number, std::string_view body);

    /// It was refused for good: nothing of it may be there.
    void refuse(std::uint32_t number) { operations_[number].fate = Fate::refused; }

    std::string reference_of(std::uint32_t number) const { return "op-" + std::to_string(number); }
    /// The operation that a reference belongs to.
    std::optional<std::uint32_t> number_of(std::string_view reference) const;

    /// Acknowledged rows of history.
    std::uint64_t rows() const;
    /// The last instant at which a lot expires that expires at all before `horizon_ms`.
    std::int64_t last_expiry_before(std::int64_t horizon_ms) const;

private:
    std::optional<std::string> read_answer(Operation& operation, std::uint32_t number,
                                           std::string_view body) const;

    std::string ledger_;
    Drain drain_;
    std::vector<std::string> addresses_;
    std::unordered_map<std::string, Address> numbers_;
    std::vector<Operation> operations_;
};

}  // namespace penstock::bench::credits
