#include "bench/options.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "bench/target.hpp"

namespace penstock::bench {
namespace {

namespace po = boost::program_options;

constexpr char const* scenario_names[] = {
    "transfers", "bulk",    "reads",        "retail",        "purchases", "replays", "flat", "idle",
    "sale",      "credits", "credits-wide", "credits-reads", "streams",   "export",  "hot"};

/// The names with what stands between them.
std::string scenario_list(char const* between, char const* last_between) {
    std::string out;
    for (auto const* const name : scenario_names) {
        bool const last = name == *std::rbegin(scenario_names);
        if (!out.empty()) out += last ? last_between : between;
        out += name;
    }
    return out;
}

struct Raw {
    std::string pattern;
    std::string as;
    std::string load;
    std::string drain;
    std::int64_t timeout_ms = 0;
    double repeat_against = 0;
};

Raw raw_of(Options const& options) {
    Raw raw;
    raw.pattern = name_of(options.pattern);
    raw.as = name_of(options.as);
    raw.load = name_of(options.sale.load);
    raw.drain = name_of(options.credits.drain);
    raw.timeout_ms = options.timeout.count();
    return raw;
}

void add_chaos(po::options_description& all, ChaosOptions& o) {
    auto add = all.add_options();
    add("chaos", po::bool_switch(&o.on),
        "purchases, transfers, sale, hot: rounds of load under which things are killed and started "
        "again; "
        "then every request's effect is looked up");
    add("rounds", po::value(&o.rounds)->default_value(o.rounds), "chaos: how many");
    add("server", po::value(&o.servers)->composing(),
        "chaos: a command that serves on {listen} (or several); without one --target is attacked "
        "by --fault alone");
    add("redis", po::value(&o.redis)->default_value(o.redis), "chaos: a command that runs Redis");
    add("postgres", po::value(&o.postgres)->default_value(o.postgres),
        "chaos: a command that runs PostgreSQL");
    add("fault", po::value(&o.faults)->composing(), "chaos: a command that breaks something else");
}

void add_sale(po::options_description& all, SaleOptions& o, Raw& raw) {
    auto add = all.add_options();
    add("load", po::value(&raw.load)->default_value(raw.load),
        "sale: spike (a crowd at the start second), accepted (as many orders as can be), refused "
        "(attempts on what is sold out, against GET /healthz of the same server)");
    add("stock", po::value(&o.stock)->default_value(o.stock), "sale: units (spike, chaos)");
    add("limit", po::value(&o.per_user_limit)->default_value(o.per_user_limit),
        "sale: units for each user (spike, chaos)");
    add("price", po::value(&o.price)->default_value(o.price), "sale: of a unit");
    add("paid", po::bool_switch(&o.paid), "sale: orders are paid in a ledger, by funded buyers");
    add("products", po::value(&o.products)->default_value(o.products),
        "sale, accepted: how many are on sale at the same time");
    add("users", po::value(&o.users)->default_value(o.users),
        "sale: who come (spike, chaos); with --paid also who take turns (accepted)");
    add("quantity", po::value(&o.quantity_max)->default_value(o.quantity_max),
        "sale: an order is for 1 to so many units (spike, chaos)");
    add("spread-ms", po::value(&o.spread_ms)->default_value(o.spread_ms),
        "sale: everybody comes within so long after the start, most of them soon");
    add("early", po::value(&o.early)->default_value(o.early),
        "sale: the share of users who come too early, and again after the start");
    add("again", po::value(&o.repeat_buyers)->default_value(o.repeat_buyers),
        "sale: the share of users who want another order, under another key");
    add("double", po::value(&o.repetitions)->default_value(o.repetitions),
        "sale: the share of users whose order is sent twice under one key");
    add("bots", po::value(&o.bots)->default_value(o.bots),
        "sale: users who try again and again, each on a connection of his own");
    add("bot-attempts", po::value(&o.bot_attempts)->default_value(o.bot_attempts),
        "sale: how often each bot tries");
}

void add_credits(po::options_description& all, CreditOptions& o, Raw& raw) {
    auto add = all.add_options();
    add("spend", po::value(&o.spend)->default_value(o.spend),
        "credits: the share of requests that are expenses, 0 to 1; the others are grants");
    add("short-lived", po::value(&o.short_lived)->default_value(o.short_lived),
        "credits: the share of grants that expire while the load runs or soon after, 0 to 1");
    add("lifetime", po::value(&o.lifetime_s)->default_value(o.lifetime_s),
        "credits: seconds that those live, or up to twice as long");
    add("drain", po::value(&raw.drain)->default_value(raw.drain),
        "credits: emission or expiration, the order in which lots pay");
    add("width", po::value(&o.width)->default_value(o.width),
        "credits-wide: addresses in a request, 1 to 30000");
}

po::options_description describe(Options& o, Raw& raw) {
    po::options_description all("Options");
    auto add = all.add_options();
    auto const text = [](std::string& value) { return po::value(&value)->default_value(value); };
    add("help,h", "this text");
    add("target", text(o.target), "the server");
    add("against", po::value(&o.against)->composing(),
        "another server (or several): slices alternate, ratios are printed");
    add("api-key", text(o.api_key), "bearer key for both (or PENSTOCK_API_KEY)");
    add("connections", po::value(&o.connections)->default_value(o.connections), "1 to 20000");
    add("duration", po::value(&o.duration_s)->default_value(o.duration_s),
        "measured seconds for each server");
    add("requests", po::value(&o.requests)->default_value(o.requests),
        "end after so many measured requests for each server");
    add("warmup", po::value(&o.warmup_s)->default_value(o.warmup_s), "seconds, not measured");
    add("slice", po::value(&o.slice_s)->default_value(o.slice_s),
        "with --against: seconds before the other server's turn");
    add("rate", po::value(&o.rate)->default_value(o.rate),
        "open loop: arrivals per second; 0: closed loop");
    add("timeout-ms", po::value(&raw.timeout_ms)->default_value(raw.timeout_ms),
        "deadline of each request");
    add("pattern", text(raw.pattern),
        "uniform, zipf or hot; purchases: uniform, author (all buy from one) or platform (all in "
        "one ledger)");
    add("zipf", po::value(&o.zipf_exponent)->default_value(o.zipf_exponent), "zipf's exponent");
    add("accounts", po::value(&o.accounts)->default_value(o.accounts),
        "in each ledger; streams: how many run in each");
    add("ledgers", po::value(&o.ledgers)->default_value(o.ledgers), "how many");
    add("batch", po::value(&o.batch)->default_value(o.batch),
        "bulk, hot: transfers in a request (hot: 1, unless given)");
    add("history", po::value(&o.history)->default_value(o.history),
        "reads, credits-reads: transfers or rows of history in each ledger beforehand");
    add("seed", po::value(&o.seed)->default_value(o.seed), "of the choices (not of the keys)");
    add("input", text(o.input), "retail: the invoice lines, tab separated, plain or gzip");
    add("ledger", text(o.ledger),
        "retail: the ledger, made if it is not there; flat, credits-reads, export: the one that is "
        "there");
    add("lines", po::value(&o.lines)->default_value(o.lines), "retail: only the first lines");
    add("as", text(raw.as), "retail, replays: purchases, or plain transfers");
    add("settle", po::value(&o.settle_s)->default_value(o.settle_s),
        "hot: seconds without progress after which the way home counts as blocked");
    add("repeat", po::value(&o.repeat)->default_value(o.repeat),
        "replays: the share of requests whose key was used before, 0 to 1");
    add("repeat-against", po::value(&raw.repeat_against),
        "replays: that share on the servers of --against");
    add_sale(all, o.sale, raw);
    add_credits(all, o.credits, raw);
    add_chaos(all, o.chaos);
    add("json", text(o.json_file), "write the results to this file");
    add("html", text(o.html_file), "write a report with plots to this file");
    return all;
}

void require(bool condition, char const* message) {
    if (!condition) throw BadOptions(message);
}

bool in(double value, double least, double most) {
    return std::isfinite(value) && value >= least && value <= most;
}

Pattern pattern_of(std::string const& name) {
    for (auto const pattern :
         {Pattern::uniform, Pattern::zipf, Pattern::hot, Pattern::author, Pattern::platform}) {
        if (name == name_of(pattern)) return pattern;
    }
    throw BadOptions("--pattern is uniform, zipf, hot, author or platform");
}

As as_of(std::string const& name) {
    for (auto const as : {As::purchases, As::transfers}) {
        if (name == name_of(as)) return as;
    }
    throw BadOptions("--as is purchases or transfers");
}

SaleLoad load_of(std::string const& name) {
    for (auto const load : {SaleLoad::spike, SaleLoad::accepted, SaleLoad::refused}) {
        if (name == name_of(load)) return load;
    }
    throw BadOptions("--load is spike, accepted or refused");
}

Drain drain_of(std::string const& name) {
    for (auto const drain : {Drain::emission, Drain::expiration}) {
        if (name == name_of(drain)) return drain;
    }
    throw BadOptions("--drain is emission or expiration");
}

bool fits(Pattern pattern, std::string const& scenario) {
    bool const of_purchases = pattern == Pattern::author || pattern == Pattern::platform;
    if (scenario == "purchases") return of_purchases || pattern == Pattern::uniform;
    return !of_purchases;
}

void validate_chaos(Options const& o) {
    auto const& chaos = o.chaos;
    bool const known = o.scenario == "purchases" || o.scenario == "transfers" ||
                       o.scenario == "sale" || o.scenario == "hot";
    require(known, "--chaos goes with purchases, transfers, sale or hot");
    require(chaos.rounds >= 1 && chaos.rounds <= 100'000, "--rounds is 1 to 100000");
    for (auto const& server : chaos.servers) {
        require(server.find("{listen}") != std::string::npos,
                "--server is a command with {listen} where its address goes");
    }
    bool const something = !chaos.servers.empty() || !chaos.redis.empty() ||
                           !chaos.postgres.empty() || !chaos.faults.empty();
    require(something, "--chaos needs something to break: --server, --redis, --postgres, --fault");
    require(o.against.empty(), "--chaos compares nothing: no --against");
    require(o.rate == 0, "--chaos is a closed loop: no --rate");
}

void validate_sale(Options const& o) {
    auto const& sale = o.sale;
    constexpr std::int64_t units_max = 1'000'000'000;
    require(sale.stock >= 0 && sale.stock <= units_max, "--stock is 0 to 1000000000");
    require(sale.per_user_limit >= 1 && sale.per_user_limit <= units_max,
            "--limit is 1 to 1000000000");
    require(sale.price >= 0 && sale.price <= units_max, "--price is 0 to 1000000000");
    require(sale.products >= 1 && sale.products <= 1000, "--products is 1 to 1000");
    require(sale.users >= 1 && sale.users <= 1'000'000, "--users is 1 to 1000000");
    require(sale.quantity_max >= 1 && sale.quantity_max <= 1000, "--quantity is 1 to 1000");
    require(in(sale.spread_ms, 1, 600'000), "--spread-ms is 1 to 600000");
    for (double const share : {sale.early, sale.repeat_buyers, sale.repetitions}) {
        require(in(share, 0, 1), "--early, --again and --double are 0 to 1");
    }
    require(sale.bots <= 1000 && sale.bot_attempts <= 100'000,
            "--bots is 0 to 1000, --bot-attempts 0 to 100000");
    bool const spike = sale.load == SaleLoad::spike;
    require(!o.chaos.on || spike, "--chaos strikes a spike: no --load");
    require(!spike || o.against.empty(), "a spike looks at one server: no --against");
    require(!spike || o.rate == 0, "a spike has its own arrivals: no --rate");
}

void validate_credits(CreditOptions const& o) {
    require(in(o.spend, 0, 1) && in(o.short_lived, 0, 1), "--spend and --short-lived are 0 to 1");
    require(in(o.lifetime_s, 1, 3600), "--lifetime is 1 to 3600");
    require(o.width >= 1 && o.width <= 30'000, "--width is 1 to 30000");
}

void validate(Options const& o) {
    bool known = false;
    for (auto const* const name : scenario_names) known = known || o.scenario == name;
    if (!known) throw BadOptions("the scenario is " + scenario_list(", ", " or "));
    require(Target::parse(o.target).has_value(), "--target is http://host[:port]");
    for (auto const& against : o.against) {
        require(Target::parse(against).has_value(), "--against is http://host[:port]");
    }
    require(o.connections >= 1 && o.connections <= 20'000, "--connections is 1 to 20000");
    require(in(o.duration_s, 0.1, 86'400), "--duration is 0.1 to 86400");
    require(in(o.warmup_s, 0, 3600), "--warmup is 0 to 3600");
    require(in(o.slice_s, 0.1, 3600), "--slice is 0.1 to 3600");
    require(in(o.rate, 0, 10'000'000), "--rate is 0 to 10000000");
    require(o.timeout.count() >= 1 && o.timeout.count() <= 600'000, "--timeout-ms is 1 to 600000");
    require(in(o.zipf_exponent, 0, 5), "--zipf is 0 to 5");
    require(o.accounts >= 2 && o.accounts <= 5'000'000, "--accounts is 2 to 5000000");
    require(o.ledgers >= 1 && o.ledgers <= 10'000, "--ledgers is 1 to 10000");
    require(o.batch >= 1 && o.batch <= 10'000, "--batch is 1 to 10000");
    require(in(o.settle_s, 0.1, 3600), "--settle is 0.1 to 3600");
    require(o.history <= 10'000'000, "--history is 0 to 10000000");
    require(o.api_key.find_first_of("\r\n") == std::string::npos, "--api-key holds a line end");
    require(o.scenario != "retail" || !o.input.empty(), "retail needs --input");
    require(o.scenario != "flat" || !o.ledger.empty(), "flat needs --ledger");
    require(o.scenario != "export" || !o.ledger.empty(), "export needs --ledger");
    require(fits(o.pattern, o.scenario), "that --pattern is not one of this scenario");
    require(o.pattern != Pattern::platform || o.ledgers == 1,
            "--pattern platform is about one ledger: no --ledgers");
    require(in(o.repeat, 0, 1) && in(o.repeat_against.value_or(0), 0, 1), "--repeat is 0 to 1");
    if (o.scenario == "sale") validate_sale(o);
    if (o.scenario.starts_with("credits")) validate_credits(o.credits);
    require(o.scenario != "credits-wide" || o.connections == 1,
            "credits-wide sends one request after the other: --connections 1");
    if (o.chaos.on) validate_chaos(o);
}

}  // namespace

char const* name_of(Pattern pattern) {
    switch (pattern) {
        case Pattern::uniform:
            return "uniform";
        case Pattern::zipf:
            return "zipf";
        case Pattern::hot:
            return "hot";
        case Pattern::author:
            return "author";
        case Pattern::platform:
            return "platform";
    }
    return "unknown";
}

char const* name_of(As as) { return as == As::purchases ? "purchases" : "transfers"; }

char const* name_of(SaleLoad load) {
    switch (load) {
        case SaleLoad::spike:
            return "spike";
        case SaleLoad::accepted:
            return "accepted";
        case SaleLoad::refused:
            return "refused";
    }
    return "unknown";
}

char const* name_of(Drain drain) { return drain == Drain::emission ? "emission" : "expiration"; }

std::optional<Options> parse_options(std::vector<std::string> const& arguments) {
    Options options;
    if (char const* const key = std::getenv("PENSTOCK_API_KEY")) options.api_key = key;
    auto raw = raw_of(options);
    auto all = describe(options, raw);
    all.add_options()("scenario", po::value(&options.scenario), "");
    po::positional_options_description positional;
    positional.add("scenario", 1);
    try {
        po::variables_map values;
        auto const style =
            po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        po::store(po::command_line_parser(arguments)
                      .options(all)
                      .positional(positional)
                      .style(style)
                      .run(),
                  values);
        if (values.contains("help")) return std::nullopt;
        po::notify(values);
        bool const alone = options.scenario == "credits-wide" && values["connections"].defaulted();
        if (alone) options.connections = 1;
        if (options.scenario == "hot" && values["batch"].defaulted()) options.batch = 1;
        if (values.contains("repeat-against")) options.repeat_against = raw.repeat_against;
    } catch (po::error const& error) {
        throw BadOptions(error.what());
    }
    options.timeout = std::chrono::milliseconds(raw.timeout_ms);
    options.pattern = pattern_of(raw.pattern);
    options.as = as_of(raw.as);
    options.sale.load = load_of(raw.load);
    options.credits.drain = drain_of(raw.drain);
    validate(options);
    return options;
}

std::string help_text() {
    Options options;
    auto raw = raw_of(options);
    std::ostringstream out;
    out << "penstock-bench <" << scenario_list("|", "|") << "> [options]\n"
        << "Puts load on a running server, checks its books, and reports.\n"
        << "Exit code: 0 all is well, 1 the books are off or an answer is wrong, 2 bad options.\n\n"
        << describe(options, raw);
    return out.str();
}

}  // namespace penstock::bench
