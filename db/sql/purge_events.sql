-- At most $2 events of a deleted ledger. A range of the primary key.
DELETE FROM events WHERE scope_id = $1 AND (type, id) IN (
    SELECT type, id FROM events WHERE scope_id = $1 ORDER BY type, id LIMIT $2)
