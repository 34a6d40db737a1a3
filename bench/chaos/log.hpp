// Who was told what, and does the ledger agree: the oracle of a round of faults. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/books.hpp"
#include "bench/judgement.hpp"
#include "bench/random.hpp"

namespace penstock::bench::chaos {

enum class Deed : std::uint8_t {
    transfer,
    purchase,
    refund,
    deposit,
    hold,
    capture,
    void_hold,
    too_much,  ///< by somebody without money: must be refused
};

enum class Fate : std::uint8_t {
    unanswered,    ///< sent, and no answer says what became of it
    acknowledged,  ///< 2xx
    refused,       ///< certainly not applied, each time that it was sent
    wrong,         ///< an answer that it does not deserve
};

/// One request under one key, from the first time it was sent to the end of the round.
struct Entry {
    Deed deed = Deed::transfer;
    Fate fate = Fate::unanswered;
    Posting posting;
    std::uint32_t original = 0;  ///< a refund, a capture, a void: of which entry
    bool expires = false;        ///< a hold, or what ends one: the server may have ended it
    int expected_status = 201;
    bool ever_unanswered = false;
    std::string request;  ///< all of its bytes, for it is sent again as it was
    std::string answer;   ///< the body of the first 2xx
};

/// What a ledger shows of one reference: how many effects, and the last one's id and status.
struct Trace {
    std::uint32_t effects = 0;
    std::string id;
    std::string status;
};

/// By reference; an entry's is its number, see reference_of(). Holds by payee_of(), and what was
/// captured of one by captures_of().
using Traces = std::map<std::string, Trace>;

class Log {
public:
    /// The number of the new entry.
    std::uint32_t begin(Entry entry);
    Entry& at(std::uint32_t number) { return entries_[number]; }
    Entry const& at(std::uint32_t number) const { return entries_[number]; }
    std::size_t size() const { return entries_.size(); }

    static std::string reference_of(std::size_t number) { return "e" + std::to_string(number); }
    /// Every hold is for somebody of its own.
    static std::string payee_of(std::size_t number) { return "hold:" + reference_of(number); }
    static std::string captures_of(std::string const& payee) { return "captures of " + payee; }

    /// A 2xx came. False: its first 2xx said something else.
    bool acknowledge(std::uint32_t number, std::string_view body);

    /// An acknowledged purchase that nobody has asked to refund; it is not given out again.
    std::optional<std::uint32_t> take_refundable(Random& random);
    /// An acknowledged hold that nobody has asked to end; it is not given out again.
    std::optional<std::uint32_t> take_open_hold(Random& random);

    std::vector<std::uint32_t> with_fate(Fate fate) const;

    /// Compares every entry of that book with what its ledger shows.
    Judgement judge(Traces const& traces, std::uint32_t book = 0) const;

private:
    std::uint32_t effects_of(std::size_t number, Traces const& traces) const;
    std::map<std::uint32_t, std::string> expected_ends() const;
    void judge_holds(Traces const& traces, std::uint32_t book, Judgement& result) const;

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> refundable_;
    std::vector<std::uint32_t> open_holds_;
};

}  // namespace penstock::bench::chaos
