// The scenarios there are. A new one is a file here, a line here, and its name in make.cpp.
#pragma once

#include <memory>

#include "bench/scenario.hpp"

namespace penstock::bench {

std::unique_ptr<Scenario> make_transfers(ScenarioContext context);
std::unique_ptr<Scenario> make_bulk(ScenarioContext context);
std::unique_ptr<Scenario> make_reads(ScenarioContext context);
std::unique_ptr<Scenario> make_retail(ScenarioContext context);
std::unique_ptr<Scenario> make_purchases(ScenarioContext context);
std::unique_ptr<Scenario> make_replays(ScenarioContext context);
std::unique_ptr<Scenario> make_flat(ScenarioContext context);
std::unique_ptr<Scenario> make_streams(ScenarioContext context);
std::unique_ptr<Scenario> make_sale(ScenarioContext context);
std::unique_ptr<Scenario> make_credits(ScenarioContext context);
std::unique_ptr<Scenario> make_credits_wide(ScenarioContext context);
std::unique_ptr<Scenario> make_credits_reads(ScenarioContext context);
std::unique_ptr<Scenario> make_export(ScenarioContext context);
std::unique_ptr<Scenario> make_hot(ScenarioContext context);

}  // namespace penstock::bench
