// What a shop does while its sale is on: orders cancelled and stock added, and what it was told.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/judgement.hpp"
#include "bench/sale/books.hpp"

namespace penstock::bench::sale {

/// One request of the shop's, under one key.
struct Act {
    enum class Kind : std::uint8_t { cancel, restock };
    Kind kind = Kind::cancel;
    std::uint32_t attempt = 0;   ///< cancel: of whose order
    std::uint32_t quantity = 0;  ///< restock: units
    Fate fate = Fate::unanswered;
    bool ever_unanswered = false;
    std::string request;  ///< all of its bytes
    std::string answer;   ///< the body of the first 200
};

class Upkeep {
public:
    std::uint32_t begin(Act act);
    Act const& at(std::uint32_t number) const { return acts_[number]; }
    std::vector<std::uint32_t> with_fate(Fate fate) const;

    /// A 200: the books are told at the first one. Returns what contradicts the request, or the
    /// first 200 under that key.
    std::optional<std::string> acknowledge(std::uint32_t number, std::string_view body,
                                           SaleBooks& books);
    void lost(std::uint32_t number) { acts_[number].ever_unanswered = true; }
    void wrong(std::uint32_t number, std::string_view answer);

    /// What it came to: orders cancelled, units added.
    std::uint64_t cancelled() const { return cancelled_; }
    std::int64_t restocked() const { return restocked_; }

    /// What everybody was told. Whether it is so, the books know.
    void judge(Judgement& result) const;

private:
    std::string describe(Act const& act) const;

    std::vector<Act> acts_;
    std::uint64_t cancelled_ = 0;
    std::int64_t restocked_ = 0;
};

}  // namespace penstock::bench::sale
