// The results for a terminal, and whether the run was sound.
#include "bench/report.hpp"

namespace penstock::bench {
namespace {

std::string rate_row(char const* label, std::uint64_t accepted, double seconds,
                     Histogram const& latency) {
    return latency_row(label, rate_text(per_second(accepted, seconds)) + "/s", latency);
}

std::string open_loop_row(Stats const& stats) {
    if (stats.scheduled == 0) return {};
    return format("  %-28s %llu due, %llu never sent: no connection came free\n", "arrivals",
                  static_cast<unsigned long long>(stats.scheduled),
                  static_cast<unsigned long long>(stats.not_sent));
}

std::string verdict_rows(ArmResult const& arm) {
    auto const& stats = arm.stats;
    std::string out;
    out += fault_rows("FAULT", stats.faults);
    if (stats.unresolved > 0) {
        out += "  FAULT " + std::to_string(stats.unresolved) + " requests of unknown fate\n";
    }
    out += fault_rows("OFF  ", arm.off);
    if (arm.off.empty()) out += "  books agree with every acknowledged amount\n";
    return out;
}

std::string arm_table(ArmResult const& arm, RunResult const& result) {
    auto const& stats = arm.stats;
    double const seconds = stats.seconds();
    std::string out = "\n" + arm.url + "  " + arm.server + "\n";
    out += latency_head("throughput");
    for (auto const& route : stats.routes) {
        out += rate_row(route.label.c_str(), route.accepted, seconds, route.latency);
    }
    if (stats.routes.size() > 1) {
        out += rate_row("all", stats.accepted(), seconds, stats.latency());
    }
    if (stats.units() != stats.accepted()) {
        out += format("  %-28s %10s/s\n", result.unit.c_str(),
                      rate_text(per_second(stats.units(), seconds)).c_str());
    }
    out += open_loop_row(stats);
    out += counts_row("turned away", stats.refused);
    out += counts_row("unclear at first", stats.unclear);
    out += counts_row("wrong answers", stats.wrong);
    if (stats.resent > 0) {
        out += "  sent again under the same key: " + std::to_string(stats.resent) + "\n";
    }
    for (auto const& [name, value] : arm.figures) out += figure_row(name, value);
    return out + verdict_rows(arm);
}

std::string share_text(Options const& o) {
    std::string const target = format("%.2f", o.repeat);
    return o.repeat_against ? target + " against " + format("%.2f", *o.repeat_against) : target;
}

std::string sale_text(SaleOptions const& sale) {
    if (sale.load == SaleLoad::refused) return ": attempts on what is sold out, against /healthz";
    std::string out = ": accepted orders of " + std::to_string(sale.products) + " product(s)";
    if (!sale.paid) return out + ", each by another user";
    return out + ", paid by " + std::to_string(sale.users) + " users in turn";
}

std::string credits_text(Options const& o) {
    std::string const order = std::string(", lots pay by ") + name_of(o.credits.drain);
    if (o.scenario == "credits-wide")
        return ": " + std::to_string(o.credits.width) + " entries in a request" + order;
    std::string const each = std::to_string(o.accounts) + " addresses";
    if (o.scenario == "credits-reads")
        return ": balances of " + each + " of " + (o.ledger.empty() ? "a new ledger" : o.ledger) +
               ", against plain accounts";
    return std::string(", ") + name_of(o.pattern) + ", " + each + " in each of " +
           std::to_string(o.ledgers) + " ledger(s), " + format("%.2f", o.credits.spend) +
           " of the requests are expenses" + order;
}

std::string ratio_row(char const* label, Spread const& spread) {
    return format("  %-28s median %7.3f   min %7.3f   max %7.3f\n", label, spread.median,
                  spread.min, spread.max);
}

}  // namespace

bool ArmResult::sound() const {
    bool const answers = stats.fault_count == 0 && stats.wrong.empty();
    return answers && stats.unresolved == 0 && off.empty();
}

bool RunResult::sound() const {
    for (auto const& arm : arms) {
        if (!arm.sound()) return false;
    }
    return true;
}

std::string conditions(RunResult const& result) {
    auto const& o = result.options;
    std::string out = o.scenario;
    bool const told_as = o.scenario == "retail" || o.scenario == "replays";
    if (told_as) out += std::string(" as ") + name_of(o.as);
    bool const sale = o.scenario == "sale";
    if (sale) out += sale_text(o.sale);
    bool const credits = o.scenario.starts_with("credits");
    if (credits) out += credits_text(o);
    if (o.scenario != "retail" && o.scenario != "flat" && o.scenario != "export" && !sale &&
        !credits) {
        out += std::string(", ") + name_of(o.pattern) + ", " + std::to_string(o.accounts) +
               " accounts in each of " + std::to_string(o.ledgers) + " ledger(s)";
    }
    bool const many = o.scenario == "bulk" || (o.scenario == "hot" && o.batch > 1);
    if (many) out += ", " + std::to_string(o.batch) + " transfers per request";
    bool const beside = o.scenario == "hot" && !result.comparisons.empty();
    if (beside) out += ", against durable ledgers";
    if (o.scenario == "replays") out += ", share of repeated keys " + share_text(o);
    out += ", " + std::to_string(o.connections) + " connections";
    out += o.rate > 0 ? ", open loop at " + rate_text(o.rate) + "/s" : ", closed loop";
    return out;
}

std::string table(RunResult const& result) {
    std::string out = conditions(result) + "\n";
    for (auto const& arm : result.arms) {
        out += arm_table(arm, result);
        out += format("  %-28s %.1f s\n", "measured", arm.stats.seconds());
    }
    for (auto const& comparison : result.comparisons) {
        auto const& ratios = comparison.ratios;
        out += "\ntarget ÷ " + comparison.against + ", over " + std::to_string(ratios.pairs) +
               " pairs of slices\n";
        out += ratio_row("throughput", ratios.throughput);
        out += ratio_row("p50", ratios.p50);
        out += ratio_row("p99", ratios.p99);
        out +=
            format("  %-28s        %7.3f\n", "throughput of all slices", ratios.throughput_of_all);
    }
    out += format("\ngenerator: %.0f %% of one core\n", result.generator_cpu * 100);
    return out;
}

}  // namespace penstock::bench
