#include "tests/tidy/tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace penstock::tidy {
namespace {

namespace fs = std::filesystem;

std::string read(fs::path const& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<Source> files_in(std::string const& folder, std::string const& ending) {
    std::vector<Source> sources;
    fs::path const root = PENSTOCK_SOURCE_DIR;
    if (!fs::exists(root / folder)) return sources;
    for (auto const& entry : fs::recursive_directory_iterator(root / folder))
        if (entry.is_regular_file() && entry.path().extension() == ending)
            sources.emplace_back(entry.path().lexically_relative(root).generic_string(),
                                 read(entry.path()));
    std::sort(sources.begin(), sources.end(),
              [](auto const& a, auto const& b) { return a.path() < b.path(); });
    return sources;
}

std::vector<Source> const& cpp_sources() {
    static auto const all = [] {
        std::vector<Source> sources;
        for (auto const* folder :
             {"domain", "reactor", "db", "cache", "server", "bench", "cmake", "tests"})
            for (auto const* ending : {".hpp", ".cpp"})
                for (auto& source : files_in(folder, ending)) sources.push_back(std::move(source));
        return sources;
    }();
    return all;
}

}  // namespace penstock::tidy
