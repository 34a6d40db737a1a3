#include "tests/tidy/source.hpp"

#include <algorithm>
#include <cctype>

namespace penstock::tidy {
namespace {

/// The end of the literal or comment that begins at `at`; `at` itself when none does.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::size_t comment(std::size_t at) const {
        if (text_.substr(at, 2) == "//") return std::min(text_.find('\n', at), text_.size());
        if (text_.substr(at, 2) == "/*") return after(text_.find("*/", at + 2), 2);
        return at;
    }

    std::size_t literal(std::size_t at) const {
        if (text_[at] == '"' && at > 0 && text_[at - 1] == 'R') return raw(at);
        if (text_[at] == '"') return quoted(at, '"');
        // An apostrophe between digits or letters separates digits: 1'000.
        if (text_[at] == '\'' && (at == 0 || !is_word(text_[at - 1]))) return quoted(at, '\'');
        return at;
    }

private:
    std::size_t after(std::size_t found, std::size_t length) const {
        return found == std::string_view::npos ? text_.size() : found + length;
    }

    std::size_t raw(std::size_t at) const {
        auto const open = text_.find('(', at);
        if (open == std::string_view::npos) return text_.size();
        auto const end = ")" + std::string(text_.substr(at + 1, open - at - 1)) + "\"";
        return after(text_.find(end, open), end.size());
    }

    std::size_t quoted(std::size_t at, char quote) const {
        auto i = at + 1;
        while (i < text_.size() && text_[i] != quote && text_[i] != '\n')
            i += text_[i] == '\\' ? 2U : 1U;
        return std::min(i + 1, text_.size());
    }

    std::string_view text_;
};

void erase(std::string& text, std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i)
        if (text[i] != '\n') text[i] = ' ';
}

bool is_include_line(std::string_view text, std::size_t at) {
    auto const start = text.rfind('\n', at) + 1;  // npos + 1 is 0
    auto line = text.substr(start, at - start);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line.starts_with("#include");
}

}  // namespace

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t find_word(std::string_view code, std::string_view word, std::size_t from) {
    for (auto at = code.find(word, from); at != std::string_view::npos;
         at = code.find(word, at + 1)) {
        bool const starts = at == 0 || !is_word(code[at - 1]);
        bool const ends = at + word.size() >= code.size() || !is_word(code[at + word.size()]);
        if (starts && ends) return at;
    }
    return std::string_view::npos;
}

std::size_t closing(std::string_view code, std::size_t open) {
    std::size_t depth = 0;
    for (auto i = open; i < code.size(); ++i) {
        char const c = code[i];
        if (c == '(' || c == '{' || c == '[') ++depth;
        if (c == ')' || c == '}' || c == ']')
            if (--depth == 0) return i;
    }
    return std::string_view::npos;
}

Source::Source(std::string path, std::string text)
    : path_(std::move(path)), text_(std::move(text)), code_(text_), comments_(text_) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i)
        if (text_[i] == '\n') line_starts_.push_back(i + 1);
    blank();
}

void Source::blank() {
    Scanner const scanner(text_);
    std::size_t code_from = 0;
    for (std::size_t i = 0; i < text_.size();) {
        if (auto const end = scanner.comment(i); end != i) {
            erase(code_, i, end);
            erase(comments_, code_from, i);
            code_from = i = end;
        } else if (auto const past = scanner.literal(i); past != i) {
            if (!is_include_line(text_, i)) erase(code_, i + 1, past - 1);
            i = past;
        } else {
            ++i;
        }
    }
    erase(comments_, code_from, text_.size());
}

std::string_view Source::folder() const {
    auto const slash = path_.find('/');
    return slash == std::string::npos ? std::string_view{}
                                      : std::string_view(path_).substr(0, slash);
}

std::size_t Source::line_of(std::size_t offset) const {
    auto const next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    return static_cast<std::size_t>(next - line_starts_.begin());
}

Fault Source::fault(std::size_t offset, std::string why) const {
    return {path_, line_of(offset), std::move(why)};
}

}  // namespace penstock::tidy
