// What a rule sees of one file: its lines, and the same text with comments and literals blanked.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tidy {

/// A place that breaks a rule, with the reason for the rule.
struct Fault {
    std::string file;
    std::size_t line = 0;
    std::string why;
};

using Faults = std::vector<Fault>;

class Source {
public:
    /// `path` is relative to the root of the project, with '/'.
    Source(std::string path, std::string text);

    std::string const& path() const { return path_; }
    std::string const& text() const { return text_; }
    /// As long as text(), line breaks in place; comments and the insides of string and character
    /// literals are spaces. Include directives keep their file name.
    std::string const& code() const { return code_; }
    /// The opposite: comments alone, everything else spaces.
    std::string const& comments() const { return comments_; }

    /// The first folder of the path; empty for a file at the root.
    std::string_view folder() const;
    bool is_in(std::string_view prefix) const { return path_.starts_with(prefix); }
    bool is_header() const { return path_.ends_with(".hpp"); }

    /// 1 for the first line.
    std::size_t line_of(std::size_t offset) const;
    Fault fault(std::size_t offset, std::string why) const;

private:
    void blank();

    std::string path_;
    std::string text_;
    std::string code_;
    std::string comments_;
    std::vector<std::size_t> line_starts_;
};

/// The offset of the bracket that closes the one at `open`, or npos. Blanked code only.
std::size_t closing(std::string_view code, std::size_t open);

bool is_word(char c);

/// Where `word` stands as a whole word, from `from` on, or npos.
std::size_t find_word(std::string_view code, std::string_view word, std::size_t from = 0);

}  // namespace penstock::tidy
