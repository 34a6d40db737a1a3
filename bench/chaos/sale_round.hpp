// One round of faults on a flash sale: a crowd at its start, orders cancelled and stock added,
// blows meanwhile, and then: was more sold than there was, was anything lost, does the gate agree.
#pragma once

#include <string>
#include <vector>

#include "bench/chaos/round.hpp"
#include "bench/sale/crowd.hpp"
#include "bench/sale/shop.hpp"
#include "bench/sale/upkeep.hpp"

namespace penstock::bench::chaos {

class SaleRound final : public Cargo {
public:
    SaleRound(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage,
              Options const& options, std::string name, std::uint64_t seed);
    SaleRound(SaleRound&&) = delete;

    asio::awaitable<RoundResult> play();

    asio::awaitable<std::optional<std::uint32_t>> next() override;
    std::string const& request(std::uint32_t number) const override;
    Word take_answer(std::uint32_t number, Response const& response) override;
    void lost(std::uint32_t number) override;
    Replay compare(std::uint32_t number, Response const& response) override;

private:
    asio::awaitable<void> set_up();
    asio::awaitable<void> sell_the_rest();
    std::vector<std::uint32_t> undecided() const;
    std::vector<std::uint32_t> acknowledged() const;
    std::optional<std::uint32_t> think_of_an_act();
    Word take_answer_to_act(std::uint32_t act, Response const& response);
    void note(std::optional<std::string> fault);

    Stage& stage_;
    Options options_;
    Random random_;
    Client client_;
    sale::Shop shop_;
    sale::Upkeep upkeep_;
    sale::Crowd crowd_;
    Crew crew_;
    SteadyTime start_{};
    std::vector<std::string> requests_;  ///< by attempt
    std::size_t next_ = 0;
    std::vector<std::uint32_t> cancellable_;  ///< acknowledged, and not given out yet
    std::uint32_t cancels_ = 0;
    std::uint32_t restocks_ = 0;
    RoundResult result_;
};

}  // namespace penstock::bench::chaos
