// One round of faults on a flash sale: a crowd at its start, blows meanwhile, and then: was more
// sold than there was, was anything lost, does the gate agree.
#pragma once

#include <string>
#include <vector>

#include "bench/chaos/round.hpp"
#include "bench/sale/crowd.hpp"
#include "bench/sale/shop.hpp"

namespace penstock::bench::chaos {

class SaleRound final : public Cargo {
public:
    SaleRound(asio::any_io_executor executor, Sweeper& sweeper, Stage& stage,
              Options const& options, std::string name, std::uint64_t seed);
    SaleRound(SaleRound&&) = delete;

    asio::awaitable<RoundResult> play();

    asio::awaitable<std::optional<std::uint32_t>> next() override;
    std::string const& request(std::uint32_t number) const override { return requests_[number]; }
    Word take_answer(std::uint32_t number, Response const& response) override;
    void lost(std::uint32_t number) override { shop_.books().lost(number); }
    Replay compare(std::uint32_t number, Response const& response) override;

private:
    asio::awaitable<void> set_up();
    asio::awaitable<void> sell_the_rest();
    void note(std::optional<std::string> fault);

    Stage& stage_;
    Options options_;
    Random random_;
    Client client_;
    sale::Shop shop_;
    sale::Crowd crowd_;
    Crew crew_;
    SteadyTime start_{};
    std::vector<std::string> requests_;  ///< by attempt
    std::size_t next_ = 0;
    RoundResult result_;
};

}  // namespace penstock::bench::chaos
