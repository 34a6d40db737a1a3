// WHAT the program can be asked to do, by name.
#pragma once

#include <span>
#include <string>

namespace penstock::server {

/// Runs `penstock <command> …` (arguments without the program's name). The exit code: 0; 1 when
/// the command's own answer is no. Throws UnusableOptions, and std::exception when it fails.
int run_command(std::span<std::string const> arguments);

// One per file: commands_*.cpp.
struct Options;
int measure(Options const& options);
int healthcheck(Options const& options);
int verify(Options const& options);
int repair(Options const& options);
int backfill(Options const& options);
int parity(Options const& options);

}  // namespace penstock::server
