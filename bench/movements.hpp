// One transfer or one purchase per request, on funded ledgers: what several scenarios send.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bench/funded_ledgers.hpp"
#include "bench/response_parser.hpp"
#include "bench/scenario.hpp"
#include "bench/target.hpp"

namespace penstock::bench {

class Movements {
public:
    Movements(std::string name, ScenarioContext const& context, As as);

    /// "POST transfers", "transfers".
    std::string route() const { return std::string("POST ") + name_of(as_); }
    std::string unit() const { return name_of(as_); }

    asio::awaitable<void> setup(Client& client) { return ledgers_.setup(client); }

    /// A new movement under a new key.
    void next(Call& call);
    std::optional<std::string> on_answer(Call const& call, Response const& response);

    asio::awaitable<std::vector<std::string>> check(Client& client) {
        return ledgers_.check(client);
    }
    asio::awaitable<void> watch(Client& client, std::stop_token over) {
        return ledgers_.watch(client, std::move(over));
    }
    Figures figures() const { return ledgers_.figures(); }

private:
    As as_;
    FundedLedgers ledgers_;
    std::vector<PostRoute> routes_;
    std::string body_;
    Random keys_;
};

}  // namespace penstock::bench
