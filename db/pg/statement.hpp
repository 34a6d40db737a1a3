// What is a statement: a name and a text that live as long as the program.
#pragma once

#include <string_view>

namespace penstock::db {

/// One file of db/sql. The name is the prepared statement's name, the metric label and the log
/// field. Both views are of string literals (their data() is NUL-terminated).
struct Statement {
    std::string_view name;
    std::string_view text;
};

namespace pg {

// The three that frame an explicit transaction.
inline constexpr Statement begin{"begin", "BEGIN"};
inline constexpr Statement commit{"commit", "COMMIT"};
inline constexpr Statement rollback{"rollback", "ROLLBACK"};

}  // namespace pg
}  // namespace penstock::db
