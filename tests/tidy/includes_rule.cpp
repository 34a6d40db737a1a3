// Who may include whom: the arrows between the folders, and who may know a heavy library.
#include <array>
#include <regex>
#include <string>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {
namespace {

constexpr auto npos = std::string_view::npos;

struct FolderRule {
    std::string_view folder;
    std::string_view may_include;  ///< folders and single headers, separated by spaces
    std::string_view why;
};

constexpr std::array folder_rules{
    FolderRule{"domain", "domain/", "domain is pure: it includes nothing but itself"},
    FolderRule{"reactor", "reactor/ domain/assert.hpp",
               "reactor knows no word of the domain, the assert apart"},
    FolderRule{"db", "db/ domain/ reactor/", "db knows neither cache nor server"},
    FolderRule{"cache", "cache/ domain/ reactor/", "cache knows neither db nor server"},
    FolderRule{"server", "server/ domain/ reactor/ db/ cache/", "server includes no program"},
    FolderRule{"bench", "bench/ domain/ reactor/", "bench speaks only HTTP to a running server"},
};

struct LibraryRule {
    std::string_view header;   ///< how the name of the header begins
    std::string_view allowed;  ///< where, as beginnings of paths separated by spaces
    std::string_view why;
};

constexpr std::array library_rules{
    LibraryRule{"libpq", "db/pg/*.cpp", "libpq lives in db/pg/*.cpp; a header forward-declares"},
    LibraryRule{"postgresql/", "db/pg/*.cpp", "libpq lives in db/pg/*.cpp"},
    LibraryRule{"hiredis", "cache/redis/*.cpp",
                "hiredis lives in cache/redis/*.cpp; a header forward-declares"},
    LibraryRule{"boost/beast", "server/http/ bench/", "Beast lives in server/http and bench"},
    LibraryRule{"boost/json", "server/ bench/", "the domain and the stores know no JSON"},
    LibraryRule{"boost/asio", "reactor/ db/ cache/ server/ bench/",
                "the domain does no I/O and knows no event loop"},
    LibraryRule{"boost/program_options", "server/options.cpp bench/",
                "options are one table in one file"},
    LibraryRule{"prometheus/", "server/telemetry/",
                "components count in plain structs; telemetry renders them"},
    LibraryRule{"spdlog/", "server/telemetry/ server/main.cpp",
                "logging has one door: server/telemetry"},
};

bool listed(std::string_view list, std::string_view path) {
    while (!list.empty()) {
        auto const end = std::min(list.find(' '), list.size());
        auto const item = list.substr(0, end);
        auto const star = item.find('*');
        if (star == npos
                ? path.starts_with(item)
                : path.starts_with(item.substr(0, star)) && path.ends_with(item.substr(star + 1)))
            return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

/// The domain's whole world: the standard library and header-only Boost.Describe.
bool domain_may_include(Source const& source, std::string_view header) {
    if (source.path() == "domain/assert.cpp") return true;  // the stack of a broken belief
    return header.starts_with("boost/describe") || header.starts_with("boost/mp11") ||
           header.find_first_of("/.") == npos;
}

std::string reason_against(Source const& source, bool quoted, std::string const& header) {
    for (auto const& rule : folder_rules)
        if (quoted && source.folder() == rule.folder && !listed(rule.may_include, header))
            return std::string(rule.why);
    if (quoted) return {};
    for (auto const& rule : library_rules)
        if (header.starts_with(rule.header) && !listed(rule.allowed, source.path()))
            return std::string(rule.why);
    if (source.folder() == "domain" && !domain_may_include(source, header))
        return "domain includes the standard library and Boost.Describe, nothing else";
    return {};
}

}  // namespace

Faults includes_follow_the_folders(Source const& source) {
    Faults faults;
    // Tests look into everything; the compiled halves of Boost live in cmake.
    if (source.folder() == "tests" || source.folder() == "cmake") return faults;
    static std::regex const directive(R"re(#[ \t]*include[ \t]*(["<])([^">]+)[">])re");
    auto const& code = source.code();
    for (auto i = std::sregex_iterator(code.begin(), code.end(), directive);
         i != std::sregex_iterator(); ++i) {
        auto const header = (*i)[2].str();
        auto const why = reason_against(source, (*i)[1] == "\"", header);
        if (!why.empty())
            faults.push_back(source.fault(static_cast<std::size_t>(i->position()),
                                          "includes " + header + ": " + why));
    }
    return faults;
}

}  // namespace penstock::tidy
