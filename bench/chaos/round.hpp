// One round of faults: load on fresh ledgers, blows meanwhile, then every effect is looked up.
#pragma once

#include <string>
#include <vector>

#include "bench/chaos/crew.hpp"
#include "bench/chaos/deeds.hpp"
#include "bench/chaos/log.hpp"
#include "bench/chaos/stage.hpp"
#include "bench/funded_ledgers.hpp"

namespace penstock::bench::chaos {

/// What was sold in rounds of flash sales.
struct SaleSums {
    std::int64_t stock = 0;
    std::int64_t sold = 0;
    std::int64_t rest = 0;  ///< units that were left when all was settled, and then bought
    std::int64_t over_sold = 0;
    std::uint64_t over_limit = 0;  ///< users
    std::uint64_t cancelled = 0;   ///< orders, while the crowd came
    std::int64_t restocked = 0;    ///< units, the same
};

struct RoundResult {
    Judgement judgement;
    CrewResult crew;
    SaleSums sales;
    std::vector<std::string> off;  ///< of the books

    bool sound() const {
        bool const within = sales.over_sold == 0 && sales.over_limit == 0;
        return judgement.sound() && within && crew.replays_different == 0 && off.empty();
    }
};

class Round final : public Cargo {
public:
    Round(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage, Options const& options,
          std::string name, std::uint64_t seed);
    Round(Round&&) = delete;

    asio::awaitable<RoundResult> play();

    asio::awaitable<std::optional<std::uint32_t>> next() override;
    std::string const& request(std::uint32_t number) const override;
    void attack_is_over() override { stopping_ = true; }
    Word take_answer(std::uint32_t number, Response const& response) override;
    void lost(std::uint32_t number) override { log_.at(number).ever_unanswered = true; }
    Replay compare(std::uint32_t number, Response const& response) override;

private:
    std::uint32_t think_of_one();

    asio::awaitable<Traces> read_traces(std::uint32_t book);
    enum class By { reference, payee, captured_payee };
    asio::awaitable<void> read_list(std::string path, By by, Traces& traces);
    asio::awaitable<void> come_home();
    asio::awaitable<void> await_expiry(std::uint32_t book);
    asio::awaitable<void> compare_books();
    void note_difference(std::string difference);

    Stage& stage_;
    Options options_;
    Trade trade_;
    Random random_;
    Random keys_;
    FundedLedgers ledgers_;
    Client client_;
    Log log_;
    Deeds deeds_;
    Crew crew_;
    RoundResult result_;
    std::uint64_t changed_answers_ = 0;  ///< 2xx that differ from the first one
    bool stopping_ = false;
};

}  // namespace penstock::bench::chaos
