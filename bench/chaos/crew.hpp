// Who carries a round's requests to the servers: connections that lose some, and ask again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/chaos/stage.hpp"
#include "bench/connection.hpp"
#include "bench/random.hpp"

namespace penstock::bench::chaos {

/// What is carried: numbered requests, each under one key, and whoever keeps the log of them.
class Cargo {
public:
    enum class Word { final, unknown };
    enum class Replay { same, different, unclear };

    virtual ~Cargo() = default;

    /// The next one to send, when its time has come; nothing: the load is over.
    virtual asio::awaitable<std::optional<std::uint32_t>> next() = 0;

    /// Everything works again, and stays so until the end of the round.
    virtual void attack_is_over() {}

    virtual std::string const& request(std::uint32_t number) const = 0;

    /// An answer: does it say what became of the request?
    virtual Word take_answer(std::uint32_t number, Response const& response) = 0;

    /// It was sent, and nobody knows what became of it.
    virtual void lost(std::uint32_t number) = 0;

    /// The answer to an acknowledged request that was sent once more.
    virtual Replay compare(std::uint32_t number, Response const& response) = 0;
};

/// What the time was spent on in which a key gave no verdict.
struct Waits {
    std::chrono::nanoseconds silent{0};     ///< nobody answered, and the pauses after that
    std::chrono::nanoseconds in_flight{0};  ///< 409: another request has that key
    std::chrono::nanoseconds unable{0};     ///< any other answer that says nothing
    std::chrono::nanoseconds verdict{0};    ///< the request that was answered at last
};

struct CrewResult {
    std::uint64_t sent = 0;               ///< attempts, the repeated ones included
    std::uint64_t replays_compared = 0;   ///< acknowledged keys that were sent once more
    std::uint64_t replays_different = 0;  ///< and came back as something else
    /// How long a key gave no verdict: since its request was lost, and since any server answered
    /// it again with anything at all.
    std::chrono::nanoseconds unusable{0};
    std::chrono::nanoseconds unusable_while_answered{0};
    Waits waits;  ///< of the longest one

    void add(CrewResult const& other);
};

class Crew {
public:
    static constexpr std::size_t replays_max = 1000;

    Crew(asio::any_io_executor executor, Sweeper& sweeper, Stage const& stage,
         Options const& options, Cargo& cargo);
    Crew(Crew&&) = delete;
    ~Crew();

    /// Each connection carries what comes next until nothing comes, and from that time on things
    /// are broken meanwhile. Half of the connections ask at once what became of a request that they
    /// lost; the others leave it. Throws Unusable when something does not come back.
    asio::awaitable<void> load(Stage& stage, SteadyTime attack_from);

    /// Each of these is sent until its fate is known.
    asio::awaitable<void> resolve(std::vector<std::uint32_t> numbers);

    /// Some of these, chosen at random, are sent once more.
    asio::awaitable<void> replay(std::vector<std::uint32_t> numbers, Random& random);

    CrewResult const& result() const { return result_; }

private:
    class Loss;
    struct Worker;
    enum class Persistence { may_leave, until_known };

    asio::awaitable<void> drive(Worker& worker);
    asio::awaitable<Cargo::Word> carry(Worker& worker, std::uint32_t number,
                                       Persistence persistence);
    asio::awaitable<void> resolve_some(Worker& worker);
    asio::awaitable<void> replay_some(Worker& worker);

    asio::any_io_executor executor_;
    std::chrono::milliseconds timeout_;
    Cargo& cargo_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::uint32_t> queue_;  ///< what resolve() or replay() has yet to send
    CrewResult result_;
    bool given_up_ = false;
};

}  // namespace penstock::bench::chaos
