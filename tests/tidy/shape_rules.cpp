// Is a file readable at a glance: line length, function length, and a first line that says why.
#include <regex>
#include <sstream>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {
namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t function_lines_max = 70;
constexpr auto npos = std::string::npos;

std::size_t columns_of(std::string_view line) {
    std::size_t columns = 0;
    // Bytes 10xxxxxx continue a UTF-8 character.
    for (char const c : line) columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    return columns;
}

/// Without `template <…>`, whose parameters say class and typename.
std::string without_template_head(std::string head) {
    for (auto at = find_word(head, "template"); at != npos; at = find_word(head, "template", at)) {
        auto i = head.find('<', at);
        if (i == npos) break;
        std::size_t depth = 0;
        for (; i < head.size(); ++i) {
            if (head[i] == '<') ++depth;
            if (head[i] == '>' && --depth == 0) break;
        }
        head.erase(at, i + 1 - at);
    }
    return head;
}

enum class Block { scope, function, data };

/// What a brace opens, by the text before it; only asked outside of functions.
Block block_of(std::string const& raw_head) {
    auto const head = without_template_head(raw_head);
    auto const paren = head.find('(');
    for (auto const* keyword : {"namespace", "extern", "class", "struct", "union", "enum"})
        if (auto const at = find_word(head, keyword); at != npos && at < paren) {
            // `struct pg_conn* handle() {` is a function, `struct A : B<decltype(f())> {` is not.
            bool const is_type = paren == npos || head.find(':', at) < paren;
            if (is_type || std::string_view(keyword) == "extern") return Block::scope;
        }
    static std::regex const assigned(R"(^[^(]*[^=!<>]=[^=])");
    bool const is_operator = find_word(head, "operator") != npos;
    if (!is_operator && std::regex_search(head, assigned)) return Block::data;
    return paren == npos ? Block::data : Block::function;
}

}  // namespace

Faults lines_fit_the_screen(Source const& source) {
    Faults faults;
    std::istringstream lines(source.text());
    std::size_t offset = 0;
    for (std::string line; std::getline(lines, line); offset += line.size() + 1)
        if (auto const columns = columns_of(line); columns > columns_max)
            faults.push_back(source.fault(
                offset, "the line has " + std::to_string(columns) + " columns, at most 100"));
    return faults;
}

Faults functions_fit_the_screen(Source const& source) {
    Faults faults;
    std::string code = source.code();
    // Preprocessor lines are no statements.
    code = std::regex_replace(code, std::regex(R"((^|\n)([ \t]*#[^\n]*))"), "$1");
    Source const plain(source.path(), code);
    std::size_t head_from = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (code[i] == ';' || code[i] == '}') head_from = i + 1;
        // Values in brackets, `f(Options options = {})`, are part of the head.
        if (code[i] == '(' && closing(code, i) != npos) i = closing(code, i);
        if (code[i] != '{') continue;
        auto const block = block_of(code.substr(head_from, i - head_from));
        if (block == Block::scope) {
            head_from = i + 1;
            continue;
        }
        auto const start = std::min(code.find_first_not_of(" \t\n", head_from), i);
        auto end = closing(code, i);
        // `Type() : a_{1}, b_{2} {`: the body is the last of these braces.
        for (; end != npos; end = closing(code, code.find('{', end))) {
            auto const next = code.find_first_not_of(" \t\n", end + 1);
            if (next == npos || (code[next] != ',' && code[next] != '{')) break;
            if (code.find('{', end) == npos) break;
        }
        if (end == npos) break;
        auto const lines = plain.line_of(end) - plain.line_of(start) + 1;
        if (block == Block::function && lines > function_lines_max)
            faults.push_back({source.path(), plain.line_of(start),
                              "the function has " + std::to_string(lines) +
                                  " lines, at most 70: split it where its comment would be"});
        i = end;
        head_from = end + 1;
    }
    return faults;
}

Faults files_say_what_they_answer(Source const& source) {
    if (source.text().starts_with("//")) return {};
    // A source, or a test that mirrors it, may leave it to the header of the same name.
    auto name = source.path().substr(0, source.path().rfind('.'));
    auto const begins_with_header = [&] {
        return source.text().starts_with("#include \"" + name + ".hpp\"");
    };
    bool named = !source.is_header() && begins_with_header();
    if (source.is_in("tests/")) {
        name.erase(0, std::string_view("tests/").size());
        named = named || begins_with_header();
    }
    if (named) return {};
    return {source.fault(0, "the first line says in a comment which question the file answers")};
}

}  // namespace penstock::tidy
