// The load harness's entry point: options in, exit code out.
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>

#include "bench/chaos/chaos.hpp"
#include "bench/idle.hpp"
#include "bench/run.hpp"
#include "bench/sale/spike.hpp"

namespace {

using namespace penstock::bench;

void write_file(std::string const& path, std::string const& text) {
    if (path.empty()) return;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) throw Unusable("cannot write " + path);
}

int idle(Options const& options) {
    auto const result = hold_idle(options);
    std::fputs(table(result).c_str(), stdout);
    write_file(options.json_file, to_json(result));
    return result.sound() ? 0 : 1;
}

int spike(Options const& options) {
    auto const result = sale::play_spike(options);
    std::fputs(table(result).c_str(), stdout);
    write_file(options.json_file, to_json(result));
    write_file(options.html_file, to_html(result));
    return result.sound() ? 0 : 1;
}

int bench(std::vector<std::string> const& arguments) {
    auto const options = parse_options(arguments);
    if (!options) {
        std::fputs(help_text().c_str(), stdout);
        return 0;
    }
    if (options->scenario == "idle") return idle(*options);
    if (options->chaos.on) {
        auto const result = chaos::run_chaos(*options);
        std::fputs(table(result).c_str(), stdout);
        write_file(options->json_file, to_json(result));
        return result.sound() ? 0 : 1;
    }
    bool const at_once = options->scenario == "sale" && options->sale.load == SaleLoad::spike;
    if (at_once) return spike(*options);
    auto const result = run(*options);
    std::fputs(table(result).c_str(), stdout);
    write_file(options->json_file, to_json(result));
    write_file(options->html_file, to_html(result));
    return result.sound() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return bench({argv + 1, argv + argc});
    } catch (BadOptions const& error) {
        std::fprintf(stderr, "penstock-bench: %s (--help lists the options)\n", error.what());
        return 2;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "penstock-bench: %s\n", error.what());
        return 1;
    }
}
