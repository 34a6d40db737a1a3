// Transfers on hot ledgers, one by one or in bulk; the servers of --against have durable ones.
#include "bench/scenarios/scenarios.hpp"

namespace penstock::bench {

std::unique_ptr<Scenario> make_hot(ScenarioContext context) {
    context.options.posted = context.compared_with ? Posted::durable : Posted::hot;
    bool const alone = context.options.batch == 1;
    return alone ? make_transfers(std::move(context)) : make_bulk(std::move(context));
}

}  // namespace penstock::bench
