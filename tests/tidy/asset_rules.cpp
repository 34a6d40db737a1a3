// Do the SQL statements and Lua scripts say why they are, and does somebody run each of them.
#include <filesystem>
#include <regex>
#include <string_view>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {

Faults assets_say_why(Source const& asset) {
    if (asset.text().starts_with("--")) return {};
    return {asset.fault(0, "the first line says in a comment (--) why this is there")};
}

Faults statements_take_time_as_a_parameter(Source const& asset) {
    // Migrations may stamp when they ran; everything else gets the instant as $n.
    if (!asset.is_in("db/sql/")) return {};
    static std::regex const pattern(R"(\b(now|(clock|statement|transaction)_timestamp) *\()"
                                    R"(|\bcurrent_(timestamp|date|time)\b)",
                                    std::regex::icase);
    Faults faults;
    std::size_t offset = 0;
    std::string const& text = asset.text();
    while (offset < text.size()) {
        auto const end = std::min(text.find('\n', offset), text.size());
        auto line = text.substr(offset, std::min(text.find("--", offset), end) - offset);
        // How long something took is no instant, and nothing is decided by it.
        constexpr std::string_view span = "clock_timestamp() - now()";
        if (auto const at = line.find(span); at != line.npos) line.erase(at, span.size());
        if (std::regex_search(line, pattern))
            faults.push_back(asset.fault(offset, "a statement takes the instant as a parameter"));
        offset = end + 1;
    }
    return faults;
}

Faults assets_are_used(std::vector<Source> const& assets, std::vector<Source> const& users) {
    Faults faults;
    for (auto const& asset : assets) {
        auto const name = std::filesystem::path(asset.path()).stem().string();
        bool used = false;
        for (auto const& user : users)
            used = used || find_word(user.code(), name) != std::string_view::npos;
        if (!used) faults.push_back(asset.fault(0, "nobody names " + name + ": take it out"));
    }
    return faults;
}

}  // namespace penstock::tidy
