// What g++ 12.2 gets wrong around co_await: each of these compiled and then freed something twice,
// crashed, or stopped the compiler. The house rule that keeps clear of all of them: a co_await
// expression holds names and plain calls.
#include <array>
#include <regex>

#include "tests/tidy/rules.hpp"

namespace penstock::tidy {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view keyword = "co_await";

/// Calls `visit(offset)` for every co_await in the code.
template <class Visit>
void each_co_await(std::string_view code, Visit visit) {
    for (auto at = find_word(code, keyword); at != npos; at = find_word(code, keyword, at + 1))
        visit(at);
}

/// The end of the expression that begins at `at`: a semicolon, or a bracket that closes around it,
/// or a block that opens after the condition it stands in.
std::size_t expression_end(std::string_view code, std::size_t at) {
    std::size_t depth = 0;
    for (auto i = at; i < code.size(); ++i) {
        char const c = code[i];
        if (c == '(' || c == '[' || c == '{') ++depth;
        if (c == ')' || c == ']' || c == '}') {
            if (depth == 0) return i;
            --depth;
        }
        if (c == ';' && depth == 0) return i;
    }
    return code.size();
}

/// The innermost bracket that is open at `at`, not looking behind the end of a statement on its
/// level; npos when a statement ends first. `statement` becomes where that level's text begins.
std::size_t enclosing_bracket(std::string_view code, std::size_t at, std::size_t& statement) {
    std::size_t depth = 0;
    for (auto i = at; i-- > 0;) {
        char const c = code[i];
        if (c == ')' || c == ']') ++depth;
        if (c == '}') {
            // A block ended here, or a braced value did: only a value is followed by more of it.
            auto const next = code.find_first_not_of(" \t\n", i + 1);
            bool const value = next != npos && std::string_view(",).;?:-").find(code[next]) != npos;
            if (depth == 0 && !value) {
                statement = i + 1;
                return npos;
            }
            ++depth;
        }
        if (c == '(' || c == '[' || c == '{') {
            if (depth == 0) {
                statement = i + 1;
                return i;
            }
            --depth;
        }
        if (c == ';' && depth == 0) {
            statement = i + 1;
            return npos;
        }
    }
    statement = 0;
    return npos;
}

/// Does this brace open statements, rather than hold a value?
bool opens_a_block(std::string_view code, std::size_t brace) {
    auto const last = code.find_last_not_of(" \t\n", brace == 0 ? 0 : brace - 1);
    if (last == npos) return true;
    if (std::string_view(");{}:]").find(code[last]) != npos) return true;
    if (std::string_view("=(,?&|").find(code[last]) != npos) return false;
    auto const head_from = code.find_last_of(";{}", last);
    auto const head = code.substr(head_from == npos ? 0 : head_from + 1, last - head_from);
    // A trailing return type, a specifier or a keyword stands before a block.
    if (head.find("->") != npos && head.find(')') != npos) return true;
    auto word_from = last;
    while (word_from > 0 && is_word(code[word_from - 1])) --word_from;
    auto const word = code.substr(word_from, last + 1 - word_from);
    for (std::string_view const opener :
         {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"})
        if (word == opener) return true;
    return false;
}

/// Where the statement around `at` begins: behind every bracket but a block's.
std::size_t statement_begin(std::string_view code, std::size_t at) {
    std::size_t begin = 0;
    for (auto i = at;;) {
        i = enclosing_bracket(code, i, begin);
        if (i == npos || (code[i] == '{' && opens_a_block(code, i))) return begin;
    }
}

/// Chrono's units in braces are numbers; everything else in braces is forbidden alike, because
/// nobody sees from the line whether its members are trivial.
bool is_duration(std::string_view text, std::size_t brace) {
    static constexpr std::array units{"hours",        "minutes",      "seconds",
                                      "milliseconds", "microseconds", "nanoseconds"};
    for (std::string_view const unit : units)
        if (brace >= unit.size() && text.substr(brace - unit.size(), unit.size()) == unit)
            return true;
    return false;
}

/// A '[' that begins a lambda, not a subscript.
bool begins_lambda(std::string_view text, std::size_t bracket) {
    auto const last = text.substr(0, bracket).find_last_not_of(" \t\n");
    if (last == npos) return true;
    if (text.substr(0, last + 1).ends_with(keyword)) return true;
    return !is_word(text[last]) && text[last] != ')' && text[last] != ']';
}

/// `[&]`, `[&a, &b]`, `[]`: nothing that could be freed twice.
bool captures_by_reference(std::string_view text, std::size_t bracket) {
    static std::regex const pattern(R"(\[(\s*&\s*\w*\s*,?)*\].*)");
    auto const end = closing(text, bracket);
    auto const list = text.substr(bracket, end == npos ? npos : end + 1 - bracket);
    return std::regex_match(list.begin(), list.end(), pattern);
}

/// The end of a lambda's body, or of the text.
std::size_t lambda_end(std::string_view text, std::size_t bracket) {
    auto const brace = text.find('{', bracket);
    auto const end = brace == npos ? npos : closing(text, brace);
    return end == npos ? text.size() : end;
}

}  // namespace

Faults no_co_await_in_a_loop_condition(Source const& source) {
    Faults faults;
    std::string_view const code = source.code();
    for (std::string_view const loop : {"while", "for"})
        for (auto at = find_word(code, loop); at != npos; at = find_word(code, loop, at + 1)) {
            auto const open = code.find('(', at);
            auto const close = open == npos ? npos : closing(code, open);
            if (close == npos) break;
            auto header = code.substr(open, close - open);
            // Of a for, everything behind the first semicolon is evaluated again.
            if (loop == "for") {
                auto const first = header.find(';');
                header.remove_prefix(first == npos ? header.size() : first);
            }
            if (find_word(header, keyword) != npos)
                faults.push_back(
                    source.fault(at,
                                 "co_await in a loop condition: g++ 12.2 miscompiles it; "
                                 "for (;;) { bool const more = co_await …; if (!more) break; … }"));
        }
    return faults;
}

Faults no_braces_or_lambda_beside_co_await(Source const& source) {
    Faults faults;
    std::string_view const code = source.code();
    each_co_await(code, [&](std::size_t at) {
        auto const text = code.substr(at, expression_end(code, at) - at);
        // The body of `if (co_await f()) {` is not reached: the condition's bracket ends first.
        for (std::size_t i = 0; i < text.size(); ++i) {
            // Tests await conditions, `co_await eventually([&] { … })`: by reference is harmless.
            bool const lambda = text[i] == '[' && begins_lambda(text, i);
            if (lambda && source.is_in("tests/") && captures_by_reference(text, i)) {
                i = lambda_end(text, i);
                continue;
            }
            if (lambda) {
                faults.push_back(
                    source.fault(at,
                                 "a lambda beside co_await: g++ 12.2 may free its captures twice; "
                                 "give it a name first"));
                return;
            }
            if (text[i] == '{' && !is_duration(text, i)) {
                faults.push_back(
                    source.fault(at,
                                 "braces beside co_await: g++ 12.2 frees braced aggregates twice; "
                                 "name the value first"));
                return;
            }
        }
    });
    return faults;
}

Faults no_co_await_in_a_conditional(Source const& source) {
    Faults faults;
    std::string_view const code = source.code();
    each_co_await(code, [&](std::size_t at) {
        auto const begin = statement_begin(code, at);
        auto const text = code.substr(begin, expression_end(code, at) - begin);
        if (text.find('?') != npos)
            faults.push_back(source.fault(
                at, "co_await beside ?: : g++ 12.2 frees one side twice; an if, or a named bool"));
    });
    return faults;
}

Faults no_aggregate_made_of_co_await(Source const& source) {
    Faults faults;
    std::string_view const code = source.code();
    each_co_await(code, [&](std::size_t at) {
        std::size_t begin = 0;
        for (auto i = at;;) {
            i = enclosing_bracket(code, i, begin);
            if (i == npos) return;
            if (code[i] != '{') continue;
            if (opens_a_block(code, i)) return;
            faults.push_back(
                source.fault(at,
                             "an aggregate initialised by co_await: g++ 12.2 frees it twice; "
                             "assign its members one by one"));
            return;
        }
    });
    return faults;
}

}  // namespace penstock::tidy
