// What a load consists of: the one interface that a new scenario implements.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bench/call.hpp"
#include "bench/client.hpp"
#include "bench/options.hpp"
#include "bench/response_parser.hpp"
#include "bench/target.hpp"

namespace penstock::bench {

/// What next() found.
enum class Next {
    ready,  ///< the call is filled in
    wait,   ///< nothing may start before an answer arrives
    done,   ///< nothing will ever start again
};

/// Lines of the report: a name and a value.
using Figures = std::vector<std::pair<std::string, std::string>>;

/// One load against one server. Everything runs on one thread: setup, then next() and on_answer()
/// in any interleaving, then check() when no request is in flight.
class Scenario {
public:
    virtual ~Scenario() = default;

    /// Labels of the routes, each with latencies of its own; Call::route is an index.
    virtual std::vector<std::string> routes() const = 0;
    /// What one unit is: "transfers".
    virtual std::string unit() const = 0;

    virtual asio::awaitable<void> setup(Client& client) = 0;

    /// Fills `call`, whose strings and vectors keep their memory from call to call.
    virtual Next next(Call& call) = 0;

    /// The call was acknowledged: book it. Returns what contradicts the request in the answer.
    virtual std::optional<std::string> on_answer(Call const& call, Response const& response) = 0;

    /// The call was refused for good, or given up: it will not be sent again.
    virtual void on_failure(Call const& call) { (void)call; }

    /// Looks at the server beside a measured slice, on a connection without other work, until
    /// `over` is asked for. Throws nothing.
    virtual asio::awaitable<void> watch(Client& client, std::stop_token over) {
        (void)client, (void)over;
        co_return;
    }

    /// How many calls next() could give out now, for connections that wait.
    virtual std::size_t available() const { return 0; }

    /// Every call must be accepted in the end: refused ones are sent again under their key.
    virtual bool must_finish() const { return false; }

    /// What is off in the server's books, in words; empty when all is as acknowledged.
    virtual asio::awaitable<std::vector<std::string>> check(Client& client) = 0;

    virtual Figures figures() const { return {}; }
};

/// Everything a scenario is made from.
struct ScenarioContext {
    Target target;
    Options options;
    std::string run_id;  ///< makes the names of this run's ledgers unique
    std::uint64_t key_seed = 0;
    bool compared_with = false;  ///< a server of --against
};

/// Throws Unusable for input that cannot be read. The name has been checked.
std::unique_ptr<Scenario> make_scenario(ScenarioContext context);

}  // namespace penstock::bench
