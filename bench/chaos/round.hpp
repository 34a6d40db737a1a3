// One round of faults: load on fresh ledgers, blows meanwhile, then every effect is looked up.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/chaos/log.hpp"
#include "bench/chaos/stage.hpp"
#include "bench/funded_ledgers.hpp"

namespace penstock::bench::chaos {

struct RoundResult {
    Judgement judgement;
    std::uint64_t sent = 0;               ///< attempts, the repeated ones included
    std::uint64_t replays_compared = 0;   ///< acknowledged keys that were sent once more
    std::uint64_t replays_different = 0;  ///< and came back as something else
    std::vector<std::string> off;         ///< of the books
    /// How long a key gave no verdict: since its request was lost, and since any server answered
    /// it again with anything at all.
    std::chrono::nanoseconds unusable{0};
    std::chrono::nanoseconds unusable_while_answered{0};

    bool sound() const { return judgement.sound() && replays_different == 0 && off.empty(); }
};

class Round {
public:
    Round(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage, Options const& options,
          std::string name, std::uint64_t seed);
    Round(Round&&) = delete;
    ~Round();

    asio::awaitable<RoundResult> play();

private:
    struct Worker;
    enum class Persistence { may_leave, until_known };

    asio::awaitable<void> drive(Worker& worker);
    asio::awaitable<void> carry(Worker& worker, std::uint32_t number, Persistence persistence);
    std::uint32_t think_of_one();
    void write(Entry& entry, std::uint32_t number, std::string const& route, std::string body);

    enum class Word { final, unknown };
    Word take_answer(Connection const& connection, std::uint32_t number, End end);

    asio::awaitable<void> attack();
    asio::awaitable<void> load();
    asio::awaitable<void> resolve();
    asio::awaitable<void> resolve_some(Worker& worker);
    asio::awaitable<void> replay();
    asio::awaitable<void> replay_some(Worker& worker);
    asio::awaitable<Traces> read_traces(std::uint32_t book);
    asio::awaitable<void> read_list(std::string path, Traces& traces);
    asio::awaitable<void> compare_books();

    asio::any_io_executor executor_;
    Stage& stage_;
    Options options_;
    Random random_;
    Random keys_;
    FundedLedgers ledgers_;
    Client client_;
    Log log_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::uint32_t> queue_;  ///< entries that resolve() or replay() has yet to send
    RoundResult result_;
    bool stopping_ = false;
};

}  // namespace penstock::bench::chaos
