// What clients may ask of payment streams, at random, and what must become of each: the rules told
// a second time, by a table of its own and a stopwatch, from the answers alone.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "db/activity.hpp"
#include "db/store.hpp"
#include "domain/stream.hpp"

namespace penstock::tests {

class StreamModel {
public:
    /// `below(n)`: from 0 to n − 1, the caller's randomness.
    using Below = std::function<std::int64_t(std::int64_t)>;

    explicit StreamModel(Below below) : below_{std::move(below)} {}

    /// A draft between these two, or an action on a stream of any ledger, as likely legal as not.
    domain::Command command(domain::LedgerId ledger, std::string sender, std::string recipient,
                            domain::Amount total);

    /// What was decided at `at`, and committed: in the order of commits, each request once.
    /// Commands that are not about streams are let pass.
    void learn(domain::Command const& command, domain::Outcome const& outcome, domain::Instant at);

    /// One action for each stream that is not over, towards its end.
    std::vector<domain::Command> ends() const;

    /// The rows, the list and the feed of every stream are what the answers have said.
    asio::awaitable<void> check_store(db::Store& store, domain::OrganizationId organization) const;

    /// What can befall a stream, and what has.
    static std::set<std::string> const& all_cases();
    std::set<std::string> const& seen_cases() const { return seen_; }

private:
    /// Rows of the table of transitions.
    enum State : std::uint8_t {
        draft,
        active,
        paused,
        ended,
        settled,
        withdrawn,
        cancelled,
        deleted
    };
    struct Row {
        char const* name;
        char const* cells;  ///< by action: c changes, = is without effect, - is illegal
    };
    static Row const table[];

    struct Happened {
        domain::Instant at;
        db::ActivityType type;

        auto operator<=>(Happened const&) const = default;
    };

    /// A stream as it was acknowledged.
    struct Life {
        domain::Stream made;  ///< as a path named it, long ago
        domain::Stream now;
        State state = draft;
        std::chrono::milliseconds ran{};           ///< while it vested, up to the last stop
        std::optional<domain::Instant> runs_from;  ///< while it vests
        bool was_started = false;
        domain::Amount released = 0;
        domain::Amount refunded = 0;
        std::vector<Happened> feed;

        domain::Amount vested(domain::Instant at) const;
        void stop_vesting(domain::Instant at);
    };

    domain::Command some_draft(domain::LedgerId ledger, std::string sender, std::string recipient,
                               domain::Amount total);
    Life const& some_life();
    void learn_draft(domain::CreateStream const& command, domain::Outcome const& outcome);
    void learn_act(domain::ActOnStream const& command, domain::Outcome const& outcome,
                   domain::Instant at);
    void check_refusal(Life const& life, domain::ActOnStream const& command,
                       std::string const& refusal, domain::Instant at);
    void apply(Life& life, domain::ActOnStream const& command, domain::Instant at);
    void pay_out(Life& life, std::optional<domain::Amount> wanted, domain::Instant at);
    void end(Life& life, State to, domain::Instant at);
    static void compare(Life const& life, domain::Streamed const& streamed);

    Below below_;
    std::vector<Life> lives_;
    std::map<domain::StreamId, std::size_t> places_;
    std::set<std::string> seen_;
};

}  // namespace penstock::tests
