// The table that the tests of sessions and connections write to, and statements about it.
#pragma once

#include "tests/db/pg/with_session.hpp"

namespace penstock::tests::notes {

inline constexpr db::Statement add_one{"add_one", "SELECT $1 + 1"};
inline constexpr db::Statement divide{"divide", "SELECT 1 / $1"};
inline constexpr db::Statement insert{"insert", "INSERT INTO notes (id) VALUES ($1)"};
inline constexpr db::Statement count_notes{"count_notes", "SELECT count(*) FROM notes"};

/// A database with the table `notes`, emptied whenever it is asked for.
inline Database& database() {
    static Database instance;
    static bool made = false;
    auto sql = instance.connect();
    if (!made) sql("CREATE TABLE notes (id bigint PRIMARY KEY CHECK (id >= 0))");
    made = true;
    sql("TRUNCATE notes");
    return instance;
}

inline db::pg::Params number(std::int64_t value) {
    db::pg::Params params;
    params.int8(value);
    return params;
}

inline void require(db::pg::SegmentAnswer const& answer) {
    BOOST_REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
}

}  // namespace penstock::tests::notes
