// WHAT the program can be asked to do.
#include "server/commands.hpp"

#include <cstdio>

#include "server/application.hpp"
#include "server/openapi.hpp"
#include "server/options.hpp"
#include "server/schema.hpp"
#include "server/telemetry/log.hpp"

namespace penstock::server {
namespace {

constexpr char const* usage =
    "penstock: a transaction server for balances that are always exact\n\n"
    "  penstock serve        serve HTTP; without --database-url on the embedded store\n"
    "  penstock migrate      bring the schema of --database-url up to date\n"
    "  penstock verify       check every invariant of every ledger by full scan\n"
    "  penstock repair       rebuild lots of credits from their history, where they differ\n"
    "  penstock backfill     copy into the shadow what it lacks, while servers run\n"
    "  penstock parity       compare the shadow with the primary: rows, lists, answers\n"
    "  penstock measure      the write path without HTTP: transfers per second\n"
    "  penstock healthcheck  does --url answer 200?\n"
    "  penstock openapi      print the OpenAPI document\n"
    "  penstock options      list the options, as flags and as variables\n"
    "  penstock version      print the version\n";

void print(std::string const& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int serve(Options const& options) {
    Log log(options.log_level);
    for (auto const& option : options.effective) {
        if (option.origin == Origin::fallback) continue;
        bool const argument = option.origin == Origin::argument;
        log.info("option", {{"name", option.name},
                            {"value", option.shown},
                            {"from", argument ? "argument" : "environment"}});
    }
    Application application(options, log);
    return application.run();
}

int migrate(Options const& options) {
    if (options.database_url.empty()) throw UnusableOptions("migrate needs --database-url");
    auto const report = migrate_database(options.database_url);
    for (auto const& name : report.applied) print("applied " + name + "\n");
    print("schema version " + std::to_string(report.version_after) + "\n");
    return 0;
}

int list_options(Options const& options) {
    bool const markdown = options.format == TextFormat::markdown;
    print(markdown ? document_options() : describe_options());
    return 0;
}

int print_version(Options const&) {
    print("penstock " PENSTOCK_VERSION "\n");
    return 0;
}

int print_openapi(Options const&) {
    print(openapi_document(route_table()) + "\n");
    return 0;
}

struct Command {
    std::string_view name;
    int (*run)(Options const&);
};

constexpr Command commands[] = {
    {"serve", serve},          {"migrate", migrate},         {"verify", verify},
    {"repair", repair},        {"backfill", backfill},       {"parity", parity},
    {"measure", measure},      {"healthcheck", healthcheck}, {"openapi", print_openapi},
    {"options", list_options}, {"version", print_version},
};

bool asks_for_help(std::span<std::string const> arguments) {
    for (auto const& argument : arguments)
        if (argument == "--help" || argument == "-h") return true;
    return arguments.empty() || arguments.front() == "help";
}

}  // namespace

int run_command(std::span<std::string const> arguments) {
    if (asks_for_help(arguments)) {
        print(usage);
        print("\nOptions (`--name value` or `--name=value`), variables and defaults:\n");
        print(describe_options());
        return arguments.empty() ? 2 : 0;
    }
    auto const name = arguments.front() == "--version" ? "version" : arguments.front();
    for (auto const& command : commands)
        if (command.name == name)
            return command.run(parse_options(arguments.subspan(1), process_environment()));
    throw UnusableOptions("There is no command `" + name + "`; `penstock help` lists them");
}

}  // namespace penstock::server
