// What Redis answered: a value that owns everything it shows.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace penstock::cache {

struct Reply {
    enum class Kind { nil, integer, string, status, array, error };

    static Reply nil() { return {}; }
    static Reply of(std::int64_t number);
    static Reply string(std::string text);
    static Reply status(std::string text);
    static Reply error(std::string text);
    static Reply array(std::vector<Reply> elements);

    bool is_nil() const { return kind == Kind::nil; }
    bool is_error() const { return kind == Kind::error; }

    Kind kind = Kind::nil;
    std::int64_t number = 0;      ///< of an integer
    std::string text;             ///< of a string, a status or an error
    std::vector<Reply> elements;  ///< of an array

    bool operator==(Reply const&) const = default;
};

/// As redis-cli shows it, on one line and cut to a readable length.
std::ostream& operator<<(std::ostream& out, Reply const& reply);

}  // namespace penstock::cache
