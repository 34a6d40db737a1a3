// What a test needs that looks into PostgreSQL's statistics: that nobody else is in them.
#pragma once

#include "tests/db/pg/database.hpp"

namespace penstock::tests {

/// A vacuum or an analysis of the tables that there are would read them, and keep what is dead from
/// being marked so in the indexes: it comes when it likes, and soon after many rows.
inline void keep_autovacuum_away(Database const& database) {
    auto sql = database.connect();
    sql("DO $$ DECLARE t regclass; BEGIN"
        " FOR t IN SELECT oid FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP"
        " EXECUTE 'ALTER TABLE ' || t || ' SET (autovacuum_enabled = false)';"
        " END LOOP; END $$");
}

}  // namespace penstock::tests
