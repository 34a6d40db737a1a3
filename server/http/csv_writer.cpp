// HOW a text becomes a field of CSV.
#include "server/http/csv_writer.hpp"

namespace penstock::server {

void append_csv_text(std::string& out, std::string_view text) {
    constexpr std::string_view formula_starts = "=+-@\t\r";
    bool const is_risky = !text.empty() && formula_starts.find(text.front()) != text.npos;
    bool const is_plain = !text.empty() && text.find_first_of(",\"\r\n") == text.npos;
    if (is_plain) {
        if (is_risky) out += '\'';
        out += text;
        return;
    }
    out += '"';
    if (is_risky) out += '\'';
    for (;;) {
        auto const quote = text.find('"');
        out += text.substr(0, quote);
        if (quote == text.npos) break;
        out += "\"\"";
        text.remove_prefix(quote + 1);
    }
    out += '"';
}

}  // namespace penstock::server
