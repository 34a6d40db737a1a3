// Which scenario has which name.
#include "bench/scenarios/scenarios.hpp"

namespace penstock::bench {

std::unique_ptr<Scenario> make_scenario(ScenarioContext context) {
    std::string const name = context.options.scenario;
    if (name == "transfers") return make_transfers(std::move(context));
    if (name == "bulk") return make_bulk(std::move(context));
    if (name == "reads") return make_reads(std::move(context));
    if (name == "retail") return make_retail(std::move(context));
    if (name == "purchases") return make_purchases(std::move(context));
    if (name == "replays") return make_replays(std::move(context));
    if (name == "flat") return make_flat(std::move(context));
    if (name == "streams") return make_streams(std::move(context));
    if (name == "sale") return make_sale(std::move(context));
    if (name == "credits") return make_credits(std::move(context));
    if (name == "credits-wide") return make_credits_wide(std::move(context));
    if (name == "credits-reads") return make_credits_reads(std::move(context));
    if (name == "export") return make_export(std::move(context));
    if (name == "hot") return make_hot(std::move(context));
    throw Unusable("unknown scenario " + name);
}

}  // namespace penstock::bench
