-- At most $2 holds of a deleted ledger. Ranges of holds_by_status.
DELETE FROM holds WHERE id = ANY (ARRAY(
    SELECT id FROM holds WHERE ledger_id = $1 ORDER BY status, id LIMIT $2 FOR UPDATE SKIP LOCKED))
