// The program: one command, one catch.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "server/commands.hpp"
#include "server/options.hpp"

int main(int argc, char** argv) {
    try {
        std::vector<std::string> const arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
        return penstock::server::run_command(arguments);
    } catch (penstock::server::UnusableOptions const& unusable) {
        std::fprintf(stderr, "penstock: %s\n", unusable.what());
        return 2;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "penstock: %s\n", failure.what());
        return 1;
    }
}
