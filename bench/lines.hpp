// Reads a text file line by line, compressed with gzip or not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace penstock::bench {

/// Calls `each` for every line, without its end, until it returns false or the file ends. Throws
/// std::runtime_error for a file that cannot be read, is cut short, or holds a line beyond 64 KiB.
void read_lines(std::string const& path, std::function<bool(std::string_view)> const& each);

}  // namespace penstock::bench
