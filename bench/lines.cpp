#include "bench/lines.hpp"

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <vector>

namespace penstock::bench {
namespace {

constexpr std::size_t line_max = 64 * 1024;

}  // namespace

void read_lines(std::string const& path, std::function<bool(std::string_view)> const& each) {
    std::unique_ptr<gzFile_s, int (*)(gzFile)> const file(gzopen(path.c_str(), "rb"), gzclose_r);
    if (!file) throw std::runtime_error("cannot open " + path);
    std::vector<char> buffer(256 * 1024);
    std::string partial;
    for (;;) {
        int const got = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
        int status = Z_OK;
        char const* const reason = gzerror(file.get(), &status);
        if (got < 0 || status == Z_BUF_ERROR) {
            throw std::runtime_error("cannot read " + path + ": " + reason);
        }
        if (got == 0) break;
        std::string_view rest(buffer.data(), static_cast<std::size_t>(got));
        for (;;) {
            auto const end = rest.find('\n');
            if (end == rest.npos) break;
            partial.append(rest, 0, end);
            if (partial.ends_with('\r')) partial.pop_back();
            if (!each(partial)) return;
            partial.clear();
            rest.remove_prefix(end + 1);
        }
        partial.append(rest);
        if (partial.size() > line_max)
            throw std::runtime_error("a line of " + path + " is too long");
    }
    if (!partial.empty()) each(partial);
}

}  // namespace penstock::bench
